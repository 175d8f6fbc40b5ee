#!/usr/bin/env bash
# Pulumi's Node.js SDK reads the setting 10Gi as the number 10, 1,000 as 1 and 0x10 as 0.
#
# Package: @pulumi/pulumi 3.276.0 (npm)
# Behavior: its reference says that getNumber and requireNumber throw "if the configuration value isn't a legal number". They use parseFloat, which takes
#   the digits in front and leaves out the rest, and so only a text without any is refused. A unit is dropped in silence: a timeout of 2h is 2, and so
#   is one of 2m. The options min and max judge what is left. The same SDK refuses `True` as a boolean. Number(config.require(name)) refuses all but
#   0x10, which it reads as 16.
# Output seen (2026-11-30): 10Gi => 10, 2h => 2, 1,000 => 1, 0x10 => 0, 2026-01-01 => 2026, 99.9% => 99.9 within min and max
#   ten => refused, boolean True => refused
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/config.ts (getNumberImpl, against the comment of getNumber)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/pulumi@3.276.0
cat > run.cjs <<'JS'
const pulumi = require("@pulumi/pulumi");

// What a method of Config makes of a setting with this text.
function read(text, method, ...options) {
  pulumi.runtime.setAllConfig({ "finding:setting": text });
  try {
    return new pulumi.Config("finding")[method]("setting", ...options);
  } catch (error) {
    if (!pulumi.RunError.isInstance(error)) throw error;
    return "refused";
  }
}

const numbers = ["10Gi", "2h", "1,000", "0x10", "2026-01-01"].map((text) => `${text} => ${read(text, "requireNumber")}`);
console.log(`${numbers.join(", ")}, 99.9% => ${read("99.9%", "requireNumber", { min: 0, max: 100 })} within min and max`);
console.log(`ten => ${read("ten", "requireNumber")}, boolean True => ${read("True", "requireBoolean")}`);
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
10Gi => 10, 2h => 2, 1,000 => 1, 0x10 => 0, 2026-01-01 => 2026, 99.9% => 99.9 within min and max
ten => refused, boolean True => refused
SEEN
