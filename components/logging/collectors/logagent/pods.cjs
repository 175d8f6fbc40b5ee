// @ts-check
"use strict";
const fs = require("fs");
const http = require("http");
const https = require("https");

const AT_ONCE = 8;
const LONGEST_WAIT_MS = 30000;

/** @typedef {{ labels: Record<string, string>, annotations: Record<string, string> }} PodFacts */

/**
 * Labels and annotations of pods, asked for once for each pod. Until the API server answers, a pod is not known, and its lines wait in
 * its file; one that it has forgotten has none.
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
      if (status !== 200 && status !== 404) throw new Error(`it answers ${status}`);
      const { labels = {}, annotations = {} } = status === 404 ? {} : JSON.parse(body).metadata;
      known.set(key, { labels, annotations });
      failures = 0;
    } catch (error) {
      failures += 1;
      again = Date.now() + Math.min(1000 * 2 ** failures, LONGEST_WAIT_MS);
      tell(`the API server does not tell of pod ${namespace}/${name}, whose lines wait: ${error}`);
    } finally {
      asked.delete(key);
    }
  }

  return {
    /** @param {string} key Its folder. @param {string} namespace @param {string} name @returns {PodFacts | undefined} */
    find(key, namespace, name) {
      const facts = known.get(key);
      if (facts === undefined && asked.size < AT_ONCE && !asked.has(key) && Date.now() >= again)
        ask(key, namespace, name);
      return facts;
    },
    /** @param {Set<string>} keys */
    keep(keys) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    },
  };
}

/** The files are read each time, since a token changes. @param {{ url: string, tokenFile: string, caFile: string }} api @param {string} path @returns {Promise<{ status: number, body: string }>} */
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
    request.on("timeout", () => request.destroy(new Error("no answer in 10 s")));
    request.on("error", reject);
  });
}

module.exports = { createPods };
