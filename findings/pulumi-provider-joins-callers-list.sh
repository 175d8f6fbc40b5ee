#!/usr/bin/env bash
# In Pulumi's Node.js SDK, a component with the options `provider` and `providers` adds the one to the other, in the caller's own array, a moment
# later: components that get the same array afterwards use that provider.
#
# Package: @pulumi/pulumi 3.276.0 (npm)
# Behavior: const providers = [east]; new Site("named", { provider: west, providers }); once that is registered, providers is [east, west], of which
#   the last one of a package counts. So { providers } means east before and west after, which may be another region or account. A component that
#   is created in the same turn still gets east.
# Output seen (2026-12-01): 1 provider in the list; once the component is registered: 2
#   {"before":"east","named":"west","after":"west"}
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/sdk/nodejs/runtime/resource.ts (prepareResource: componentOpts.providers.push), against
#   https://www.pulumi.com/docs/iac/concepts/resources/options/providers/
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @pulumi/pulumi@3.276.0
cat > run.cjs <<'JS'
const pulumi = require("@pulumi/pulumi");

class Cloud extends pulumi.ProviderResource {
  constructor(name) {
    super("cloud", name);
  }
}
class Bucket extends pulumi.CustomResource {
  constructor(name, options) {
    super("cloud:index:Bucket", name, {}, options);
  }
}
class Site extends pulumi.ComponentResource {
  constructor(name, options) {
    super("shop:index:Site", name, {}, options);
    new Bucket(name, { parent: this });
  }
}

(async () => {
  const used = {};
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs, provider }) => {
      if (type === "cloud:index:Bucket") used[name] = provider.split("::").at(-2);
      return { id: name, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
  await pulumi.runtime.runInPulumiStack(async () => {
    const [east, west] = [new Cloud("east"), new Cloud("west")];
    const providers = [east];
    new Site("before", { providers });
    const named = new Site("named", { provider: west, providers });
    console.log(`${providers.length} provider in the list`);
    await new Promise((resolve) => named.urn.apply(resolve));
    console.log(`once the component is registered: ${providers.length}`);
    new Site("after", { providers });
  });
  await pulumi.runtime.disconnect();
  console.log(JSON.stringify(used));
})();
JS
node run.cjs | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
1 provider in the list
once the component is registered: 2
{"before":"east","named":"west","after":"west"}
SEEN
