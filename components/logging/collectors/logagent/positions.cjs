// @ts-check
"use strict";
const fs = require("fs");
const path = require("path");

/**
 * @typedef {object} Place
 * @property {number} offset Bytes of the file that stand in the buffer or were sent.
 * @property {string} head How the file begins: an inode may be used again for another.
 * @property {number} born When it was first seen, in milliseconds.
 */

/**
 * How far each file is handed over, by device and inode, in a file of its own. A place is noted after its lines are in the buffer on
 * disk: a kill makes lines come twice and loses none.
 * @param {string} folder
 */
function openPositions(folder) {
  const file = path.join(folder, "positions.json");
  fs.mkdirSync(folder, { recursive: true });
  /** @type {Map<string, Place>} */
  const places = new Map(Object.entries(readQuietly(file)));
  return {
    /** @param {string} key */
    get: (key) => places.get(key),
    /** @param {string} key @param {Place} place */
    set: (key, place) => void places.set(key, place),
    /** @param {Iterable<readonly [string, number]>} marks Offsets by file. */
    move(marks) {
      for (const [key, offset] of marks) {
        const place = places.get(key);
        if (place !== undefined) place.offset = offset;
      }
    },
    /** Forgets files that are gone. @param {(key: string) => boolean} isThere */
    keep(isThere) {
      for (const key of [...places.keys()]) if (!isThere(key)) places.delete(key);
    },
    save() {
      fs.writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(places)));
      fs.renameSync(`${file}.new`, file);
    },
  };
}

/** @param {string} file @returns {Record<string, Place>} */
function readQuietly(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}

module.exports = { openPositions };
