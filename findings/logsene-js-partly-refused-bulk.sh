#!/usr/bin/env bash
# logsene-js, the Elasticsearch output of Logagent, drops documents that the response to a bulk request rejects.
#
# Package: logsene-js 1.1.77 (npm), which @sematext/logagent 3.2.0 uses for its output `elasticsearch`
# Behavior: Elasticsearch answers a bulk request with 200 and a status for each document. With 429 for one of two documents, which means
#   "again later", logsene-js emits `x-logsene-error` for that document, counts both as sent (`log`, count 2), neither sends it again nor
#   writes it to its disk buffer.
# Output seen (2026-11-28): log events [2], errors ["HTTP status code:429 …"], requests afterwards 0
# Source: https://github.com/sematext/logsene-js/blob/master/index.js (httpResult)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact logsene-js@1.1.77
mkdir buffer
cat > run.cjs <<'JS'
const { createServer } = require("node:http");
const Logsene = require("logsene-js");

const STORED = { index: { status: 201 } };
const REFUSED = { index: { status: 429, error: { type: "rejected_execution_exception", reason: "queue full" } } };

(async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      requests += 1;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ took: 1, errors: requests === 1, items: [STORED, requests === 1 ? REFUSED : STORED] }));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/_bulk`;
  const logger = new Logsene("logs", "logs", url, "./buffer", { silent: true });
  const sent = [];
  const errors = [];
  logger.on("log", ({ count }) => sent.push(count));
  logger.on("x-logsene-error", ({ err }) => errors.push(err.message));
  logger.on("error", () => {});
  logger.log("info", "first", {});
  logger.log("info", "second", {});
  logger.send();
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  console.log(`log events ${JSON.stringify(sent)}, errors ${JSON.stringify(errors)}, requests afterwards ${requests - 1}`);
  const isLost = sent.join() === "2" && errors.length === 1 && requests === 1;
  if (!isLost) console.log("changed: a refused document is sent again, or not counted as sent");
  process.exit(isLost ? 0 : 1);
})();
JS
# How often it looks for requests to send again, in ms.
LOGSENE_DISK_BUFFER_INTERVAL=1000 node run.cjs
