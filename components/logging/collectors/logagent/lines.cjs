// @ts-check
"use strict";

/** Longest line that is joined from parts, and longest trace, in characters. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;
const MAX_TRACE_LINES = 1000;
/** How long a line waits for a continuation. */
const MULTILINE_FLUSH_MS = 1000;
const CRI = /^(\S+) (stdout|stderr) ([PF])\S* ?/;

/**
 * @typedef {object} Piece A line, or several that belong together.
 * @property {string} time
 * @property {string} stream Empty if the source has none.
 * @property {string} first Its first line.
 * @property {string[]} lines
 * @property {number} size In characters.
 * @property {string} file Device and inode of the file that it begins in.
 * @property {number} start Where it begins there, in bytes.
 * @property {boolean} isBytes Whether each character of its lines is a byte: a runtime may split a line within a character.
 * @property {number} seen When it was last added to, in milliseconds.
 *
 * @typedef {readonly [string, number]} Mark A file and its offset up to which all lines are in records that were passed on.
 * @typedef {{ time: string, stream: string, log: string, partial: boolean }} Parsed
 */

/**
 * Joins the parts of long lines and the lines of stack traces, for each stream of a container. Marks never pass a line that is held
 * back, so that it is read again after a stop.
 * @param {(line: string) => Parsed} parse
 * @param {{ test(line: string): boolean } | undefined} continues Matches a line that continues the previous line; undefined if no traces are joined.
 * @param {(piece: Piece, marks: Mark[]) => void} give
 */
function createJoiner(parse, continues, give) {
  /** @type {Map<string, { part?: Piece | undefined, held?: Piece | undefined }>} */
  const streams = new Map();
  /** @type {Map<string, number>} */
  const ends = new Map();
  let current = "";

  /** @returns {Mark[]} */
  function marks() {
    const lowest = new Map(ends);
    for (const { part, held } of streams.values())
      for (const piece of [part, held]) {
        if (piece === undefined) continue;
        const known = lowest.get(piece.file);
        if (known === undefined || known > piece.start) lowest.set(piece.file, piece.start);
      }
    for (const file of [...ends.keys()]) if (file !== current && lowest.get(file) === ends.get(file)) ends.delete(file);
    return [...lowest];
  }

  /** @param {Piece} piece @param {{ held?: Piece | undefined }} state */
  function complete(piece, state) {
    piece.first = piece.lines.length === 1 ? piece.lines[0] || "" : piece.lines.join("");
    if (piece.isBytes) piece.first = Buffer.from(piece.first, "latin1").toString();
    piece.lines = [piece.first];
    piece.seen = Date.now();
    if (continues === undefined) return give(piece, marks());
    const { held } = state;
    const room = held !== undefined && held.lines.length < MAX_TRACE_LINES && held.size < MAX_LINE_LENGTH;
    if (held !== undefined && room && continues.test(piece.first)) {
      held.lines.push(piece.first);
      held.size += piece.size;
      held.seen = piece.seen;
      return;
    }
    state.held = piece;
    if (held !== undefined) give(held, marks());
  }

  return {
    /** @param {Buffer} bytes @param {string} file @param {number} start @param {number} end */
    add(bytes, file, start, end) {
      ends.set(file, end);
      current = file;
      const { time, stream, log, partial } = parse(bytes.toString());
      const state = streams.get(stream) || {};
      streams.set(stream, state);
      const isBytes = partial || state.part !== undefined;
      const piece = state.part || { time, stream, first: "", lines: [], size: 0, file, start, isBytes, seen: 0 };
      piece.lines.push(isBytes ? parse(bytes.toString("latin1")).log : log);
      piece.size += log.length;
      state.part = partial && piece.size < MAX_LINE_LENGTH ? piece : undefined;
      if (state.part === undefined) complete(piece, state);
    },
    /** Passes on lines that have waited long enough for a continuation, or all lines. @param {boolean} [all] */
    flush(all) {
      for (const state of streams.values()) {
        const { held } = state;
        if (held === undefined || !(all || Date.now() - held.seen >= MULTILINE_FLUSH_MS)) continue;
        state.held = undefined;
        give(held, marks());
      }
    },
    /** Passes on the parts of a line whose end will not come. */
    end() {
      for (const state of streams.values()) {
        const { part } = state;
        state.part = undefined;
        if (part !== undefined) complete(part, state);
      }
      this.flush(true);
    },
  };
}

/** A line as the container runtime writes it. @param {string} text @returns {Parsed} */
function parseCri(text) {
  const found = CRI.exec(text);
  if (found === null) return { time: now(), stream: "stdout", log: text, partial: false };
  const [all, time = "", stream = "", tag] = found;
  const partial = tag === "P";
  const log = text.slice(all.length);
  return { time: utc(time), stream, log: partial ? log : withoutReturn(log), partial };
}

/** A line of an application, with the time of reading. @param {string} text @returns {Parsed} */
function parsePlain(text) {
  return { time: now(), stream: "", log: withoutReturn(text), partial: false };
}

/** Some programs also end a line with a carriage return. @param {string} text */
function withoutReturn(text) {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

/** The same time in UTC, with all its digits; the current one for what is no time, such as a leap second. @param {string} time */
function utc(time) {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return now();
  if (time.endsWith("Z")) return time;
  const [, fraction = ""] = /(\.\d+)/.exec(time) || [];
  return `${new Date(at).toISOString().slice(0, 19)}${fraction}Z`;
}

let latest = 0;
let count = 0;

/** The current time. Its last six digits count, so that lines of the same millisecond keep their order. */
function now() {
  const time = Date.now();
  count = time === latest ? count + 1 : 0;
  latest = time;
  return `${new Date(time).toISOString().slice(0, -1)}${String(count % 1000000).padStart(6, "0")}Z`;
}

module.exports = { createJoiner, parseCri, parsePlain };
