# Fluentd's tail input, changed in four respects:
# - A rotated file that is still being read is not opened a second time, so that it is read to its end, however long that takes, and even
#   after it is deleted.
# - Lines that the buffer cannot take (full, or no disk space) do not count as read.
# - A new file that reuses an inode does not inherit the read position of the old file.
# - A line that is not in the runtime's format is sent as it is. Fluentd would drop it, and print it unmasked.
# See https://docs.fluentd.org/input/tail

require "set"
require "fluent/plugin/in_tail"
require_relative "file_identity.rb"
require_relative "line_journal.rb"
require_relative "line_limits.rb"

module Fluent::Plugin
  class PodFilesInput < TailInput
    Fluent::Plugin.register_input("pod_files", self)

    # Seconds before refused lines are sent again. It applies to all files: if the buffer refuses one, it refuses the others too.
    RETRY_DELAY = 1

    # A file that is renamed during a scan may be missed under both names.
    MAX_SCANS = 6

    # A rotated file is closed at its end, but not before its last lines are taken.
    module ReadToTheEnd
      def eof?
        super && (@lines.empty? || @io.nil?)
      end

      # Whether the file is deleted and only still open.
      def deleted?
        !@io.nil? && @io.stat.nlink == 0
      end
    end

    def configure(conf)
      super
      # The suffix is part of the state on the node: keep it, or an upgrade forgets the files.
      @file_identity = FileIdentity.new("#{@pos_file}.births")
      @refused_at = -RETRY_DELAY
      @watchers = Set.new
      @handlers = {}
    end

    # Scans again while a known file is missing, since a missed file would be read again from its beginning.
    def expand_paths
      found = super
      (MAX_SCANS - 1).times do
        break if known_inodes.all? { |inode| found.key?(inode) }
        found = super
      end
      @file_identity.forget_all_but(found)
      found
    end

    # Fluentd never calls a timer again after it has raised an error.
    def refresh_watchers
      super
    rescue SystemCallError => error
      log.warn "new files cannot be read yet", error: error
      # A partial entry would make the one after it unreadable.
      entries = File.binread(@pos_file)
      File.truncate(@pos_file, (entries.rindex("\n") || -1) + 1)
    end

    def start_watchers(targets)
      busy = open_inodes
      super(targets.reject { |_, target| busy.include?(target.ino) })
    end

    def setup_watcher(target, entry)
      @file_identity.check(target.path, target.ino) { entry.update(target.ino, 0) }
      super.tap { |watcher| @watchers << watcher }
    end

    # Fluentd would keep the watcher of an already deleted file forever, and with it the file open.
    def update_watcher(watcher, entry, inode)
      super
      detach_watcher_after_rotate_wait(watcher, entry.read_inode)
    end

    def detach_watcher(watcher, *)
      super
      @watchers.delete(watcher)
      @handlers.delete(watcher)
    end

    def shutdown
      super
      LineJournal::SHUTDOWN_HOOKS.each(&:call)
    end

    def convert_line_to_event(line, lines, _watcher)
      line.delete_suffix!("\n")
      @parser.parse(line) { |time, record| record ? lines.add(time, without_return(record)) : add_unread(line, lines) }
    rescue StandardError
      # The text in the place of its time is not a time.
      add_unread(line, lines)
    end

    # Tells the line filter, through LineJournal::UNTAKEN, which tags' lines the buffer did not take.
    def receive_lines(lines, watcher)
      return false if Fluent::Clock.now - @refused_at < RETRY_DELAY
      tag = "#{@tag_prefix}#{watcher.tag}#{@tag_suffix}"
      LineJournal::UNTAKEN[tag] = LineJournal::UNTAKEN[tag] == :refused ? :again : :under_way
      taken = take(tag, parse_singleline(lines, watcher))
      taken ? LineJournal::UNTAKEN.delete(tag) : LineJournal::UNTAKEN[tag] = :refused
      @refused_at = Fluent::Clock.now unless taken
      taken
    end

    private

    # Passes a line on unparsed, with the time of reading.
    def add_unread(line, lines)
      lines.add(Fluent::EventTime.now, without_return({ "log" => line }))
    end

    # Some programs also end a line with a carriage return. A part of a line may end with one too, which is not the end.
    def without_return(record)
      record["log"].delete_suffix!("\r") unless record["logtag"]&.start_with?("P")
      record
    end

    # Inodes of files that are open and not deleted, and of files with a stored position.
    def known_inodes
      open = @watchers.reject { |watcher| @handlers[watcher]&.deleted? }.map(&:ino)
      @pf ? open | @pf.instance_variable_get(:@map).keys : open
    end

    # Fluentd's own list is incomplete: the watcher of a new file replaces that of the old file before it is read to its end.
    def open_inodes
      @watchers.map(&:ino)
    end

    def take(tag, lines)
      LineLimits.attempt { router.emit_stream(tag, lines) } unless lines.empty?
      true
    rescue Buffer::BufferOverflowError, SystemCallError
      false
    rescue StandardError
      # The lines would fail again; Fluentd has logged the reason.
      true
    end

    def io_handler(watcher, path)
      @handlers[watcher] = super.extend(ReadToTheEnd)
    end
  end
end
