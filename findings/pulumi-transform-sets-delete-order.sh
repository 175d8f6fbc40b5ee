#!/usr/bin/env bash
# A transform of Pulumi's Node.js SDK that returns the options it got makes every replacement create before it deletes, and shows hidden diffs.
#
# Package: @pulumi/pulumi 3.276.0 (npm)
# Behavior: the engine tells a transform that deleteBeforeReplace is not set, and what hideDiffs is. The SDK hands out false for the former, and
#   returns it as set; it neither hands out nor returns the latter. An unset deleteBeforeReplace leaves the choice to the provider, which
#   deletes first what has a fixed name; a set one overrides it. So with one transform for tags or ignoreChanges, as in Pulumi's examples, the
#   replacement of a log group with a name begins with a create that fails, since it exists, and no preview tells. A transform that
#   returns undefined leaves all as it was; `deleteBeforeReplace: args.opts.deleteBeforeReplace || undefined` mends the first.
# Output seen (2026-11-30): returns nothing: unset, hides spec; returns its options: false, hides nothing; adds ignoreChanges: false, hides nothing;
#   with || undefined: unset, hides nothing
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/runtime/callbacks.ts (registerTransform), against
#   https://github.com/pulumi/pulumi/blob/v3.276.0/pkg/resource/deploy/step_generator.go ("The user can override the provider's decision") and
#   https://www.pulumi.com/docs/iac/concepts/options/transforms/
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/pulumi@3.276.0
cat > run.cjs <<'JS'
const { mergeOptions } = require("@pulumi/pulumi");
const { CallbackServer } = require("@pulumi/pulumi/runtime/callbacks.js");
const { CallbackInvokeRequest } = require("@pulumi/pulumi/proto/callback_pb.js");
const { CallbacksClient } = require("@pulumi/pulumi/proto/callback_grpc_pb.js");
const { TransformRequest, TransformResourceOptions, TransformResponse } = require("@pulumi/pulumi/proto/resource_pb.js");
const { credentials } = require("@grpc/grpc-js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");

const transforms = {
  "returns nothing": () => undefined,
  "returns its options": ({ props, opts }) => ({ props, opts }),
  "adds ignoreChanges": ({ props, opts }) => ({ props, opts: mergeOptions(opts, { ignoreChanges: ["tags"] }) }),
  "with || undefined": ({ props, opts }) => ({ props, opts: { ...opts, deleteBeforeReplace: opts.deleteBeforeReplace || undefined } }),
};

// What the engine asks for a resource that sets hideDiffs, but not deleteBeforeReplace.
const options = new TransformResourceOptions();
options.setHideDiffList(["spec"]);
const request = new TransformRequest();
request.setType("kubernetes:core/v1:Service");
request.setName("dns");
request.setCustom(true);
request.setProperties(Struct.fromJavaScript({}));
request.setOptions(options);

(async () => {
  const server = new CallbackServer({});
  const seen = [];
  for (const [name, transform] of Object.entries(transforms)) {
    const callback = await server.registerTransform(transform);
    const client = new CallbacksClient(callback.getTarget(), credentials.createInsecure());
    const call = new CallbackInvokeRequest();
    call.setToken(callback.getToken());
    call.setRequest(request.serializeBinary());
    const answer = await new Promise((resolve, reject) =>
      client.invoke(call, (error, response) => (error ? reject(error) : resolve(response.getResponse_asU8()))),
    );
    client.close();
    const answered = TransformResponse.deserializeBinary(answer).getOptions();
    const order = answered.hasDeleteBeforeReplace() ? String(answered.getDeleteBeforeReplace()) : "unset";
    seen.push(`${name}: ${order}, hides ${answered.getHideDiffList().join() || "nothing"}`);
  }
  server.shutdown();
  console.log(seen.join("\n"));
})();
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
returns nothing: unset, hides spec
returns its options: false, hides nothing
adds ignoreChanges: false, hides nothing
with || undefined: unset, hides nothing
SEEN
