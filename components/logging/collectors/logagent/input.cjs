// @ts-check
"use strict";
const { bufferAt } = require("./buffer.cjs");
const { followLog } = require("./files.cjs");
const { createJoiner, parseCri, parsePlain } = require("./lines.cjs");
const { fail, isKnown, tell } = require("./plugin.cjs");
const { createRedactor, createThinner } = require("./processing.cjs");
const { idOf, recordOf } = require("./record.cjs");
const { applicationLogs, createPods, nodeLogs } = require("./sources.cjs");

const SCAN_INTERVAL_MS = 1000;
/** Also the pause between scans while a pod is not known yet, since its files may soon be deleted. */
const IDLE_PAUSE_MS = 250;
/** How long it still reads after a stop: an application's last lines are deleted with its pod. */
const FINAL_READ_MS = 1000;
const OPTIONS = [
  "api",
  "application",
  "configFile",
  "continues",
  "debug",
  "module",
  "node",
  "processing",
  "record",
  "state",
];
/** Maximum counters, one per pod and second: a pod's containers may be read at different times. */
const MOST_COUNTED = 100000;

/**
 * @typedef {object} InputConfig
 * @property {string} state
 * @property {import("./sources.cjs").NodeOptions} [node]
 * @property {{ url: string, tokenFile: string, caFile: string }} [api] Goes with `node`.
 * @property {import("./sources.cjs").ApplicationOptions} [application]
 * @property {string} [continues] Matches a line that continues the previous line.
 * @property {{ parseJson: boolean, safeNames: boolean, fieldsBytes?: number }} record
 * @property {import("../../processing/processing.ts").ScriptRules} [processing]
 */

/**
 * Logagent's input plugin: emits a record for each line of the node's containers, or of an application's files.
 * @see https://sematext.com/docs/logagent/plugins/
 * @param {InputConfig} config
 * @this {{ start: () => void, stop: (done: () => void) => void }}
 * @param {{ emit(event: string, record: object, context: object): void }} emitter
 */
function Input(config, emitter) {
  /** @type {Map<string, ReturnType<typeof followLog>>} */
  const logs = new Map();
  const { redact = [], thin = [], limit = [], firstLines = [], fields = {} } = config.processing || {};
  const redacted = createRedactor(redact);
  const isThinned = createThinner(thin);
  const isBeyond = createLimiter(limit);
  let stopped = false;

  function find() {
    const { node, api, application } = config;
    if (node !== undefined && api !== undefined) {
      const pods = createPods(api, tell);
      return () => nodeLogs(node, pods);
    }
    if (application !== undefined) return () => applicationLogs(application);
    throw new Error("the options must have node and api, or application");
  }

  /** @param {import("./sources.cjs").Log} log */
  function follow({ name, source, app, labels }) {
    const { positions } = bufferAt(config.state);
    const { namespace_name: namespace, pod_name: pod, container_name: container } = source.kubernetes;
    const joiner = createJoiner(
      config.node === undefined ? parsePlain : parseCri,
      continuation(firstLines, String(namespace), config.continues),
      (piece, marks) => {
        const log = redacted(piece.lines.join("\n"));
        const { file, start, stream, time } = piece;
        // Masked text must not be part of an id.
        const first = redact.length === 0 ? piece.first : log;
        const record = recordOf({ time, stream, log }, source, config.record);
        const line = { log, namespace: String(namespace), stream, labels, fields: record.fields };
        if (
          isThinned({ ...line, thousandth: microseconds(time) }) ||
          isBeyond(`${namespace}/${pod}`, line.namespace, time)
        )
          return bufferAt(config.state).add("", marks);
        const { born = 0 } = positions.get(file) || {};
        // An application's line has no timestamp of its own, and CRI-O's lines of one write have the same.
        const place = stream === "" ? [born, file] : [stream, namespace, pod, container, time].map(String);
        const id = idOf([...place, start, first]);
        emitter.emit(
          "data.object",
          { ...record, ...fields },
          {
            sourceName: name,
            id,
            app,
            namespace,
            marks,
          },
        );
      },
    );
    return followLog(positions, joiner, tell);
  }

  /** @typedef {() => (import("./sources.cjs").Log | undefined)[]} Look */
  /** @param {Look} look @returns {boolean} Whether all pods are known. */
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
    const isComplete = !all.includes(undefined);
    // The files of a pod that is not known yet are not deleted.
    if (isComplete) positions.keep((key) => [...logs.values()].some((log) => log.isFollowing(key)));
    return isComplete;
  }

  /** @param {Look} look */
  async function run(look) {
    const buffer = bufferAt(config.state);
    let looked = 0;
    let interval = SCAN_INTERVAL_MS;
    while (!stopped) {
      let count = 0;
      if (Date.now() - looked >= interval && !buffer.isFull()) {
        interval = scan(look) ? SCAN_INTERVAL_MS : IDLE_PAUSE_MS;
        looked = Date.now();
      }
      for (const log of logs.values()) {
        if (stopped || buffer.isFull()) break;
        const read = log.read();
        count += read;
        // Lets Logagent process what was emitted.
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

/**
 * Detects lines that continue the previous line.
 * @param {NonNullable<import("../../processing/processing.ts").ScriptRules["firstLines"]>} firstLines
 * @param {string} namespace
 * @param {string} [continues] Used if the namespace has no rule for the first line.
 * @returns {{ test(line: string): boolean } | undefined}
 */
function continuation(firstLines, namespace, continues) {
  const own = firstLines.find(({ namespaces }) => namespaces === undefined || namespaces.includes(namespace));
  if (own === undefined) return continues === undefined ? undefined : new RegExp(continues);
  const first = new RegExp(own.pattern);
  return { test: (line) => !first.test(line) };
}

/** The microseconds within the millisecond of a time. @param {string} time */
function microseconds(time) {
  const [, digits = "0"] = /\.\d{3}(\d{3})/.exec(time) || [];
  return Number(digits);
}

/**
 * Counts lines by the second in which they were written, so that a backlog after a stop is no burst.
 * @param {NonNullable<import("../../processing/processing.ts").ScriptRules["limit"]>} limits
 * @returns {(pod: string, namespace: string, time: string) => boolean} Whether a line is one too many.
 */
function createLimiter(limits) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return (pod, namespace, time) =>
    limits.some(({ namespaces, linesPerSecond }, at) => {
      if (namespaces !== undefined && !namespaces.includes(namespace)) return false;
      const key = `${at} ${pod} ${time.slice(0, 19)}`;
      const count = counts.get(key) || 0;
      if (counts.size >= MOST_COUNTED) counts.clear();
      counts.set(key, count + 1);
      return count >= linesPerSecond;
    });
}

module.exports = Input;
