#!/usr/bin/env bash
# Importing Pulumi's policy SDK loads the npm client.
#
# Packages: @pulumi/policy 1.21.0, @pulumi/pulumi 3.270.0 (npm)
# Behavior: `require("@pulumi/policy")` loads all of @pulumi/pulumi, whose serializer of functions loads @npmcli/arborist, pacote and
#   their dependencies at the top of its file. No policy serializes a function. More than half of the modules that a policy pack loads
#   before its first policy are the npm client's, on every preview.
# Output seen (2026-11-28): 773 modules in all, 445 of them loaded for @npmcli/arborist
# Source: https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/nodejs/runtime/closure/codePaths.ts (imports)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/policy@1.21.0 @pulumi/pulumi@3.270.0
cat > count.cjs <<'JS'
const Module = require("node:module");
const load = Module._load;
let inside = 0, total = 0, ofClient = 0;
Module._load = function (name, ...rest) {
  const isClient = name === "@npmcli/arborist";
  const before = Object.keys(require.cache).length;
  if (isClient) inside += 1;
  try {
    return load.call(this, name, ...rest);
  } finally {
    if (isClient && --inside === 0) ofClient += Object.keys(require.cache).length - before;
  }
};
require("@pulumi/policy");
total = Object.keys(require.cache).length;
console.log(`${total} modules in all, ${ofClient} of them loaded for @npmcli/arborist`);
process.exit(ofClient * 2 > total ? 0 : 1);
JS
node count.cjs || { echo "changed: the npm client is not loaded, or little of it"; exit 1; }
