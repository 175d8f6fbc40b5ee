/** File beside the source, which loads it. */
export const BIRTHS_FILE = "file_births.rb";

/**
 * Tells a file from a later one with the same inode, whose number is free again once a file is deleted and closed: the place noted for the
 * old one would be believed of the new one, and its beginning skipped. A file keeps its time of birth when it is renamed. Its first
 * bytes would not do: files of an application may begin alike, and one that is empty has none.
 */
export const BIRTHS_PROGRAM = `require "fileutils"
require "json"

class FileBirths
  def initialize(path)
    @path = path
    @noted = JSON.parse(File.read(path))
  rescue Errno::ENOENT, JSON::ParserError
    @noted = {}
    # What there is of places was noted by an earlier version.
    @trusting = true
  end

  # Calls the block if this is not the file that was noted under its inode. Only then the new one is noted: a kill between the two has
  # the block called again.
  def check(path, inode)
    key = inode.to_s
    birth = birth_of(path, inode)
    return if birth.nil? || @noted[key] == birth
    yield if @noted.key?(key) || !@trusting
    @noted[key] = birth
    save
  end

  def forget_all_but(inodes)
    @noted.select! { |key, _| inodes.key?(key.to_i) }
    save if @unsaved
  end

  private

  # None if the path leads to another file by now.
  def birth_of(path, inode)
    File.open(path) { |file| time_of(file) if file.stat.ino == inode }
  rescue SystemCallError
    nil
  end

  # Where the file system does not know it, the inode alone has to do.
  def time_of(file)
    file.birthtime.strftime("%s.%N")
  rescue NotImplementedError, SystemCallError
    "unknown"
  end

  # A kill leaves the old or the new. While there is no room, files that are not noted would be read again after a restart.
  def save
    @unsaved = true
    File.write("#{@path}.new", JSON.generate(@noted), perm: 0o600)
    File.rename("#{@path}.new", @path)
    @unsaved = false
  rescue SystemCallError
    FileUtils.rm_f("#{@path}.new")
  end
end
`;
