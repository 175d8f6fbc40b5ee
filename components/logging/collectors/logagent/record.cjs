// @ts-check
"use strict";
const crypto = require("crypto");

/**
 * @typedef {object} Source What is the same for all lines of a log.
 * @property {Record<string, unknown>} kubernetes
 * @property {string | undefined} team
 */

/**
 * The record of a line.
 * @param {import("./lines.cjs").Piece} piece
 * @param {Source} source
 * @param {{ parseJson: boolean, safeNames: boolean, fieldsBytes?: number }} options Longest line that has fields; none: any.
 * @returns {Record<string, unknown>}
 */
function recordOf({ time, stream, first, lines }, { kubernetes, team }, { parseJson, safeNames, fieldsBytes }) {
  const log = lines.length === 1 ? first : lines.join("\n");
  /** @type {Record<string, unknown>} */
  const record = { "@timestamp": time, log };
  if (stream !== "") record.stream = stream;
  record.kubernetes = kubernetes;
  if (team !== undefined) record.team = team;
  const short = fieldsBytes === undefined || Buffer.byteLength(log) <= fieldsBytes;
  const fields = parseJson && short && log.startsWith("{") ? parsed(log) : undefined;
  if (fields !== undefined) record.fields = safeNames ? withoutDots(fields) : fields;
  return record;
}

/** The same line has the same id when it is read again. @param {readonly (string | number)[]} parts */
function idOf(parts) {
  return crypto.createHash("sha1").update(parts.join(" ")).digest("hex");
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A search engine takes a dot in a name for a path. @param {unknown} value @returns {unknown} */
function withoutDots(value) {
  if (Array.isArray(value)) return value.map(withoutDots);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.replace(/\./g, "_"), withoutDots(inner)]));
}

module.exports = { idOf, recordOf, withoutDots };
