#!/usr/bin/env bash
# A validation policy gets secret inputs as plain values, decoded again for each policy; only a remediation sees which are secret.
#
# Package: @pulumi/policy 1.21.0 (npm), with @pulumi/pulumi 3.270.0
# Behavior: the server decodes the inputs of a resource anew for every validation that it calls, and unwraps secrets: a policy that
#   quotes the wrong value prints the secret, and nothing in its arguments marks it as one. `remediateResource` gets the
#   same input as an instance of Secret. With 60 policies that read nothing each resource is decoded 60 times.
# Output seen (2026-11-28): validation: {"password":"hunter2"}; remediation: Secret; 60 decodings for 60 policies
# Source: https://github.com/pulumi/pulumi-policy/blob/v1.21.0/sdk/nodejs/policy/server.ts (makeAnalyzeRpcFun, makeRemediateRpcFun)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/policy@1.21.0 @pulumi/pulumi@3.270.0 google-protobuf@3.21.4
cat > run.cjs <<'JS'
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");
const proto = require("@pulumi/pulumi/proto/analyzer_pb");
const server = require("@pulumi/policy/server");
const decoder = require("@pulumi/policy/deserialize");
const { Secret } = require("@pulumi/policy");

// As the engine sends a secret.
const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "hunter2" };
const request = new proto.AnalyzeRequest()
  .setType("test:index:Database")
  .setName("db")
  .setUrn("urn:pulumi:dev::test::test:index:Database::db")
  .setOptions(new proto.AnalyzerResourceOptions())
  .setProperties(Struct.fromJavaScript({ password: secret }));
const call = (make, policies) =>
  new Promise((resolve, reject) =>
    server[make]("pack", "1.0.0", "advisory", policies)({ request }, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
const about = { name: "p", description: "d" };
(async () => {
  let validation, remediation;
  await call("makeAnalyzeRpcFun", [{ ...about, validateResource: ({ props }) => void (validation = JSON.stringify(props)) }]);
  const isSecret = ({ props }) => {
    remediation = Object.getOwnPropertyDescriptor(props, "password").value instanceof Secret ? "Secret" : "no Secret";
  };
  await call("makeRemediateRpcFun", [{ ...about, enforcementLevel: "remediate", remediateResource: isSecret }]);
  let decodings = 0;
  const decode = decoder.deserializeProperties;
  decoder.deserializeProperties = (...args) => (decodings++, decode(...args));
  const idle = Array.from({ length: 60 }, (_, index) => ({ ...about, name: `p${index}`, validateResource: () => undefined }));
  await call("makeAnalyzeRpcFun", idle);
  const seen = `validation: ${validation}; remediation: ${remediation}; ${decodings} decodings for ${idle.length} policies`;
  console.log(seen);
  process.exit(seen === 'validation: {"password":"hunter2"}; remediation: Secret; 60 decodings for 60 policies' ? 0 : 1);
})();
JS
node run.cjs || { echo "changed: see the line above"; exit 1; }
