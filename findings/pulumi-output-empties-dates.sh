#!/usr/bin/env bash
# Pulumi's Node.js SDK makes an empty object of a Date, a Map, a URL or a BigInt, and says nothing.
#
# Package: @pulumi/pulumi 3.276.0 (npm)
# Behavior: output(), all() and the inputs of resources copy a value by its own keys, and these have none. So the answer of an
#   AWS or Kubernetes client arrives without its times once it is wrapped in pulumi.output(), jsonStringify writes {} where JSON.stringify writes a time,
#   and a URL as an argument reaches the provider as {}. TypeScript still offers its methods. Inside apply a value stays as it is; text, by toISOString()
#   or href, is safe everywhere.
# Output seen (2026-11-30):
#   JSON.stringify: {"createdAt":"2026-11-30T10:00:00.000Z","url":"https://logs.example.com/"}
#   jsonStringify: {"createdAt":{},"url":{}}
#   output: Date is {}, Map is {}, Set is {}, URL is {}; inside apply: Date stays
#   resource gets: {"big":{},"createdAt":{},"tags":{},"url":{}}
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/output.ts (output, and jsonStringify: "uses JSON.stringify"),
#   https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/runtime/rpc.ts (serializeProperty: "This matches JSON semantics")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/pulumi@3.276.0
cat > run.cjs <<'JS'
const pulumi = require("@pulumi/pulumi");

const valueOf = (output) => new Promise((resolve) => output.apply(resolve));
const createdAt = new Date("2026-11-30T10:00:00Z");
const url = new URL("https://logs.example.com/");
const tags = new Map([["team", "ts"]]);

(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      if (type === "test:index:Thing") console.log(`resource gets: ${JSON.stringify(Object.fromEntries(Object.entries(inputs).sort()))}`);
      return { id: name, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
  // As a client of AWS answers.
  const answer = Promise.resolve({ createdAt, url });
  console.log(`JSON.stringify: ${JSON.stringify(await answer)}`);
  console.log(`jsonStringify: ${await valueOf(pulumi.jsonStringify(answer))}`);
  const kept = [];
  for (const value of [createdAt, tags, new Set(["ts"]), url]) {
    const read = await valueOf(pulumi.output(value));
    kept.push(`${value.constructor.name} is ${read.constructor === Object ? JSON.stringify(read) : read.constructor.name}`);
  }
  const inside = await valueOf(pulumi.output("x").apply(() => createdAt));
  console.log(`output: ${kept.join(", ")}; inside apply: ${inside instanceof Date ? "Date stays" : "Date is {}"}`);
  await pulumi.runtime.runInPulumiStack(async () => {
    new pulumi.CustomResource("test:index:Thing", "thing", { createdAt, url, tags, big: 1n });
  });
  await pulumi.runtime.disconnect();
})();
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
JSON.stringify: {"createdAt":"2026-11-30T10:00:00.000Z","url":"https://logs.example.com/"}
jsonStringify: {"createdAt":{},"url":{}}
output: Date is {}, Map is {}, Set is {}, URL is {}; inside apply: Date stays
resource gets: {"big":{},"createdAt":{},"tags":{},"url":{}}
SEEN
