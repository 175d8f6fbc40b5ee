#!/usr/bin/env bash
# The URNs of Pulumi's mocks differ from the engine's: they have only the type of the nearest parent, and that of the stack.
#
# Package: @pulumi/pulumi 3.270.0 (npm)
# Behavior: the engine joins the types of all parents but the stack: `a:b:Outer$a:b:Inner$a:b:Leaf`, and `a:b:Outer` for what is
#   directly in the stack. MockMonitor writes `a:b:Inner$a:b:Leaf` and `pulumi:pulumi:Stack$a:b:Outer`: a test that compares URNs with a
#   state, a --target or a policy's exemption compares with what no deployment has.
# Output seen (2026-11-28): outer pulumi:pulumi:Stack$a:b:Outer; inner a:b:Outer$a:b:Inner; leaf a:b:Inner$a:b:Leaf
# Source: https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/nodejs/runtime/mocks.ts (newUrn), against
#   https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/go/common/resource/urn/urn.go (New) and
#   https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/pulumi@3.270.0
cat > run.cjs <<'JS'
const pulumi = require("@pulumi/pulumi");

(async () => {
  await pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs });
  const found = [];
  await pulumi.runtime.runInPulumiStack(async () => {
    const outer = new pulumi.ComponentResource("a:b:Outer", "outer");
    const inner = new pulumi.ComponentResource("a:b:Inner", "inner", {}, { parent: outer });
    const leaf = new pulumi.ComponentResource("a:b:Leaf", "leaf", {}, { parent: inner });
    for (const { urn } of [outer, inner, leaf])
      found.push(await new Promise((resolve) => urn.apply((text) => resolve(text.split("::").slice(2).reverse().join(" ")))));
  });
  const seen = found.join("; ");
  console.log(seen);
  process.exitCode = seen === "outer pulumi:pulumi:Stack$a:b:Outer; inner a:b:Outer$a:b:Inner; leaf a:b:Inner$a:b:Leaf" ? 0 : 1;
})();
JS
node run.cjs || { echo "changed: see the line above"; exit 1; }
