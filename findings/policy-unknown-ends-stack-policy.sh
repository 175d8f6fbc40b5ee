#!/usr/bin/env bash
# One value that is unknown in a preview ends a mandatory stack policy of Pulumi for all resources after it, and the preview succeeds.
#
# Package: @pulumi/policy 1.21.0 (npm), with @pulumi/pulumi 3.270.0
# Behavior: reading an unknown property throws, and the server makes an advisory "can't run policy" of it. A validateStack that loops over the resources
#   ends there: what it has reported stays, and the violations of later resources are missing, so that their number depends on the order of the
#   resources. With the unknown one first there is no mandatory violation: `pulumi preview` passes, and so does the preview of `pulumi up`, which
#   then deploys everything before the policy runs again. Its page says "every rule is run on every resource". A try around each resource, or a policy
#   with validateResource, reports them all.
# Output seen (2026-11-30): a, unknown, b: mandatory a, advisory can't run; unknown, a, b: advisory can't run
#   a try for each: mandatory a, mandatory b
# Source: https://github.com/pulumi/pulumi-policy/blob/v1.21.0/sdk/nodejs/policy/server.ts (makeAnalyzeStackRpcFun), against
#   https://github.com/pulumi/pulumi-policy/blob/v1.21.0/README.md ("During preview, every rule is run on every resource")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/policy@1.21.0 @pulumi/pulumi@3.270.0 google-protobuf@3.21.4
cat > run.cjs <<'JS'
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");
const { unknownValue } = require("@pulumi/pulumi/runtime/rpc");
const proto = require("@pulumi/pulumi/proto/analyzer_pb");
const { makeAnalyzeStackRpcFun } = require("@pulumi/policy/server");

// A log group, as the engine sends it in a preview. Only that named "unknown" has a retention which depends on another resource.
const logGroup = (name) =>
  new proto.AnalyzerResource()
    .setType("aws:cloudwatch/logGroup:LogGroup")
    .setName(name)
    .setUrn(`urn:pulumi:dev::finding::aws:cloudwatch/logGroup:LogGroup::${name}`)
    .setOptions(new proto.AnalyzerResourceOptions())
    .setProperties(Struct.fromJavaScript({ retentionInDays: name === "unknown" ? unknownValue : 0 }));

const check = ({ name, props }, report) => void (props.retentionInDays > 0 || report(name));
const plain = ({ resources }, report) => resources.forEach((resource) => check(resource, report));
function eachTried({ resources }, report) {
  for (const resource of resources) {
    try {
      check(resource, report);
    } catch {
      // Undecided, like the others that are not known yet.
    }
  }
}

// The violations of a mandatory policy that the engine gets for these log groups.
function violations(validateStack, ...names) {
  const policy = { name: "retention", description: "A log group has a retention", enforcementLevel: "mandatory", validateStack };
  const request = new proto.AnalyzeStackRequest().setResourcesList(names.map(logGroup));
  const describe = (diagnostic) => {
    const isMandatory = diagnostic.getEnforcementlevel() === proto.EnforcementLevel.MANDATORY;
    return `${isMandatory ? "mandatory" : "advisory"} ${diagnostic.getMessage().match(/can't run|\S+$/)[0]}`;
  };
  return new Promise((resolve, reject) =>
    makeAnalyzeStackRpcFun("pack", "1.0.0", "advisory", [policy])({ request }, (error, answer) =>
      error ? reject(error) : resolve(answer.getDiagnosticsList().map(describe).join(", ")),
    ),
  );
}

(async () => {
  const between = await violations(plain, "a", "unknown", "b");
  console.log(`a, unknown, b: ${between}; unknown, a, b: ${await violations(plain, "unknown", "a", "b")}`);
  console.log(`a try for each: ${await violations(eachTried, "unknown", "a", "b")}`);
})();
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
a, unknown, b: mandatory a, advisory can't run; unknown, a, b: advisory can't run
a try for each: mandatory a, mandatory b
SEEN
