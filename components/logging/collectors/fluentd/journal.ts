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
  # What the source calls when it has read for the last time, while the output can still send: at a filter's own end it cannot.
  LAST_CALLS = []
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
    replace(@before, found).close unless found.empty?
    start
    found.values.flatten(1)
  end

  def forget_before
    FileUtils.rm_f(@before)
  end

  # Records of a key; none where nothing is held.
  def put(key, records)
    records.empty? ? @held.delete(key) : @held[key] = records
    add(MessagePack.pack([key, records]))
    shorten if @file.pos > LONGEST
  end

  def close
    @file.close
  end

  private

  def start
    before = @file
    @file = replace(@path, @held)
    before&.close
  end

  # Where the disk has no room for half an entry's rest, those behind it would be unreadable.
  def add(entry)
    place = @file.pos
    @file.write(entry)
  rescue SystemCallError
    @file.truncate(place)
    @file.seek(place)
    raise
  end

  def shorten
    start
  rescue SystemCallError
    # There is no room for it now: what there is goes on.
  end

  # A kill leaves the old or the new, and so does a full disk.
  def replace(path, held)
    file = File.open("#{path}.new", "wb", 0o600)
    file.sync = true
    file.write(held.map { |entry| MessagePack.pack(entry) }.join)
    File.rename("#{path}.new", path)
    file
  rescue SystemCallError
    file&.close
    FileUtils.rm_f("#{path}.new")
    raise
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
