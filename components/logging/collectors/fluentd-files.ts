import { JOURNAL_FILE } from "./fluentd-journal.ts";

/** Name of the source in Fluentd's configuration, and the file that Fluentd looks for it in. */
export const FILES_SOURCE = "pod_files";
export const FILES_SOURCE_FILE = `in_${FILES_SOURCE}.rb`;

/**
 * Fluentd's own source of files, but a file that was rotated away and is still being read is not taken for a new one: it would have
 * two readers. So it may be read to its end, however long that takes, and even after it is deleted. It also notes whose lines were not taken.
 * @see https://docs.fluentd.org/input/tail
 */
export const FILES_SOURCE_PROGRAM = `require "fluent/msgpack_factory"
require "fluent/plugin/in_tail"
require_relative "${JOURNAL_FILE}"

module Fluent::Plugin
  class PodFilesInput < TailInput
    Fluent::Plugin.register_input("${FILES_SOURCE}", self)

    # Where the chunks of the output are, and whether they are lines of text or MessagePack.
    config_param :buffer_folder, :string
    config_param :buffer_of_text, :bool

    # Before the output opens its buffer. Only a chunk that is not queued yet is written to.
    def configure(conf)
      super
      Dir.glob("#{@buffer_folder}/buffer.b*.log") { |path| cut(path) }
    end

    # A kill may leave half a record at the end of a chunk: with others behind it the whole chunk would be thrown away. Its lines were
    # not noted as read.
    def cut(path)
      data = File.binread(path)
      whole = @buffer_of_text ? (data.rindex("\\n") || -1) + 1 : whole_records(data)
      return if whole == data.bytesize
      log.warn "half a record is cut off", path: path, bytes: data.bytesize - whole
      File.truncate(path, whole)
    end

    def whole_records(data)
      unpacker = Fluent::MessagePackFactory.msgpack_unpacker
      unpacker.feed(data)
      whole = 0
      loop do
        unpacker.skip
        whole = data.bytesize - unpacker.buffer.size
      end
    rescue EOFError
      whole
    rescue MessagePack::UnpackError
      data.bytesize
    end

    def start_watchers(targets)
      busy = @tails_rotate_wait.keys.map(&:ino)
      super(targets.reject { |_, target| busy.include?(target.ino) })
    end

    def receive_lines(lines, watcher)
      tag = "#{@tag_prefix}#{watcher.tag}#{@tag_suffix}"
      LineJournal::UNTAKEN[tag] = LineJournal::UNTAKEN[tag] == :refused ? :again : :under_way
      super.tap { |taken| taken ? LineJournal::UNTAKEN.delete(tag) : LineJournal::UNTAKEN[tag] = :refused }
    end
  end
end
`;
