import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import type { Deployment as Exported } from "@pulumi/pulumi/automation/index.js";
import { readDeployment, UnansweredCreations, withoutPending } from "../../../lab/deploy/state.ts";
import { listen } from "../../support/listen.ts";

type Event = Parameters<UnansweredCreations["record"]>[0];

const urn = (name: string) => `urn:pulumi:local::p::eks-dns-logging:team:Team$kubernetes:core/v1:ConfigMap::${name}`;
const PARENT = "urn:pulumi:local::p::eks-dns-logging:team:Team::ts";
const PROVIDER = "urn:pulumi:local::p::pulumi:providers:kubernetes::cluster-kubernetes::4f2a";

function stateOf(name: string) {
  const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "ts-team" } };
  const type = "kubernetes:core/v1:ConfigMap";
  return { urn: urn(name), type, custom: true, inputs, parent: PARENT, provider: PROVIDER };
}

/** What the engine tells of a creation that failed. */
function failed(name: string, message: string): Event[] {
  const head = `resource "${urn(name)}" was not successfully created by the Kubernetes API server: `;
  const known = { ...stateOf(name), id: "", outputs: {} };
  const metadata = { op: "create" as const, urn: urn(name), type: known.type, new: known, provider: PROVIDER };
  const common = { sequence: 1, timestamp: 1 };
  return [
    {
      ...common,
      diagnosticEvent: { urn: urn(name), message: `${head}${message}\n`, color: "never", severity: "error" },
    },
    { ...common, resOpFailedEvent: { metadata, status: 0, steps: 1 } },
  ];
}

function seen(...events: Event[]): UnansweredCreations {
  const creations = new UnansweredCreations();
  for (const event of events) creations.record(event);
  return creations;
}

const POST = 'Post "https://10.99.0.2:6443/api/v1/namespaces/ts-team/configmaps?fieldManager=pulumi-kubernetes": ';

/** A stack whose state can be read and written. */
function stackWith(deployment: object) {
  const written: Exported[] = [];
  return {
    written,
    exportStack: async () => ({ version: 3, deployment }),
    importStack: async (state: Exported) => {
      written.push(state);
    },
  };
}

describe("creations without an answer", () => {
  it("are those that a run was stopped in, or whose connection broke, not what the server refused or never saw", () => {
    const { unanswered: resources } = seen(
      ...failed("stopped", `${POST}context canceled`),
      ...failed("broken", `${POST}http2: client connection lost`),
      ...failed("there", 'configmaps "there" already exists'),
      ...failed("waiting", "client rate limiter Wait returned an error: context canceled"),
    );
    assert.deepEqual(resources, [stateOf("stopped"), stateOf("broken")]);
  });

  describe("by the next run", () => {
    let server: Server;
    const config = new KubeConfig();
    before(async () => {
      const core = { kind: "APIResourceList", groupVersion: "v1" };
      const resources = [{ name: "configmaps", singularName: "", namespaced: true, kind: "ConfigMap", verbs: ["get"] }];
      const answers: Record<string, object> = {
        "/api/v1": { ...core, resources },
        "/api/v1/namespaces/ts-team/configmaps/stopped": stateOf("stopped").inputs,
        "/api/v1/namespaces/ts-team/configmaps/known": stateOf("known").inputs,
      };
      server = createServer(({ url = "" }, response) => {
        const found = answers[url.split("?")[0] ?? ""];
        response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(found ?? { kind: "Status", code: 404, reason: "NotFound" }));
      });
      config.loadFromClusterAndUser(
        { name: "c", server: `http://127.0.0.1:${await listen(server)}`, skipTLSVerify: true },
        { name: "u" },
      );
    });
    after(() => server.close());

    it("are in the state where the cluster has them, and forgotten where it has not", async () => {
      const known = { ...stateOf("known"), id: "ts-team/known" };
      const stack = stackWith({ resources: [known] });
      const unanswered = ["stopped", "broken", "known"].map(stateOf);
      const state = await withoutPending(stack, config, unanswered);
      assert.deepEqual(state.resources, [
        known,
        { ...stateOf("stopped"), id: "ts-team/stopped", outputs: stateOf("stopped").inputs },
      ]);
      assert.deepEqual(readDeployment(stack.written[0]?.deployment), state);
      assert.equal(state.pending_operations, undefined);
    });

    it("are no reason to write the state where it knows them all", async () => {
      const stack = stackWith({ resources: [{ ...stateOf("known"), id: "ts-team/known" }] });
      await withoutPending(stack, config, [stateOf("known")]);
      assert.deepEqual(stack.written, []);
    });
  });
});
