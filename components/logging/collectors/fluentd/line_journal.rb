# Keeps on disk the lines that the line filter holds back, so that a kill loses none: the input counts them as read.
# It also records the tags whose last lines did not reach the buffer, because it was full; the input sends those again.

require "fileutils"
require "msgpack"

# A log of held records by key; the last entry of a key counts.
class LineJournal
  # By tag: whether its lines are :under_way, :refused, or under way :again.
  UNTAKEN = {}
  # The input calls these after its last read, while the output can still send. A filter's own shutdown is too late for that.
  SHUTDOWN_HOOKS = []
  # Bytes at which the file is rewritten with the entries that still count.
  MAX_BYTES = 4 * 2**20

  def initialize(path)
    @path = path
    @before = "#{path}.before"
    @held = {}
  end

  # Returns what was held when the last run ended. It stays on disk until forget_before.
  def open
    FileUtils.mkdir_p(File.dirname(@path))
    # Both files count: a run that ended before it sent the lines of the previous run had held lines of its own.
    found = read(@before).merge(read(@path)) { |_, before, after| before | after }
    replace(@before, found).close unless found.empty?
    start
    found.values.flatten(1)
  end

  def forget_before
    FileUtils.rm_f(@before)
  end

  # Sets the records of a key; an empty list removes it.
  def put(key, records)
    records.empty? ? @held.delete(key) : @held[key] = records
    add(MessagePack.pack([key, records]))
    compact if @file.pos > MAX_BYTES
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

  # If the disk has no room for a whole entry, its beginning is removed, since later entries would be unreadable behind it.
  def add(entry)
    place = @file.pos
    @file.write(entry)
  rescue SystemCallError
    @file.truncate(place)
    @file.seek(place)
    raise
  end

  def compact
    start
  rescue SystemCallError
    # No room now: the old file stays in use.
  end

  # Atomic: a kill or a full disk leaves the old file or the new one.
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
