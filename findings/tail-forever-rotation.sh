#!/usr/bin/env bash
# tail-forever, which reads files for Logagent, skips what was written to a file between its last poll and the file's rotation.
#
# Package: tail-forever 0.3.16 (npm), which @sematext/logagent 3.2.0 uses for its input `files`
# Behavior: it looks at a file once a second. If the name then belongs to another inode, it closes the old file, which it still has open,
#   without reading it to its end, and begins the new one. Lines of up to a second before each rotation by rename are missing, and no
#   event says so. `tail -F` prints them.
# Output seen (2026-11-28): tail-forever read 110 of 160 lines, tail -F 160
# Source: https://github.com/mingqi/tailF (tail-forever.coffee, _watchFileEvent)
set -euo pipefail

folder=$(mktemp -d)
trap 'kill "$tail" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact tail-forever@0.3.16
: > app.log
tail -n +1 -F app.log > by-tail.txt 2>/dev/null &
tail=$!
cat > run.cjs <<'JS'
const { appendFileSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Tail = require("tail-forever");

const lines = (text, count) => Array.from({ length: count }, (_, at) => `${text} ${at}\n`).join("");
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
(async () => {
  let read = 0;
  const tail = new Tail("app.log", { start: 0 });
  tail.on("line", () => (read += 1));
  appendFileSync("app.log", lines("early", 100));
  // It has looked by then, and read these.
  while (read < 100) await wait(0.1);
  appendFileSync("app.log", lines("late", 50));
  renameSync("app.log", "app.log.1");
  writeFileSync("app.log", lines("new", 10));
  await wait(6);
  tail.unwatch();
  const byTail = readFileSync("by-tail.txt", "utf8").split("\n").length - 1;
  console.log(`tail-forever read ${read} of 160 lines, tail -F ${byTail}`);
  if (read !== 110) console.log("changed: a rotated file is read to its end");
  process.exit(read === 110 && byTail === 160 ? 0 : 1);
})();
JS
node run.cjs
