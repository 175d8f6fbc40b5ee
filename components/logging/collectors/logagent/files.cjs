// @ts-check
"use strict";
const fs = require("fs");
const { createOpener, headOf } = require("./open.cjs");

const BLOCK_BYTES = 256 * 1024;
/** A line that is longer is skipped. */
const LONGEST_BYTES = 16 * 1024 * 1024;
/** How long a file that was rotated away may still be written to. */
const GOES_ON_MS = 1000;
/** As many files of one log are open at once: each may be one that is deleted, and keeps its place on the disk. */
const MOST_OPEN = 4;

/** @typedef {ReturnType<typeof import("./positions.cjs").openPositions>} Positions */
/**
 * @typedef {object} Followed
 * @property {string} key Device and inode.
 * @property {string} path
 * @property {number | undefined} fd
 * @property {number} offset Bytes that were read.
 * @property {number} block
 * @property {boolean} skipping Whether a line that is too long goes on.
 * @property {number | undefined} endSeen When its end was reached while another file followed, or it was gone.
 */

/**
 * The files of one log, oldest first: the one that is written, and what was rotated away from it. While the buffer is full nobody
 * looks for more, so that a log keeps no more than a few deleted files on the disk.
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
      joiner.add(bytes.toString(), file.key, file.offset, file.offset + rest);
    }
    fs.closeSync(file.fd);
  }

  /** Reads some whole lines. @param {Followed} file @param {number} fd @returns {number} Bytes. */
  function readBlock(file, fd) {
    const { size } = fs.fstatSync(fd);
    if (size < file.offset) {
      tell(`${file.path} was cut to ${size} bytes and is read from its beginning`);
      joiner.end();
      begin(file, fd);
    }
    if (size === file.offset) return 0;
    const place = positions.get(file.key);
    if (place !== undefined && place.head === "") place.head = headOf(fd);
    const bytes = Buffer.allocUnsafe(Math.min(file.block, size - file.offset));
    const count = fs.readSync(fd, bytes, 0, bytes.length, file.offset);
    const end = bytes.lastIndexOf(10, count - 1) + 1;
    if (end === 0) return readLong(file, count);
    giveLines(file, bytes, end);
    file.offset += end;
    file.block = BLOCK_BYTES;
    return end;
  }

  /** @param {Followed} file @param {Buffer} bytes @param {number} end */
  function giveLines(file, bytes, end) {
    let start = 0;
    while (start < end) {
      const next = bytes.indexOf(10, start);
      if (file.skipping) file.skipping = false;
      else joiner.add(bytes.toString("utf8", start, next), file.key, file.offset + start, file.offset + next + 1);
      start = next + 1;
    }
  }

  /** A line that is longer than a block: next time a longer block, or never. @param {Followed} file @param {number} count */
  function readLong(file, count) {
    if (count < file.block) return 0;
    if (file.block < LONGEST_BYTES) {
      file.block *= 2;
      return 1;
    }
    if (!file.skipping) tell(`${file.path} has a line of more than ${LONGEST_BYTES} bytes, which is skipped`);
    file.skipping = true;
    file.offset += count;
    return count;
  }

  return {
    /** What is there now, oldest first. @param {readonly { key: string, path: string, size: number, rotated: boolean }[]} found */
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
        if (files.length <= MOST_OPEN) openEarly(file);
      }
    },
    /** Reads on a little. @returns {number} Bytes, 0 at the end. */
    read() {
      const [file, next] = files;
      joiner.flush();
      if (file === undefined) return 0;
      try {
        const fd = open(file);
        if (fd === undefined) {
          if (there.has(file.key)) return 0;
          tell(`${file.path} went before it was read`);
          finish(file);
          return 0;
        }
        const count = readBlock(file, fd);
        const over = next !== undefined || !there.has(file.key);
        if (count > 0 || !over) file.endSeen = undefined;
        else if (file.endSeen === undefined) file.endSeen = Date.now();
        else if (Date.now() - file.endSeen >= GOES_ON_MS) finish(file);
        return count;
      } catch (error) {
        tell(`${file.path}: ${error}`);
        finish(file);
        return 0;
      }
    },
    /** Whether it is read to its end and gone. */
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

module.exports = { followLog };
