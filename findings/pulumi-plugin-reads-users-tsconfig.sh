#!/usr/bin/env bash
# A Pulumi plugin in plain JavaScript does not start if the user's folder has a tsconfig.json with an option newer than 2020.
#
# Package: @pulumi/pulumi 3.270.0 (npm), whose `cmd/run-plugin` starts a plugin of a folder on Node.js
# Behavior: It registers ts-node with its own TypeScript 3.8.3 for every plugin, also for one without TypeScript, and takes the
#   tsconfig.json of the working directory. `options: {typescript: false}` of PulumiPlugin.yaml does not reach it.
# Output seen (2026-11-28):
#   without a tsconfig.json: started
#   with target es2022: error TS6046: Argument for '--target' option must be: 'es3', 'es5', …, 'es2020', 'esnext'
# Source: https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/nodejs/cmd/run-plugin/run.ts
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @pulumi/pulumi@3.270.0
mkdir plugin empty modern
echo '{"name": "plain", "version": "1.0.0", "main": "index.js"}' > plugin/package.json
echo 'console.log("started");' > plugin/index.js
echo '{"compilerOptions": {"target": "es2022"}}' > modern/tsconfig.json

start() { (cd "$1" && node ../node_modules/@pulumi/pulumi/cmd/run-plugin "$folder/plugin" 127.0.0.1:9 2>&1) || true; }
plain=$(start empty)
failed=$(start modern)
echo "without a tsconfig.json: $plain"
echo "with target es2022: $(grep -o "error TS[0-9]*: [^.]*" <<<"$failed" | head -n 1)"
[[ $plain == started && $failed == *TS6046* && $failed != *started* ]]
