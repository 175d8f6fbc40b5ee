// @ts-check
"use strict";
const fs = require("fs");
const http = require("http");
const https = require("https");
const path = require("path");
const { withoutDots } = require("./record.cjs");

/** Fluent Bit's words for true. */
const OPTED_OUT = /^(?:true|on|yes)$/i;
const MAX_REQUESTS = 8;
const MAX_BACKOFF_MS = 30000;

/** @typedef {{ labels: Record<string, string>, annotations: Record<string, string> }} PodFacts */

/**
 * Labels and annotations of pods, requested once per pod. Until the API server answers, a pod is unknown, and its lines wait in its
 * files; a deleted pod has none.
 * @param {{ url: string, tokenFile: string, caFile: string }} api
 * @param {(message: string) => void} tell
 */
function createPods(api, tell) {
  /** @type {Map<string, PodFacts>} */
  const known = new Map();
  /** @type {Set<string>} */
  const asked = new Set();
  let again = 0;
  let failures = 0;

  /** @param {string} key @param {string} namespace @param {string} name */
  async function ask(key, namespace, name) {
    asked.add(key);
    try {
      const { status, body } = await get(api, `/api/v1/namespaces/${namespace}/pods/${name}`);
      if (status !== 200 && status !== 404) throw new Error(`it answered ${status}`);
      const { labels = {}, annotations = {} } = status === 404 ? {} : JSON.parse(body).metadata;
      known.set(key, { labels, annotations });
      failures = 0;
    } catch (error) {
      failures += 1;
      again = Date.now() + Math.min(1000 * 2 ** failures, MAX_BACKOFF_MS);
      tell(`the API server did not return pod ${namespace}/${name}, whose lines wait: ${error}`);
    } finally {
      asked.delete(key);
    }
  }

  return {
    /** @param {string} key Its folder. @param {string} namespace @param {string} name @returns {PodFacts | undefined} */
    find(key, namespace, name) {
      const facts = known.get(key);
      if (facts === undefined && asked.size < MAX_REQUESTS && !asked.has(key) && Date.now() >= again)
        ask(key, namespace, name);
      return facts;
    },
    /** @param {Set<string>} keys */
    keep(keys) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    },
  };
}

/** Token and CA are read for each request, since the token is renewed. @param {{ url: string, tokenFile: string, caFile: string }} api @param {string} path @returns {Promise<{ status: number, body: string }>} */
function get({ url, tokenFile, caFile }, path) {
  return new Promise((resolve, reject) => {
    const secure = url.startsWith("https:");
    const options = {
      headers: { authorization: `Bearer ${fs.readFileSync(tokenFile, "utf8").trim()}`, accept: "application/json" },
      timeout: 10000,
      ...(secure ? { ca: fs.readFileSync(caFile) } : {}),
    };
    const request = (secure ? https : http).get(url + path, options, (response) => {
      /** @type {Buffer[]} */
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode || 0, body: Buffer.concat(parts).toString() }));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no response within 10 s")));
    request.on("error", reject);
  });
}

/**
 * @typedef {object} Log What one container, or one application, writes.
 * @property {string} name Path of its current file.
 * @property {import("./record.cjs").Source} source
 * @property {string | undefined} app Value for an index that is split by app.
 * @property {Record<string, string>} labels Labels of its pod.
 * @property {{ key: string, path: string, size: number, rotated: boolean }[]} files Oldest first.
 *
 * @typedef {object} NodeOptions
 * @property {string} folder
 * @property {readonly string[]} include Namespaces; none for all.
 * @property {readonly string[]} exclude
 * @property {Record<string, string>} labels
 * @property {string} optOut
 * @property {{ labels: boolean, annotations: boolean }} keep
 * @property {readonly (readonly [string, string])[]} [teams] Teams of namespaces that are not named TEAM-team: namespace and team.
 *
 * @typedef {{ folder: string, kubernetes: Record<string, unknown>, team?: string, app?: string }} ApplicationOptions
 */

/** A rotated file that is not compressed yet has the time of rotation after its name. */
const LOG_FILE = /^(.+\.log)(\.\d{8}-\d{6})?$/;

/**
 * The logs of the node's containers, except of excluded pods; undefined for a pod that the API server has not returned yet.
 * @param {NodeOptions} options
 * @param {ReturnType<typeof createPods>} pods
 * @returns {(Log | undefined)[]}
 */
function nodeLogs({ folder, include, exclude, labels, optOut, keep, teams }, pods) {
  const folders = namesIn(folder).filter((name) => {
    const namespace = name.split("_")[0] || "";
    return !exclude.includes(namespace) && (include.length === 0 || include.includes(namespace));
  });
  pods.keep(new Set(folders));
  return folders.flatMap((name) => {
    const [namespace = "", pod = ""] = name.split("_");
    const facts = pods.find(name, namespace, pod);
    if (facts === undefined) return [undefined];
    if (OPTED_OUT.test(facts.annotations[optOut] || "")) return [];
    if (Object.entries(labels).some(([key, value]) => facts.labels[key] !== value)) return [];
    const kubernetes = {
      namespace_name: namespace,
      pod_name: pod,
      host: process.env.NODE_NAME,
      ...(keep.labels ? { labels: withoutDots(facts.labels) } : {}),
      ...(keep.annotations ? { annotations: withoutDots(facts.annotations) } : {}),
    };
    const team = teamOf(namespace, teams);
    return namesIn(path.join(folder, name)).flatMap((container) =>
      logsIn(path.join(folder, name, container)).map(([file, files]) => ({
        name: file,
        source: { kubernetes: { ...kubernetes, container_name: container }, team },
        app: facts.labels["app.kubernetes.io/name"] || facts.labels.app,
        labels: facts.labels,
        files,
      })),
    );
  });
}

/** @param {string} namespace @param {NodeOptions["teams"]} teams @returns {string | undefined} */
function teamOf(namespace, teams = []) {
  const [, named] = teams.find(([name]) => name === namespace) || [];
  if (named !== undefined) return named;
  const [, team] = /^(.+)-team$/.exec(namespace) || [];
  return team;
}

/** @param {ApplicationOptions} options @returns {Log[]} */
function applicationLogs({ folder, kubernetes, team, app }) {
  return logsIn(folder).map(([name, files]) => ({
    name,
    source: { kubernetes: { ...kubernetes, host: process.env.NODE_NAME }, team },
    app,
    labels: {},
    files,
  }));
}

/** The logs of a folder, by their current file. @param {string} folder @returns {[string, Log["files"]][]} */
function logsIn(folder) {
  /** @type {Map<string, Log["files"]>} */
  const found = new Map();
  for (const name of namesIn(folder)) {
    const [, base = "", rotated] = LOG_FILE.exec(name) || [];
    const file = path.join(folder, name);
    const stat = base === "" ? undefined : statOf(file);
    if (stat === undefined || !stat.isFile()) continue;
    const log = path.join(folder, base);
    const files = found.get(log) || [];
    files.push({ key: `${stat.dev}:${stat.ino}`, path: file, size: stat.size, rotated: rotated !== undefined });
    found.set(log, files);
  }
  for (const files of found.values())
    files.sort((one, other) => Number(other.rotated) - Number(one.rotated) || (one.path < other.path ? -1 : 1));
  return [...found];
}

/** Names in a folder; none if it was deleted meanwhile. @param {string} folder */
function namesIn(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** @param {string} file */
function statOf(file) {
  try {
    return fs.statSync(file);
  } catch {
    return undefined;
  }
}

module.exports = { applicationLogs, createPods, nodeLogs };
