// @ts-check
"use strict";
const fs = require("fs");
const { openBuffer } = require("./buffer.cjs");
const { fail, isKnown, tell } = require("./plugin.cjs");
const { createNames } = require("./record.cjs");
const { createSender } = require("./send.cjs");

const FLUSH_INTERVAL_MS = 500;
const MAX_BACKOFF_MS = 30000;
/** How long it still sends after a stop; the rest stays on disk. */
const SHUTDOWN_TIMEOUT_MS = 4000;
const OPTIONS = [
  "buffer",
  "bulk",
  "configFile",
  "configName",
  "debug",
  "file",
  "http",
  "index",
  "module",
  "state",
  "stdout",
];

/**
 * @typedef {object} Extra
 * @property {string} state
 * @property {{ bytes: number, whenFull: "block" | "drop-oldest" }} buffer
 * @property {import("./record.cjs").IndexFormat} index
 *
 * @typedef {Extra & import("./send.cjs").Destination} OutputConfig
 *
 * @typedef {object} Context What the input passes along with a record.
 * @property {string} id
 * @property {string} [app]
 * @property {string} [namespace]
 * @property {[string, number][]} marks
 */

/**
 * Logagent's output plugin: writes records to the buffer on disk and sends from there until they are accepted.
 * @see https://sematext.com/docs/logagent/plugins/
 * @param {OutputConfig} config
 * @this {{ start: () => void, stop: () => void }}
 * @param {{ on(event: string, listener: (record: Record<string, string>, context: Context) => void): void }} emitter
 */
function Output(config, emitter) {
  let stopped = false;

  /** @param {ReturnType<typeof openBuffer>} buffer @param {import("./send.cjs").Send} send */
  async function work(buffer, send) {
    let failures = 0;
    while (!stopped) {
      const chunk = buffer.take();
      if (chunk === undefined) {
        await buffer.wait(FLUSH_INTERVAL_MS);
        continue;
      }
      let lines = fs.readFileSync(chunk.file, "utf8").split("\n").slice(0, -1);
      while (lines.length > 0 && !stopped) {
        try {
          const { again, refused, reason } = await send(lines);
          if (refused > 0) tell(`the destination rejected ${refused} records permanently: ${reason}`);
          failures = again.length === lines.length ? failures + 1 : Math.min(again.length, 1);
          lines = again;
        } catch (error) {
          failures += 1;
          tell(`the destination does not accept records, which wait: ${error}`);
        }
        if (failures > 0 && !stopped) await pause(Math.min(500 * 2 ** failures, MAX_BACKOFF_MS));
      }
      if (lines.length === 0) buffer.done(chunk);
    }
  }

  this.start = () => {
    try {
      isKnown(config, OPTIONS);
      const { state, buffer: limits, index, bulk, http } = config;
      const buffer = openBuffer(state, limits, tell);
      const send = createSender(config);
      const nameOf = createNames(index);
      emitter.on("data.parsed", (record, { id, app, namespace, marks }) => {
        const { "@timestamp": time = "", team } = record;
        const action = { index: { _index: nameOf(time, { team, namespace, app }), _id: id } };
        buffer.add(`${JSON.stringify(action)}\n${JSON.stringify(record)}\n`, marks);
      });
      setInterval(() => buffer.flush(), FLUSH_INTERVAL_MS);
      // Two writers to a file or stdout would mix their lines; requests are independent.
      for (let worker = 0; worker < (bulk || http ? 2 : 1); worker += 1) work(buffer, send).catch(fail);
      this.stop = () => end(buffer);
    } catch (error) {
      fail(error);
    }
  };

  /** @param {ReturnType<typeof openBuffer>} buffer */
  async function end(buffer) {
    // The last records of the input arrive one turn later.
    await new Promise(setImmediate);
    buffer.flush();
    const until = Date.now() + SHUTDOWN_TIMEOUT_MS;
    while (!buffer.isEmpty() && Date.now() < until) await pause(20);
    stopped = true;
    // Logagent would wait five more seconds.
    process.exit(0);
  }

  this.stop = () => {};
}

/** @param {number} milliseconds @returns {Promise<void>} */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

module.exports = Output;
