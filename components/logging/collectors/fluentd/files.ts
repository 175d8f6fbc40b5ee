import { BIRTHS_FILE } from "./births.ts";
import { JOURNAL_FILE } from "./journal.ts";

/** Name of the source in Fluentd's configuration, and the file that Fluentd looks for it in. */
export const FILES_SOURCE = "pod_files";
export const FILES_SOURCE_FILE = `in_${FILES_SOURCE}.rb`;

/**
 * Fluentd's own source of files, but a file that was rotated away and is still being read is not taken for a new one: it would have
 * two readers. So it may be read to its end, however long that takes, and even after it is deleted. Lines that the buffer has no
 * room for on the disk are not taken for read, and a new file with the inode of an old one not for that one.
 * @see https://docs.fluentd.org/input/tail
 */
export const FILES_SOURCE_PROGRAM = `require "set"
require "fluent/plugin/in_tail"
require_relative "${BIRTHS_FILE}"
require_relative "${JOURNAL_FILE}"

module Fluent::Plugin
  class PodFilesInput < TailInput
    Fluent::Plugin.register_input("${FILES_SOURCE}", self)

    # Seconds until lines are sent again that were refused, and all others too: what one file has no room for, no other has.
    PAUSE = 1

    # A file that was rotated away is closed at its end, but not before its last lines are taken.
    module ReadToTheEnd
      def eof?
        super && (@lines.empty? || @io.nil?)
      end
    end

    def configure(conf)
      super
      @births = FileBirths.new("#{@pos_file}.births")
      @refused_at = -PAUSE
      @watchers = Set.new
    end

    # A file that is renamed meanwhile may be missed under both of its names, and would be read again from its beginning.
    def expand_paths
      found = super
      found = super unless (being_read - found.keys).empty?
      @births.forget_all_but(found)
      found
    end

    # A timer that fails is never called again.
    def refresh_watchers
      super
    rescue SystemCallError => error
      log.warn "new files have to wait", error: error
      # Half an entry would make the one behind it unreadable.
      entries = File.binread(@pos_file)
      File.truncate(@pos_file, (entries.rindex("\\n") || -1) + 1)
    end

    def start_watchers(targets)
      busy = being_read
      super(targets.reject { |_, target| busy.include?(target.ino) })
    end

    def setup_watcher(target, entry)
      @births.check(target.path, target.ino) { entry.update(target.ino, 0) }
      super.tap { |watcher| @watchers << watcher }
    end

    # Of a file that is deleted already, Fluentd would leave the watcher as it is, and so the file open for ever.
    def update_watcher(watcher, entry, inode)
      super
      detach_watcher_after_rotate_wait(watcher, entry.read_inode)
    end

    def detach_watcher(watcher, *)
      super
      @watchers.delete(watcher)
    end

    def shutdown
      super
      LineJournal::LAST_CALLS.each(&:call)
    end

    # The filter of lines is told whose lines were not taken.
    def receive_lines(lines, watcher)
      return false if Fluent::Clock.now - @refused_at < PAUSE
      tag = "#{@tag_prefix}#{watcher.tag}#{@tag_suffix}"
      LineJournal::UNTAKEN[tag] = LineJournal::UNTAKEN[tag] == :refused ? :again : :under_way
      taken = take(tag, parse_singleline(lines, watcher))
      taken ? LineJournal::UNTAKEN.delete(tag) : LineJournal::UNTAKEN[tag] = :refused
      @refused_at = Fluent::Clock.now unless taken
      taken
    end

    private

    # Fluentd's own lists have not all of these: the watcher of a new file takes the place of the old one's before that is done.
    def being_read
      @watchers.map(&:ino)
    end

    def take(tag, lines)
      router.emit_stream(tag, lines) unless lines.empty?
      true
    rescue Buffer::BufferOverflowError, SystemCallError
      false
    rescue StandardError
      # It would fail again; Fluentd has logged why.
      true
    end

    def io_handler(watcher, path)
      super.extend(ReadToTheEnd)
    end
  end
end
`;
