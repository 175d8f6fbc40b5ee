#!/usr/bin/env bash
# In Pulumi's Node.js SDK, `{ ...first.metadata, name: "copy" }` is the metadata of first, with its name, and TypeScript sees no mistake.
#
# Package: @pulumi/pulumi 3.276.0 (npm)
# Behavior: a spread of an output copies the output's own members, among them the mark by which the SDK knows an output and the promise of its value. As an
#   input the new object is therefore taken for the old output: whatever was added, changed or merged after the spread is left out, without an
#   error. So labels: { ...namespace.metadata.labels, "pod-security.kubernetes.io/enforce": "restricted" } has no Pod Security, and tags are never
#   merged. For the types the spread has the properties of the value. apply((metadata) => ({ ...metadata, name: "copy" })) merges.
# Output seen (2026-11-30): spread: {"labels":{"team":"ts"},"name":"first"}; by apply: {"labels":{"enforce":"restricted","team":"ts"},"name":"copy"}
#   Object.assign: {"labels":{"team":"ts"},"name":"first"}
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/output.ts (OutputImpl: isInstance by __pulumiOutput), against
#   https://www.pulumi.com/docs/iac/concepts/inputs-outputs/apply/ (lifting)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/pulumi@3.276.0
cat > run.cjs <<'JS'
const pulumi = require("@pulumi/pulumi");

// As @pulumi/kubernetes has it: a class whose outputs are its inputs.
class Namespace extends pulumi.CustomResource {
  constructor(name, metadata) {
    super("kubernetes:core/v1:Namespace", name, { metadata });
  }
}

(async () => {
  const seen = {};
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      seen[name] = JSON.stringify(inputs.metadata);
      return { id: name, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
  await pulumi.runtime.runInPulumiStack(async () => {
    const { metadata } = new Namespace("first", { name: "first", labels: { team: "ts" } });
    new Namespace("spread", { ...metadata, name: "copy", labels: { ...metadata.labels, enforce: "restricted" } });
    new Namespace("assigned", Object.assign({}, metadata, { name: "copy" }));
    new Namespace(
      "applied",
      metadata.apply((known) => ({ ...known, name: "copy", labels: { ...known.labels, enforce: "restricted" } })),
    );
  });
  await pulumi.runtime.disconnect();
  console.log(`spread: ${seen.spread}; by apply: ${seen.applied}`);
  console.log(`Object.assign: ${seen.assigned}`);
})();
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
spread: {"labels":{"team":"ts"},"name":"first"}; by apply: {"labels":{"enforce":"restricted","team":"ts"},"name":"copy"}
Object.assign: {"labels":{"team":"ts"},"name":"first"}
SEEN
