// @ts-check
"use strict";
const crypto = require("crypto");

/**
 * @typedef {object} IndexFormat
 * @property {string} prefix
 * @property {string} separator
 * @property {string} datePattern
 * @property {"none" | "team" | "namespace" | "app"} splitBy
 * @property {readonly (readonly [number, number])[]} offsets The zone's offsets from UTC in seconds, each from a moment on, in seconds since 1970.
 *
 * @typedef {{ team?: string | undefined, namespace?: string | undefined, app?: string | undefined }} IndexFields
 */

const NO_VALUE = "none";
/** Maximum depth of JSON: building and writing a record recurse, so a few thousand levels in any pod's line would end Logagent. */
const MOST_LEVELS = 500;
const PART = /yyyy|MM|dd|HH|xxxx|ww/g;
/** An escape in JSON; a surrogate pair counts as one. A lone surrogate is no character: Elasticsearch would reject the record. */
const ESCAPE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g;
const HALF = /^\\u[dD].{3}$/;

/**
 * Names the index of a line.
 * @param {IndexFormat} format
 * @returns {(time: string, fields: IndexFields) => string}
 */
function createNames({ prefix, separator, datePattern, splitBy, offsets }) {
  let latest = "";
  let date = "";
  return (time, fields) => {
    const second = time.slice(0, 19);
    if (second !== latest) {
      date = dateOf(datePattern, Date.parse(`${second}Z`) / 1000, offsets);
      latest = second;
    }
    if (splitBy === "none") return prefix + separator + date;
    return prefix + separator + safePart(fields[splitBy] || NO_VALUE) + separator + date;
  };
}

/** @param {string} pattern @param {number} seconds Since 1970. @param {IndexFormat["offsets"]} offsets */
function dateOf(pattern, seconds, offsets) {
  let offset = 0;
  for (const [from, value] of offsets) if (seconds >= from) offset = value;
  const at = new Date((seconds + offset) * 1000);
  const week = weekOf(at);
  /** @type {Record<string, string>} */
  const values = {
    yyyy: digits(at.getUTCFullYear(), 4),
    MM: digits(at.getUTCMonth() + 1, 2),
    dd: digits(at.getUTCDate(), 2),
    HH: digits(at.getUTCHours(), 2),
    xxxx: digits(week.year, 4),
    ww: digits(week.number, 2),
  };
  return pattern.replace(PART, (part) => values[part] || part);
}

/** The ISO week, which belongs to the year of its Thursday. @param {Date} at */
function weekOf(at) {
  const thursday = new Date(at);
  thursday.setUTCDate(at.getUTCDate() + 4 - (at.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  return { year, number: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 86400000 / 7) + 1 };
}

/** @param {number} value @param {number} length */
function digits(value, length) {
  return String(value).padStart(length, "0");
}

/** The rule of safeIndexPart in index-format.ts. @param {string} value */
function safePart(value) {
  const safe = value
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .slice(0, 63);
  return safe === "" ? NO_VALUE : safe;
}

/**
 * @typedef {object} Source Common values of a log's lines.
 * @property {Record<string, unknown>} kubernetes
 * @property {string | undefined} team
 */

/**
 * The record of a line, or of several that belong together, whose text is `log`.
 * @param {{ time: string, stream: string, log: string }} line
 * @param {Source} source
 * @param {{ parseJson: boolean, safeNames: boolean, fieldsBytes?: number }} options `fieldsBytes` is the longest line that gets fields. Default: any.
 * @returns {Record<string, unknown>}
 */
function recordOf({ time, stream, log }, { kubernetes, team }, { parseJson, safeNames, fieldsBytes }) {
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

/** A line's id, which is the same if it is read again. @param {readonly (string | number)[]} parts */
function idOf(parts) {
  return crypto.createHash("sha1").update(parts.join(" ")).digest("hex");
}

/** The fields of a line; undefined if it is not JSON, or nested too deep. @param {string} text */
function parsed(text) {
  try {
    const fields = JSON.parse(/\\u[dD][89a-fA-F]/.test(text) ? withoutHalves(text) : text);
    return isDeeper(fields, MOST_LEVELS) ? undefined : fields;
  } catch {
    return undefined;
  }
}

/** Replaces halves of surrogate pairs by the replacement character. @param {string} text */
function withoutHalves(text) {
  return text.replace(ESCAPE, (found) => (HALF.test(found) ? "\\ufffd" : found));
}

/** @param {unknown} value @param {number} levels @returns {boolean} */
function isDeeper(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** A search engine reads a dot in a name as a path. @param {unknown} value @returns {unknown} */
function withoutDots(value) {
  if (Array.isArray(value)) return value.map(withoutDots);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.replace(/\./g, "_"), withoutDots(inner)]));
}

module.exports = { createNames, idOf, recordOf, withoutDots };
