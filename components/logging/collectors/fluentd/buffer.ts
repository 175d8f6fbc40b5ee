/** Name of the buffer in Fluentd's configuration, and the file that Fluentd looks for it in. */
export const BUFFER = "pod_file";
export const BUFFER_FILE = `buf_${BUFFER}.rb`;

/**
 * Fluentd's own buffer in files, but a kill costs no chunk, and a full disk none either.
 * @see https://docs.fluentd.org/buffer/file
 */
export const BUFFER_PROGRAM = `require "fluent/msgpack_factory"
require "fluent/plugin/buf_file"

module Fluent::Plugin
  class PodFileBuffer < FileBuffer
    Fluent::Plugin.register_buffer("${BUFFER}", self)

    # Whether a chunk is lines of text or MessagePack.
    config_param :of_text, :bool

    # Only a chunk that is not queued yet is written to.
    def resume
      Dir.glob(@path.sub(".*.", ".b*.")) { |path| cut(path) }
      super
    end

    # Without room for a new chunk it would say that it is full, and so have the oldest chunk dropped, or be asked again without a pause.
    def generate_chunk(metadata)
      super
    rescue BufferOverflowError => error
      raise Errno::ENOSPC, error.message
    end

    private

    # A kill may leave half a record at the end of a chunk: with others behind it the whole chunk would be thrown away. Its lines were
    # not noted as read.
    def cut(path)
      data = File.binread(path)
      whole = @of_text ? (data.rindex("\\n") || -1) + 1 : whole_records(data)
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
  end
end
`;
