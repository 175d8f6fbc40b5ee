// @ts-check
"use strict";
const { bufferAt } = require("./buffer.cjs");
const { followLog } = require("./files.cjs");
const { createJoiner, parseCri, parsePlain } = require("./lines.cjs");
const { fail, isKnown, tell } = require("./plugin.cjs");
const { idOf, recordOf } = require("./record.cjs");
const { applicationLogs, createPods, nodeLogs } = require("./sources.cjs");

const SCAN_INTERVAL_MS = 1000;
const IDLE_PAUSE_MS = 250;
/** How long it goes on reading when it is stopped: an application's last lines are deleted with its pod. */
const FINAL_READ_MS = 1000;
const OPTIONS = ["application", "continues", "debug", "configFile", "module", "node", "api", "record", "state"];

/**
 * @typedef {object} InputConfig
 * @property {string} state
 * @property {import("./sources.cjs").NodeOptions} [node]
 * @property {{ url: string, tokenFile: string, caFile: string }} [api] Goes with `node`.
 * @property {import("./sources.cjs").ApplicationOptions} [application]
 * @property {string} [continues] Matches a line that belongs to the line before.
 * @property {{ parseJson: boolean, safeNames: boolean, fieldsBytes?: number }} record
 */

/**
 * Logagent's input plugin: gives a record for each line of the node's containers, or of an application's files.
 * @see https://sematext.com/docs/logagent/plugins/
 * @param {InputConfig} config
 * @this {{ start: () => void, stop: (done: () => void) => void }}
 * @param {{ emit(event: string, record: object, context: object): void }} emitter
 */
function Input(config, emitter) {
  /** @type {Map<string, ReturnType<typeof followLog>>} */
  const logs = new Map();
  let stopped = false;

  function find() {
    const { node, api, application } = config;
    if (node !== undefined && api !== undefined) {
      const pods = createPods(api, tell);
      return () => nodeLogs(node, pods);
    }
    if (application !== undefined) return () => applicationLogs(application);
    throw new Error("neither node with api, nor application");
  }

  /** @param {import("./sources.cjs").Log} log */
  function follow({ name, source, app }) {
    const { positions } = bufferAt(config.state);
    const { namespace_name: namespace, pod_name: pod, container_name: container } = source.kubernetes;
    const joiner = createJoiner(
      config.node === undefined ? parsePlain : parseCri,
      config.continues === undefined ? undefined : new RegExp(config.continues),
      (piece, marks) => {
        const { file, start, stream, time, first } = piece;
        const { born = 0 } = positions.get(file) || {};
        // An application's line has no timestamp of its own.
        const id = idOf(
          stream === "" ? [born, file, start, first] : [stream, namespace, pod, container, time, first].map(String),
        );
        emitter.emit("data.object", recordOf(piece, source, config.record), {
          sourceName: name,
          id,
          app,
          namespace,
          marks,
        });
      },
    );
    return followLog(positions, joiner, tell);
  }

  /** @typedef {() => (import("./sources.cjs").Log | undefined)[]} Look */
  /** @param {Look} look */
  function scan(look) {
    const { positions } = bufferAt(config.state);
    const all = look();
    /** @type {Map<string, import("./sources.cjs").Log>} */
    const found = new Map();
    for (const log of all) if (log !== undefined) found.set(log.name, log);
    for (const [name, log] of found) {
      const followed = logs.get(name) || follow(log);
      logs.set(name, followed);
      followed.see(log.files);
    }
    for (const [name, log] of logs) {
      if (!found.has(name)) log.see([]);
      if (!log.isOver()) continue;
      log.end();
      logs.delete(name);
    }
    // While a pod is not known yet, its files are not gone.
    if (!all.includes(undefined)) positions.keep((key) => [...logs.values()].some((log) => log.isFollowing(key)));
  }

  /** @param {Look} look */
  async function run(look) {
    const buffer = bufferAt(config.state);
    let looked = 0;
    while (!stopped) {
      let count = 0;
      if (Date.now() - looked >= SCAN_INTERVAL_MS && !buffer.isFull()) {
        scan(look);
        looked = Date.now();
      }
      for (const log of logs.values()) {
        if (stopped || buffer.isFull()) break;
        const read = log.read();
        count += read;
        // Lets Logagent pass on what was emitted.
        if (read > 0) await new Promise(setImmediate);
      }
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, IDLE_PAUSE_MS));
    }
  }

  this.start = () => {
    try {
      isKnown(config, OPTIONS);
      const look = find();
      // Logagent registers its own listeners after its plugins.
      setImmediate(() => run(look).catch(fail));
    } catch (error) {
      fail(error);
    }
  };

  /** @param {() => void} done */
  this.stop = (done) => {
    stopped = true;
    const until = Date.now() + FINAL_READ_MS;
    for (const log of logs.values()) {
      while (Date.now() < until && !bufferAt(config.state).isFull() && log.read() > 0);
      log.flush();
      log.close();
    }
    done();
  };
}

module.exports = Input;
