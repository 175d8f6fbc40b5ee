/** File beside the filter of lines, which loads it. */
export const JOURNAL_FILE = "line_journal.rb";

/**
 * Keeps on disk what the filter of lines holds back, so that a kill loses none of it: the source takes these lines for read. It also has
 * the tags whose last lines are not in the buffer, where there may be no room: the source sends these again.
 */
export const JOURNAL_PROGRAM = `require "fileutils"
require "msgpack"

# What is held back, by its key: the last entry of a key counts.
class LineJournal
  # By tag: whether these are under way, refused, or under way again.
  UNTAKEN = {}
  LONGEST = 4 * 2**20

  def initialize(path)
    @path = path
    @before = "#{path}.before"
    @held = {}
  end

  # What was held when the last run ended. It stays on disk until it is forgotten.
  def open
    FileUtils.mkdir_p(File.dirname(@path))
    # Both count: a run that ended before it sent what the one before had held has held lines of its own.
    found = read(@before).merge(read(@path)) { |_, before, after| before | after }
    replace(@before, found) unless found.empty?
    start
    found.values.flatten(1)
  end

  def forget_before
    FileUtils.rm_f(@before)
  end

  # Records of a key; none where nothing is held.
  def put(key, records)
    records.empty? ? @held.delete(key) : @held[key] = records
    @file.write(MessagePack.pack([key, records]))
    start if @file.pos > LONGEST
  end

  def close
    @file.close
  end

  private

  def start
    @file&.close
    replace(@path, @held)
    @file = File.open(@path, "ab")
    @file.sync = true
    @file.seek(0, IO::SEEK_END)
  end

  # A kill leaves the old or the new.
  def replace(path, held)
    File.binwrite("#{path}.new", held.map { |entry| MessagePack.pack(entry) }.join, perm: 0o600)
    File.rename("#{path}.new", path)
  end

  def read(path)
    found = {}
    return found unless File.exist?(path)
    File.open(path, "rb") do |file|
      MessagePack::Unpacker.new(file).each { |key, records| found[key] = records }
    rescue EOFError, MessagePack::UnpackError
      # The last entry was being written.
    end
    found
  end
end
`;
