// @ts-check
"use strict";
const fs = require("fs");

/** As many bytes of its beginning know a file again. */
const HEAD_BYTES = 64;

/** @typedef {import("./files.cjs").Followed} Followed */

/**
 * Opens files as what they are: an inode may be used again for another file, and a name too.
 * @param {import("./files.cjs").Positions} positions
 * @param {(message: string) => void} tell
 */
function createOpener(positions, tell) {
  /** @param {string} path @returns {number | undefined} Nothing where there is no such file, or while too many are open. */
  function openThere(path) {
    try {
      return fs.openSync(path, "r");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EMFILE" || code === "ENFILE") tell(`${path} has to wait: ${error}`);
      else if (code !== "ENOENT") throw error;
      return undefined;
    }
  }

  /** @param {Followed} file @returns {number | undefined} Nothing while it has another name than at the last look, or is gone. */
  function open(file) {
    if (file.fd !== undefined) return file.fd;
    const fd = openThere(file.path);
    if (fd === undefined) return undefined;
    const { dev, ino, size } = fs.fstatSync(fd);
    if (`${dev}:${ino}` !== file.key) {
      fs.closeSync(fd);
      return undefined;
    }
    file.fd = fd;
    const place = positions.get(file.key);
    if (place !== undefined && beginsAs(fd, place.head) && place.offset <= size) file.offset = place.offset;
    else begin(file, fd);
    return fd;
  }

  /** Before its turn, since it may be deleted until then. @param {Followed} file */
  function openEarly(file) {
    try {
      open(file);
    } catch {
      // Its turn comes, and what is wrong is told then.
    }
  }

  /** Whether a file has only the inode of one that was read to its end and is gone. @param {string} key @param {string} path */
  function isAnother(key, path) {
    const place = positions.get(key);
    const fd = place === undefined ? undefined : openThere(path);
    if (place === undefined || fd === undefined) return false;
    const another = !beginsAs(fd, place.head);
    fs.closeSync(fd);
    return another;
  }

  /** Notes a new file before anything is read of it, so that its lines have the same ids after a kill. @param {Followed} file @param {number} fd */
  function begin(file, fd) {
    file.offset = 0;
    positions.set(file.key, { offset: 0, head: headOf(fd), born: Date.now() });
    positions.save();
  }

  return { open, openEarly, isAnother, begin };
}

/** @param {number} fd @param {string} head */
function beginsAs(fd, head) {
  return head !== "" && head === headOf(fd, head.length);
}

/** @param {number} fd @param {number} [length] */
function headOf(fd, length = HEAD_BYTES) {
  const bytes = Buffer.alloc(length);
  return bytes.toString("latin1", 0, fs.readSync(fd, bytes, 0, length, 0));
}

module.exports = { createOpener, headOf };
