#!/usr/bin/env bash
# Pulumi's Node.js SDK formats a stack trace for every promise of every resource, through source-map-support.
#
# Package: @pulumi/pulumi 3.270.0 (npm), on Node.js 24.21.0 (npm package `node`)
# Behavior: `debuggablePromise` keeps `new Error().stack` of each promise, to name those that never settle, whether or not
#   PULUMI_DEBUG_PROMISE_LEAKS is set; each resource also reads its stack for its source position. The CLI's runner loads
#   `source-map-support/register`, which formats each frame of each of them by source maps. With 200 resources that is most of the
#   program's time after its imports. A program whose code needs no source maps can delete `Error.prepareStackTrace` first.
# Output seen (2026-11-28): 200 resources: 2813 stack traces, 1985 ms of CPU; formatted by Node itself 403 ms
# Source: https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/nodejs/runtime/debuggable.ts (debuggablePromise),
#   https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/nodejs/cmd/run/index.ts
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @pulumi/pulumi@3.270.0 node@24.21.0
cat > run.cjs <<'JS'
// As the CLI's runner begins.
require("source-map-support/register");
if (process.argv[2] === "native") delete Error.prepareStackTrace;
const format = Error.prepareStackTrace;
let formatted = 0;
if (format) Error.prepareStackTrace = (...args) => (formatted++, format(...args));
const pulumi = require("@pulumi/pulumi");
const RESOURCES = 200;
(async () => {
  await pulumi.runtime.setMocks({ newResource: ({ inputs, name }) => ({ id: name, state: inputs }), call: () => ({}) });
  const before = process.cpuUsage();
  await pulumi.runtime.runInPulumiStack(async () => {
    for (let i = 0; i < RESOURCES; i++) new pulumi.CustomResource("test:index:Thing", `r${i}`, { value: i });
  });
  await pulumi.runtime.disconnect();
  const { user, system } = process.cpuUsage(before);
  console.log(formatted, Math.round((user + system) / 1000));
})();
JS
read -r traces mapped < <(node_modules/.bin/node run.cjs)
read -r _ native < <(node_modules/.bin/node run.cjs native)
echo "200 resources: $traces stack traces, $mapped ms of CPU; formatted by Node itself $native ms"
[ "$traces" -ge 1000 ] || { echo "changed: fewer than five stack traces a resource"; exit 1; }
[ "$mapped" -gt $((native * 3 / 2)) ] || { echo "changed: source maps cost less than half of the time on top"; exit 1; }
