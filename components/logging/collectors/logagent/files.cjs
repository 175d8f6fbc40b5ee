// @ts-check
"use strict";
const crypto = require("crypto");
const fs = require("fs");

/** Most bytes of a file's beginning by which it is recognized: an application may begin each file with the same banner. */
const HEAD_BYTES = 16 * 1024;

/**
 * Opens files and recognizes them: both an inode and a name may be reused for another file.
 * @param {Positions} positions
 * @param {(message: string) => void} tell
 */
function createOpener(positions, tell) {
  /** @param {string} path @returns {number | undefined} Undefined if there is no such file, or while too many are open. */
  function openThere(path) {
    try {
      return fs.openSync(path, "r");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EMFILE" || code === "ENFILE") tell(`${path} cannot be opened yet: ${error}`);
      else if (code !== "ENOENT") throw error;
      return undefined;
    }
  }

  /** @param {Followed} file @returns {number | undefined} Undefined if the file was renamed since the last scan, or deleted. */
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
    if (place !== undefined && beginsAs(fd, place) && place.offset <= size) file.offset = place.offset;
    else begin(file, fd);
    return fd;
  }

  /** Opens a file before its turn, since it may be deleted by then. @param {Followed} file */
  function openEarly(file) {
    try {
      open(file);
    } catch {
      // The error is reported when its turn comes.
    }
  }

  /** Whether a file only reuses the inode of a deleted one that was read to its end. @param {string} key @param {string} path */
  function isAnother(key, path) {
    const place = positions.get(key);
    const fd = place === undefined ? undefined : openThere(path);
    if (place === undefined || fd === undefined) return false;
    const another = !beginsAs(fd, place);
    fs.closeSync(fd);
    return another;
  }

  /** Stores the position of a new file before it is read, so that its lines have the same ids after a kill. @param {Followed} file @param {number} fd */
  function begin(file, fd) {
    file.offset = 0;
    positions.set(file.key, { offset: 0, ...headOf(fd), born: Date.now() });
    positions.save();
  }

  return { open, openEarly, isAnother, begin };
}

/** @param {number} fd @param {import("./buffer.cjs").Place} place */
function beginsAs(fd, { head, headBytes }) {
  // Positions of version 1.0 have the text of up to 64 bytes.
  if (headBytes === undefined) return head !== "" && head === beginning(fd, head.length).toString("latin1");
  return headBytes > 0 && head === headOf(fd, headBytes).head;
}

/**
 * @param {number} fd
 * @param {number} [length]
 * @returns {{ head: string, headBytes: number }} A hash of how a file begins, and of how many bytes.
 */
function headOf(fd, length = HEAD_BYTES) {
  const bytes = beginning(fd, length);
  return { head: crypto.createHash("sha256").update(bytes).digest("base64"), headBytes: bytes.length };
}

/** @param {number} fd @param {number} length */
function beginning(fd, length) {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, 0));
}

const BLOCK_BYTES = 256 * 1024;
/** A longer line is skipped. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** How long a rotated file may still be written to, in milliseconds. */
const ROTATED_IDLE_MS = 1000;
/** Maximum open files of one log: a deleted file occupies disk space while it is open. */
const MAX_OPEN_FILES = 4;

/** @typedef {ReturnType<typeof import("./buffer.cjs").openPositions>} Positions */
/**
 * @typedef {object} Followed
 * @property {string} key Device and inode.
 * @property {string} path
 * @property {number | undefined} fd
 * @property {number} offset Bytes that were read.
 * @property {number} block Bytes to read at once.
 * @property {boolean} skipping Whether the rest of a too long line is being skipped.
 * @property {number | undefined} endSeen When its end was reached, in milliseconds, if another file follows or it is deleted.
 */

/**
 * The files of one log, oldest first: the current file, and its rotated predecessors. While the buffer is full there are no scans, so that
 * a log keeps at most a few deleted files on the disk.
 * @param {Positions} positions
 * @param {ReturnType<typeof import("./lines.cjs").createJoiner>} joiner
 * @param {(message: string) => void} tell
 */
function followLog(positions, joiner, tell) {
  /** @type {Followed[]} */
  const files = [];
  /** @type {Set<string>} */
  let there = new Set();
  /** Files that are read to their end. @type {Set<string>} */
  const finished = new Set();
  const { open, openEarly, isAnother, begin } = createOpener(positions, tell);

  /** @param {Followed} file */
  function finish(file) {
    files.shift();
    finished.add(file.key);
    if (file.fd === undefined) return;
    const rest = fs.fstatSync(file.fd).size - file.offset;
    if (rest > 0 && !file.skipping) {
      const bytes = Buffer.alloc(rest);
      fs.readSync(file.fd, bytes, 0, rest, file.offset);
      joiner.add(bytes, file.key, file.offset, file.offset + rest);
    }
    fs.closeSync(file.fd);
  }

  /** Reads a block of whole lines. @param {Followed} file @param {number} fd @returns {number} Bytes. */
  function readBlock(file, fd) {
    const { size } = fs.fstatSync(fd);
    if (size < file.offset) {
      tell(`${file.path} was truncated to ${size} bytes and is read from its beginning`);
      joiner.end();
      begin(file, fd);
    }
    if (size === file.offset) return 0;
    const bytes = Buffer.allocUnsafe(Math.min(file.block, size - file.offset));
    const count = fs.readSync(fd, bytes, 0, bytes.length, file.offset);
    const end = bytes.lastIndexOf(10, count - 1) + 1;
    if (end === 0) return readLong(file, count);
    giveLines(file, bytes, end);
    file.offset += end;
    file.block = BLOCK_BYTES;
    lengthenHead(file, fd);
    return end;
  }

  /** A file is recognized by all that was read of its beginning. @param {Followed} file @param {number} fd */
  function lengthenHead(file, fd) {
    const place = positions.get(file.key);
    const length = Math.min(file.offset, HEAD_BYTES);
    if (place !== undefined && (place.headBytes === undefined || place.headBytes < length))
      Object.assign(place, headOf(fd, length));
  }

  /** @param {Followed} file @param {Buffer} bytes @param {number} end */
  function giveLines(file, bytes, end) {
    let start = 0;
    while (start < end) {
      const next = bytes.indexOf(10, start);
      if (file.skipping) file.skipping = false;
      else joiner.add(bytes.subarray(start, next), file.key, file.offset + start, file.offset + next + 1);
      start = next + 1;
    }
  }

  /** Doubles the block for a line that is longer, or skips a line over the limit. @param {Followed} file @param {number} count */
  function readLong(file, count) {
    if (count < file.block) return 0;
    if (file.block < MAX_LINE_BYTES) {
      file.block *= 2;
      return 1;
    }
    if (!file.skipping) tell(`${file.path} has a line of more than ${MAX_LINE_BYTES} bytes, which is skipped`);
    file.skipping = true;
    file.offset += count;
    return count;
  }

  return {
    /** Takes the files that exist now, oldest first. @param {readonly { key: string, path: string, size: number, rotated: boolean }[]} found */
    see(found) {
      there = new Set(found.map(({ key }) => key));
      for (const key of finished) if (!there.has(key)) finished.delete(key);
      for (const { key, path, size, rotated } of found) {
        const followed = files.find((file) => file.key === key);
        if (followed !== undefined) {
          followed.path = path;
          continue;
        }
        const place = positions.get(key);
        if (finished.has(key) && isAnother(key, path)) finished.delete(key);
        if (finished.has(key) || (rotated && place !== undefined && place.offset === size)) continue;
        const file = { key, path, fd: undefined, offset: 0, block: BLOCK_BYTES, skipping: false, endSeen: undefined };
        files.push(file);
        if (files.length <= MAX_OPEN_FILES) openEarly(file);
      }
    },
    /** Reads the next block. @returns {number} Bytes, 0 at the end. */
    read() {
      const [file, next] = files;
      joiner.flush();
      if (file === undefined) return 0;
      try {
        const fd = open(file);
        if (fd === undefined) {
          if (there.has(file.key)) return 0;
          tell(`${file.path} was deleted before it was read`);
          finish(file);
          return 0;
        }
        const count = readBlock(file, fd);
        const over = next !== undefined || !there.has(file.key);
        if (count > 0 || !over) file.endSeen = undefined;
        else if (file.endSeen === undefined) file.endSeen = Date.now();
        else if (Date.now() - file.endSeen >= ROTATED_IDLE_MS) finish(file);
        return count;
      } catch (error) {
        tell(`${file.path}: ${error}`);
        finish(file);
        return 0;
      }
    },
    /** Whether the log is read to its end and deleted. */
    isOver: () => files.length === 0 && there.size === 0,
    flush: () => joiner.flush(true),
    end: () => joiner.end(),
    /** @param {string} key */
    isFollowing: (key) => there.has(key) || files.some((file) => file.key === key),
    close() {
      for (const { fd } of files) if (fd !== undefined) fs.closeSync(fd);
    },
  };
}

module.exports = { createOpener, followLog, headOf };
