#!/usr/bin/env bash
# The Kubernetes client for JavaScript leaves `from` out of a NetworkPolicy that was read as plain JSON, so that it lets everybody in.
#
# Package: @kubernetes/client-node 2.0.1 (npm), on Node.js 24.21.0
# Behavior: its classes call the field `_from`, as they call `default` of a LimitRange `_default`. KubernetesObjectApi sends objects through
#   these classes and says nothing of a field that they do not have: a rule `ingress: [{from: [...]}]` arrives as `ingress: [{}]`, which
#   allows every source, and a LimitRange arrives without its defaults. loadYaml of the same text gives `_from`, which is sent as `from`.
# Output seen (2026-11-30): plain {"ingress":[{}],"podSelector":{}}; loadYaml {"ingress":[{"from":[{"podSelector":{}}]}],"podSelector":{}};
#   plain {"limits":[{"type":"Container"}]}
# Source: https://github.com/kubernetes-client/javascript/blob/2.0.1/src/gen/models/V1NetworkPolicyIngressRule.ts, V1LimitRangeItem.ts and
#   https://github.com/kubernetes-client/javascript/blob/2.0.1/src/object.ts (ObjectSerializer.serialize); an empty rule allows all:
#   https://kubernetes.io/docs/concepts/services-networking/network-policies/
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
# The client needs Node.js 22 or newer; this package brings it.
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1 node@24.21.0
cat > run.mjs <<'JS'
import { createServer } from "node:http";
import { KubeConfig, KubernetesObjectApi, loadYaml } from "@kubernetes/client-node";

const kinds = {
  "networking.k8s.io/v1": { name: "networkpolicies", kind: "NetworkPolicy", namespaced: true },
  v1: { name: "limitranges", kind: "LimitRange", namespaced: true },
};
const sent = [];
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  response.setHeader("Content-Type", "application/json");
  if (request.method === "POST") sent.push(JSON.stringify(JSON.parse(body).spec));
  const group = request.url.replace(/^\/apis?\//, "").split("?")[0];
  response.end(request.method === "POST" ? body : JSON.stringify({ kind: "APIResourceList", resources: [kinds[group]] }));
}).listen(0, "127.0.0.1", async () => {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: "c", server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true }, { name: "u" });
  const api = KubernetesObjectApi.makeApiClient(config);
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "n" },
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
  };
  const range = {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "r", namespace: "n" },
    spec: { limits: [{ type: "Container", default: { memory: "128Mi" } }] },
  };
  await api.create(policy);
  // JSON is YAML.
  await api.create(loadYaml(JSON.stringify(policy)));
  await api.create(range);
  server.close();
  const seen = `plain ${sent[0]}; loadYaml ${sent[1]}; plain ${sent[2]}`;
  console.log(seen);
  const known =
    'plain {"ingress":[{}],"podSelector":{}}; loadYaml {"ingress":[{"from":[{"podSelector":{}}]}],"podSelector":{}}; plain {"limits":[{"type":"Container"}]}';
  process.exitCode = seen === known ? 0 : 1;
});
JS
node_modules/.bin/node run.mjs || { echo "changed: see the line above"; exit 1; }
