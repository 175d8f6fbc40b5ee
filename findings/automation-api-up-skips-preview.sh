#!/usr/bin/env bash
# Pulumi's Automation API runs every update without its preview.
#
# Package: @pulumi/pulumi 3.270.0 (npm), which pulumi/actions 7.0.0 builds on
# Behavior: `stack.up()` always passes `--skip-preview` to the CLI, and no option turns that off. The engine runs policies on the whole
#   stack once all resources are registered: in a preview before anything is deployed, without one afterwards. So a
#   mandatory stack policy stops a `pulumi up` in time, but not a `stack.up()` nor the action's `command: up`. A stand-in for the CLI
#   shows the arguments.
# Output seen (2026-11-28): up --yes --skip-preview … --policy-pack policies …
# Source: https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/nodejs/automation/stack.ts (up)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir bin
# Answers what the API asks before an update, and writes down its arguments.
cat > bin/pulumi <<'CLI'
#!/bin/sh
case $1 in
  version) echo v3.270.0 ;;
  stack) [ "$2" = history ] || [ "$2" = output ] && echo '{}' ;;
  up) echo "$@" > up.txt ;;
esac
exit 0
CLI
chmod +x bin/pulumi
printf 'name: finding\nruntime: yaml\n' > Pulumi.yaml
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @pulumi/pulumi@3.270.0
cat > run.mjs <<'JS'
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
const stack = await LocalWorkspace.createOrSelectStack({ stackName: "dev", workDir: process.cwd() });
// What comes after the update asks the real CLI for its history.
await stack.up({ policyPacks: ["policies"] }).catch(() => undefined);
JS
PATH=$folder/bin:$PATH node run.mjs

cat up.txt
grep -q -- '--policy-pack policies' up.txt || { echo "the pack is not passed on"; exit 1; }
grep -q -- '--skip-preview' up.txt || { echo "changed: the update has its preview"; exit 1; }
