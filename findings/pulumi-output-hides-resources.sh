#!/usr/bin/env bash
# In Pulumi's Node.js SDK, a container's `resources` that are taken from another Deployment are left out, and TypeScript sees no mistake.
#
# Package: @pulumi/pulumi 3.276.0 (npm)
# Behavior: an output offers the properties of its value as outputs, and so deployment.spec.template.spec.containers[0].image is one. Where an output has
#   a member of its own by that name, there is no such property: resources, promise, isSecret, isKnown and allResources are internal ones that the types
#   do not show, so that `resources` has the type of the container's limits, but is a function. A function among the inputs of a resource is dropped
#   without a word: the copy runs without limits, and `isSecret` becomes whether the output is secret. apply((container) => container.resources) gets
#   the value.
# Output seen (2026-11-30): the copy gets {"image":"app:1"}; by apply {"image":"app:1","resources":{"limits":{"memory":"1Gi"}}}
#   a setting isSecret: true is read as false
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/output.ts (the internal members of OutputImpl), against
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
class Deployment extends pulumi.CustomResource {
  constructor(name, container) {
    super("kubernetes:apps/v1:Deployment", name, { spec: { template: { spec: { containers: [container] } } } });
  }
}

(async () => {
  const containers = {};
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      containers[name] = inputs.spec?.template.spec.containers[0];
      return { id: name, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
  let isSecret;
  await pulumi.runtime.runInPulumiStack(async () => {
    const first = new Deployment("first", { image: "app:1", resources: { limits: { memory: "1Gi" } } });
    const container = first.spec.template.spec.containers[0];
    new Deployment("copy", { image: container.image, resources: container.resources });
    new Deployment("applied", { image: container.image, resources: container.apply((known) => known.resources) });
    isSecret = pulumi.output({ isSecret: true }).isSecret;
  });
  await pulumi.runtime.disconnect();
  console.log(`the copy gets ${JSON.stringify(containers.copy)}; by apply ${JSON.stringify(containers.applied)}`);
  console.log(`a setting isSecret: true is read as ${await isSecret}`);
})();
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
the copy gets {"image":"app:1"}; by apply {"image":"app:1","resources":{"limits":{"memory":"1Gi"}}}
a setting isSecret: true is read as false
SEEN
