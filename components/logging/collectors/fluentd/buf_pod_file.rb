# Fluentd's file buffer, changed so that neither a kill nor a full disk loses a chunk.
# See https://docs.fluentd.org/buffer/file

require "fluent/msgpack_factory"
require "fluent/plugin/buf_file"

module Fluent::Plugin
  class PodFileBuffer < FileBuffer
    Fluent::Plugin.register_buffer("pod_file", self)

    # Whether a chunk holds lines of text; else it holds MessagePack.
    config_param :of_text, :bool

    # Only staged chunks ("b") are still appended to; queued ones ("q") are complete.
    def resume
      Dir.glob(@path.sub(".*.", ".b*.")) { |path| truncate_partial_record(path) }
      super
    end

    # Without room for a new chunk, super reports an overflow, on which Fluentd drops the oldest chunk or retries in a busy loop.
    def generate_chunk(metadata)
      super
    rescue BufferOverflowError => error
      raise Errno::ENOSPC, error.message
    end

    private

    # A kill can leave half a record at the end of a chunk. Once more records follow, Fluentd would discard the whole chunk. The lines of that
    # record are read again: their position was not saved yet.
    def truncate_partial_record(path)
      data = File.binread(path)
      complete = @of_text ? (data.rindex("\n") || -1) + 1 : complete_bytes(data)
      return if complete == data.bytesize
      log.warn "truncated a partial record", path: path, bytes: data.bytesize - complete
      File.truncate(path, complete)
    end

    def complete_bytes(data)
      unpacker = Fluent::MessagePackFactory.msgpack_unpacker
      unpacker.feed(data)
      complete = 0
      loop do
        unpacker.skip
        complete = data.bytesize - unpacker.buffer.size
      end
    rescue EOFError
      complete
    rescue MessagePack::UnpackError
      data.bytesize
    end
  end
end
