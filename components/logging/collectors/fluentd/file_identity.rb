# Distinguishes a file from a later one with the same inode.
#
# An inode number is free again once its file is deleted and closed. The read position of the old file would then be applied to the new one,
# and the beginning of the new file skipped. The birth time distinguishes them: it survives a rename. The first bytes of a file would not do:
# an application's files may start alike, and a new file is empty.

require "fileutils"
require "json"

class FileIdentity
  # @param path [String] where the birth times are kept
  def initialize(path)
    @path = path
    @identities = JSON.parse(File.read(path))
  rescue Errno::ENOENT, JSON::ParserError
    @identities = {}
    # An earlier version stored read positions without birth times: trust them.
    @trust_unknown = true
  end

  # Yields if this is not the file last seen under this inode. The new file is recorded after the block, so that a kill in between runs the
  # block again.
  def check(path, inode)
    key = inode.to_s
    birth = birth_of(path, inode)
    return if birth.nil? || @identities[key] == birth
    yield if @identities.key?(key) || !@trust_unknown
    @identities[key] = birth
    save
  end

  def forget_all_but(inodes)
    @identities.select! { |key, _| inodes.key?(key.to_i) }
    save if @unsaved
  end

  private

  # nil if the path leads to another file by now.
  def birth_of(path, inode)
    File.open(path) { |file| birth_time(file) if file.stat.ino == inode }
  rescue SystemCallError
    nil
  end

  # On a file system without birth times only the inode counts.
  def birth_time(file)
    file.birthtime.strftime("%s.%N")
  rescue NotImplementedError, SystemCallError
    "unknown"
  end

  # Atomic: a kill leaves the old file or the new one. On a full disk nothing is saved, and files that are not recorded would be read again
  # after a restart, hence the retry in forget_all_but.
  def save
    @unsaved = true
    File.write("#{@path}.new", JSON.generate(@identities), perm: 0o600)
    File.rename("#{@path}.new", @path)
    @unsaved = false
  rescue SystemCallError
    FileUtils.rm_f("#{@path}.new")
  end
end
