// @ts-check
"use strict";
const fs = require("fs");
const path = require("path");

/**
 * @typedef {object} Place
 * @property {number} offset Bytes of the file that are in the buffer or were sent.
 * @property {string} head Hash of the file's first bytes: its inode may be reused for another file.
 * @property {number} [headBytes] How many bytes are hashed.
 * @property {number} born When it was first seen, in milliseconds.
 */

/**
 * Read positions by device and inode, in a file. A position is stored after its lines are in the buffer on disk: a kill may duplicate
 * lines, but loses none.
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
    /** Forgets deleted files. @param {(key: string) => boolean} isThere */
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

/** @type {Map<string, ReturnType<typeof createBuffer>>} */
const opened = new Map();
/** Size of a request. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * @typedef {object} Chunk
 * @property {string} file
 * @property {number} bytes
 * @property {boolean} busy Whether it is being sent.
 */

/**
 * The records that are read but not sent yet, in files, the oldest first; and the read positions up to which the buffer has the lines.
 * @param {string} folder
 * @param {{ bytes: number, whenFull: "block" | "drop-oldest" }} limits
 * @param {(message: string) => void} tell
 */
function createBuffer(folder, limits, tell) {
  const positions = openPositions(folder);
  const chunkFolder = path.join(folder, "buffer");
  fs.mkdirSync(chunkFolder, { recursive: true });
  /** @type {Chunk[]} */
  const chunks = chunksIn(chunkFolder);
  let last = chunks.reduce((highest, { file }) => Math.max(highest, Number.parseInt(path.basename(file), 10)), 0);
  let onDisk = chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  /** @type {string[]} */
  let lines = [];
  let length = 0;
  /** @type {Map<string, number>} */
  let marks = new Map();
  let failed = false;
  /** @type {Set<() => void>} */
  const waiting = new Set();

  /** @param {Chunk} chunk */
  function remove(chunk) {
    const at = chunks.indexOf(chunk);
    if (at < 0) return;
    chunks.splice(at, 1);
    onDisk -= chunk.bytes;
    fs.unlinkSync(chunk.file);
  }

  function dropOldest() {
    let dropped = 0;
    for (const chunk of chunks.filter(({ busy }) => !busy)) {
      if (onDisk + length <= limits.bytes) break;
      remove(chunk);
      dropped += 1;
    }
    if (dropped > 0) tell(`the buffer is full: dropped ${dropped} of its oldest files`);
  }

  function writeChunk() {
    if (limits.whenFull === "drop-oldest") dropOldest();
    const file = path.join(chunkFolder, `${String(last + 1).padStart(12, "0")}.chunk`);
    const text = lines.join("");
    fs.writeFileSync(`${file}.new`, text);
    fs.renameSync(`${file}.new`, file);
    last += 1;
    chunks.push({ file, bytes: Buffer.byteLength(text), busy: false });
    onDisk += Buffer.byteLength(text);
  }

  /** Writes the records in memory to disk. If that fails, they stay in memory, and nothing more is read. */
  function flush() {
    if (length === 0 && marks.size === 0) return;
    try {
      if (length > 0) writeChunk();
      positions.move(marks);
      [lines, length, marks] = [[], 0, new Map()];
      positions.save();
      failed = false;
    } catch (error) {
      if (!failed) tell(`the buffer cannot be written: ${error}`);
      failed = true;
    }
    for (const go of waiting) go();
  }

  return {
    positions,
    /** Adds a record with its action; an empty text for a dropped record. @param {string} text @param {readonly (readonly [string, number])[]} reached */
    add(text, reached) {
      if (text !== "") lines.push(text);
      length += text.length;
      for (const [key, offset] of reached) marks.set(key, offset);
      if (length >= CHUNK_BYTES && !failed) flush();
    },
    flush,
    /** Whether reading must pause. */
    isFull: () => failed || (limits.whenFull === "block" && onDisk + length >= limits.bytes),
    isEmpty: () => length === 0 && chunks.length === 0,
    /** The oldest file that is not being sent, or undefined; it belongs to the caller until `done` or `back`. */
    take() {
      const chunk = chunks.find(({ busy }) => !busy);
      if (chunk !== undefined) chunk.busy = true;
      return chunk;
    },
    done: remove,
    /** @param {Chunk} chunk */
    back(chunk) {
      chunk.busy = false;
    },
    /** Waits until there is something new, at most this long. @param {number} milliseconds @returns {Promise<void>} */
    wait: (milliseconds) =>
      new Promise((resolve) => {
        const go = () => {
          clearTimeout(timer);
          waiting.delete(go);
          resolve();
        };
        const timer = setTimeout(go, milliseconds);
        waiting.add(go);
      }),
  };
}

/** The files that a previous process left. @param {string} folder @returns {Chunk[]} */
function chunksIn(folder) {
  const names = fs.readdirSync(folder).sort();
  for (const name of names.filter((one) => one.endsWith(".new"))) fs.unlinkSync(path.join(folder, name));
  return names
    .filter((name) => name.endsWith(".chunk"))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, bytes: fs.statSync(file).size, busy: false }));
}

/** @type {typeof createBuffer} */
function openBuffer(folder, limits, tell) {
  const buffer = createBuffer(folder, limits, tell);
  opened.set(folder, buffer);
  return buffer;
}

/** The buffer of a folder, which input and output share: the output opens it. @param {string} folder */
function bufferAt(folder) {
  const buffer = opened.get(folder);
  if (buffer === undefined) throw new Error(`no output has opened the buffer in ${folder}`);
  return buffer;
}

module.exports = { bufferAt, openBuffer, openPositions };
