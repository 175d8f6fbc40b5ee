import assert from "node:assert/strict";
import { createServer } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import {
  adopted,
  existingObjects,
  forgotten,
  ownObjects,
  pendingCreates,
  podUrns,
  readDeployment,
  stateObjects,
} from "../../../lab/deploy/state.ts";
import { listen } from "../../support/listen.ts";

const urn = (type: string, name: string) => `urn:pulumi:local::lab::${type}::${name}`;

function object(kind: string, name: string, namespace?: string) {
  const type = `kubernetes:core/v1:${kind}`;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return { urn: urn(type, name), type, custom: true, inputs: { apiVersion: "v1", kind, metadata }, parent: "p" };
}

const STATE = {
  manifest: { time: "now" },
  resources: [
    { urn: urn("pulumi:pulumi:Stack", "s"), type: "pulumi:pulumi:Stack" },
    { ...object("Namespace", "ts-team"), id: "ts-team" },
    { ...object("Pod", "curl-ts", "ts-team"), id: "ts-team/curl-ts" },
  ],
  pending_operations: [
    { type: "creating", resource: object("Service", "curl-ts", "ts-team") },
    { type: "creating", resource: object("ConfigMap", "never-made", "ts-team") },
    { type: "updating", resource: object("Pod", "curl-ts", "ts-team") },
  ],
};

/** An entry of managedFields, and the second at which it was written. */
const applied = (manager: string, seconds: number) => ({ manager, operation: "Apply", time: new Date(seconds * 1000) });

describe("the state of a stack", () => {
  const deployment = readDeployment(STATE);

  it("names the Kubernetes objects, including pending ones", () => {
    assert.deepEqual(
      stateObjects(deployment).map(({ header }) => `${header.kind} ${header.metadata.name}`),
      ["Namespace ts-team", "Pod curl-ts", "Service curl-ts", "ConfigMap never-made"],
    );
    assert.deepEqual([...podUrns(deployment).keys()], ["ts-team/curl-ts"]);
    assert.equal(pendingCreates(deployment).length, 2);
  });

  it("distinguishes owned objects from those it only patches", () => {
    const namespace = { ...object("Namespace", "payments"), type: "kubernetes:core/v1:NamespacePatch" };
    const patched = { ...namespace, urn: urn("team$kubernetes:core/v1:NamespacePatch", "pay-namespace-payments") };
    const both = readDeployment({ resources: [...STATE.resources, patched] });
    assert.equal(stateObjects(both).length, 3);
    assert.deepEqual(
      ownObjects(both).map(({ header }) => header.metadata.name),
      ["ts-team", "curl-ts"],
    );
  });

  it("names the policies that a stopped destroy forgot, but not those that went with their namespace", () => {
    const namespaces = ["ts-team", "sa-team"].map((name) => object("Namespace", name));
    const policies = namespaces.map((namespace) => ({
      ...object("NetworkPolicy", `deny-${namespace.inputs.metadata.name}`, namespace.inputs.metadata.name),
      deletedWith: namespace.urn,
    }));
    const [first, second] = policies;
    const before = readDeployment({ resources: [...namespaces, ...policies, ...STATE.resources] });
    // A policy that is still recorded, and an object that the run deleted itself, are not forgotten.
    assert.deepEqual(forgotten(before, readDeployment({ resources: [...namespaces, second] })), [first]);
    assert.deepEqual(forgotten(before, readDeployment({ resources: [namespaces[1]] })), [second]);
    assert.deepEqual(forgotten(before, readDeployment(null)), []);
  });

  it("records what an interrupted run created, and forgets what it did not", () => {
    const service = urn("kubernetes:core/v1:Service", "curl-ts");
    const fixed = adopted(
      deployment,
      new Map([[service, { metadata: { name: "curl-ts", managedFields: [applied("a", 1)] } }]]),
    );
    assert.equal(fixed.pending_operations, undefined);
    assert.deepEqual(fixed.manifest, STATE.manifest);
    assert.equal(fixed.resources?.length, 4);
    const taken = fixed.resources?.at(-1);
    assert.deepEqual([taken?.urn, taken?.id, taken?.parent], [service, "ts-team/curl-ts", "p"]);
    assert.deepEqual(taken?.outputs, taken?.inputs);
  });

  it("keeps the field manager of a patch that an interrupted run applied, not of one that it did not", () => {
    const patch = object("ConfigMapPatch", "coredns", "kube-system");
    const inputs = {
      ...patch.inputs,
      kind: "ConfigMap",
      metadata: { ...patch.inputs.metadata, annotations: { "pulumi.com/patchForce": "true" } },
      data: { Corefile: ".:53 {}", hosts: ["one"] },
    };
    const pending_operations = [{ type: "creating", resource: { ...patch, inputs } }];
    const interrupted = readDeployment({ resources: [], pending_operations });
    const managedFields: { manager: string; operation: string; time?: Date }[] = [
      applied("pulumi-kubernetes-2", 2),
      applied("pulumi-kubernetes-1", 1),
      applied("kubectl", 3),
      { ...applied("pulumi-kubernetes-4", 4), operation: "Update" },
    ];
    const manager = (data: object) => {
      const live = { ...inputs, metadata: { ...inputs.metadata, managedFields }, data };
      return adopted(interrupted, new Map([[patch.urn, live]])).resources?.at(-1)?.outputs;
    };
    assert.deepEqual(manager({ ...inputs.data, hosts: ["two", "one"], other: "" }), {
      ...inputs,
      __fieldManager: "pulumi-kubernetes-2",
    });
    managedFields.unshift({ manager: "pulumi-kubernetes-5", operation: "Apply" });
    assert.equal(manager(inputs.data)?.__fieldManager, "pulumi-kubernetes-5");
    assert.deepEqual(manager({ ...inputs.data, Corefile: ".:53 { errors }" }), inputs);
    assert.deepEqual(manager({ ...inputs.data, hosts: "one" }), inputs);
  });

  it("may be empty", () => {
    assert.deepEqual(stateObjects(readDeployment(undefined)), []);
    assert.deepEqual(stateObjects(readDeployment({ resources: [{ urn: "u", type: "kubernetes:x:Y" }] })), []);
  });

  it("is read from the cluster several objects at a time, in the order of the state", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `c${index}`);
    const waiting: (() => void)[] = [];
    let most = 0;
    const server = createServer((request, response) => {
      const name = request.url?.split("/").at(-1) ?? "";
      const resources = [{ kind: "ConfigMap", name: "configmaps", namespaced: true }];
      const answer = () => {
        response.writeHead(name === "c3" ? 404 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(name === "v1" ? { resources } : { kind: "ConfigMap", metadata: { name } }));
      };
      if (name === "v1") answer();
      else waiting.push(answer);
      most = Math.max(most, waiting.length);
    });
    // Answers the latest first.
    const answering = setInterval(() => waiting.pop()?.(), 5);
    const config = new KubeConfig();
    const url = `http://127.0.0.1:${await listen(server)}`;
    config.loadFromClusterAndUser({ name: "c", server: url, skipTLSVerify: true }, { name: "u" });
    try {
      const objects = stateObjects(readDeployment({ resources: names.map((name) => object("ConfigMap", name, "a")) }));
      const existing = await existingObjects(config, objects);
      assert.deepEqual(
        existing.map(({ live }) => live.metadata?.name),
        names.filter((name) => name !== "c3"),
      );
      assert.ok(most > 1, `${most} at a time`);
    } finally {
      clearInterval(answering);
      server.closeAllConnections();
      server.close();
    }
  });
});
