// @ts-check
"use strict";
const fs = require("fs");
const http = require("http");
const https = require("https");
const path = require("path");

/**
 * @typedef {object} HttpOptions
 * @property {string} url
 * @property {boolean} [credentials] Whether user and password are in LOG_USER and LOG_PASSWORD.
 * @property {boolean} [verify]
 * @property {string} [caFile]
 *
 * @typedef {{ bulk?: HttpOptions, http?: HttpOptions, file?: { path: string }, stdout?: object }} Destination
 *
 * @typedef {object} Outcome
 * @property {string[]} again Lines to send again.
 * @property {number} refused Number of permanently rejected records.
 * @property {string} [reason]
 *
 * @typedef {(lines: string[]) => Promise<Outcome>} Send Takes alternating actions and records; rejects if all must be sent again.
 */

const TIMEOUT_MS = 60000;
/** Status codes that concern the credentials, the URL or the moment, not the records. */
const RETRYABLE_STATUS = [401, 403, 404, 405, 407, 408, 421, 425, 429];
const DONE = { again: [], refused: 0 };

/** @param {Destination} destination @returns {Send} */
function createSender({ bulk, http: plain, file, stdout }) {
  if (bulk !== undefined) return inHalves(post(bulk, "application/x-ndjson"), (lines) => lines, bulkOutcome);
  if (plain !== undefined) return inHalves(post(plain, "application/x-ndjson"), records, () => DONE);
  if (file !== undefined) return (lines) => append(file.path, records(lines).join("\n"));
  if (stdout !== undefined) return (lines) => print(records(lines).join("\n"));
  throw new Error("no destination");
}

/** @param {string[]} lines */
function records(lines) {
  return lines.filter((_, at) => at % 2 === 1);
}

/**
 * Sends a request. If it is rejected, sends its lines again in halves, until the rejected record is alone.
 * @param {(body: string) => Promise<{ status: number, body: string }>} request
 * @param {(lines: string[]) => string[]} bodyOf
 * @param {(lines: string[], answer: string) => Outcome} outcome
 * @returns {Send}
 */
function inHalves(request, bodyOf, outcome) {
  /** @type {Send} */
  const send = async (lines) => {
    const { status, body } = await request(`${bodyOf(lines).join("\n")}\n`);
    if (status >= 200 && status < 300) return outcome(lines, body);
    const reason = `${status} ${body.slice(0, 300)}`;
    if (status >= 500 || status < 400 || RETRYABLE_STATUS.includes(status)) throw new Error(`it answered ${reason}`);
    if (lines.length <= 2) return { again: [], refused: 1, reason };
    const half = 2 * Math.ceil(lines.length / 4);
    const one = await send(lines.slice(0, half));
    return both(one, await send(lines.slice(half)).catch(() => ({ ...DONE, again: lines.slice(half) })));
  };
  return send;
}

/** @param {Outcome} one @param {Outcome} other @returns {Outcome} */
function both(one, other) {
  return {
    again: [...one.again, ...other.again],
    refused: one.refused + other.refused,
    ...(one.reason || other.reason ? { reason: one.reason || other.reason } : {}),
  };
}

/** What became of each document. @param {string[]} lines @param {string} answer @returns {Outcome} */
function bulkOutcome(lines, answer) {
  const { errors, items } = JSON.parse(answer);
  if (!errors) return DONE;
  /** @type {Outcome} */
  const found = { again: [], refused: 0 };
  for (const [at, item] of items.entries()) {
    const { status, error } = item.index || item.create;
    if (status < 400 || status === 409) continue;
    if (status === 429 || status >= 500) found.again.push(lines[2 * at] || "", lines[2 * at + 1] || "");
    else {
      found.refused += 1;
      found.reason = `${status} ${JSON.stringify(error || {}).slice(0, 300)}`;
    }
  }
  return found;
}

/** @param {HttpOptions} options @param {string} type @returns {(body: string) => Promise<{ status: number, body: string }>} */
function post({ url, credentials, verify, caFile }, type) {
  const secure = url.startsWith("https:");
  const shared = { keepAlive: true, maxSockets: 4 };
  const agent = secure
    ? new https.Agent({
        ...shared,
        rejectUnauthorized: verify !== false,
        ...(caFile === undefined ? {} : { ca: fs.readFileSync(caFile) }),
      })
    : new http.Agent(shared);
  const options = {
    method: "POST",
    agent,
    timeout: TIMEOUT_MS,
    headers: { "content-type": type },
    ...(credentials ? { auth: `${process.env.LOG_USER}:${process.env.LOG_PASSWORD}` } : {}),
  };
  return (body) =>
    new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, options, (response) => {
        /** @type {Buffer[]} */
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => resolve({ status: response.statusCode || 0, body: Buffer.concat(parts).toString() }));
        response.on("aborted", () => reject(new Error("the response ended early")));
      });
      request.setHeader("content-length", Buffer.byteLength(body));
      request.on("timeout", () => request.destroy(new Error(`no response within ${TIMEOUT_MS / 1000} s`)));
      request.on("error", reject);
      request.end(body);
    });
}

/** Appends lines to a file, all or none. @param {string} folder @param {string} text @returns {Promise<Outcome>} */
async function append(folder, text) {
  fs.mkdirSync(folder, { recursive: true });
  const fd = fs.openSync(path.join(folder, "pods.log"), "a");
  try {
    const { size } = fs.fstatSync(fd);
    try {
      fs.writeFileSync(fd, `${text}\n`);
    } catch (error) {
      fs.ftruncateSync(fd, size);
      throw error;
    }
  } finally {
    fs.closeSync(fd);
  }
  return DONE;
}

/** @param {string} text @returns {Promise<Outcome>} */
function print(text) {
  return new Promise((resolve, reject) =>
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve(DONE))),
  );
}

module.exports = { createSender };
