import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import { parseSettings } from "../../../components/settings.ts";
import { additions, sharedCorefile } from "../../../lab/deploy/additions.ts";
import { readDeployment } from "../../../lab/deploy/state.ts";
import { listen } from "../../support/listen.ts";

const DNS = { to: [{ namespaceSelector: { matchLabels: { name: "kube-system" } } }], ports: [{ port: 53 }] };

describe("what another tool added to an object", () => {
  const found = (live: unknown, own: unknown) => [...additions(live, own, "spec")];

  it("is each list item and each field that the stack does not set", () => {
    const own = { podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [DNS] };
    assert.deepEqual(found(own, own), []);
    assert.deepEqual(found({ ...own, egress: [DNS, {}] }, own), ["spec.egress[1]"]);
    assert.deepEqual(found({ ...own, ingress: [{}] }, own), ["spec.ingress"]);
    assert.deepEqual(found({ ...own, podSelector: { matchLabels: { app: "web" } } }, own), [
      "spec.podSelector.matchLabels",
    ]);
    const toAll = { ...DNS, to: [...DNS.to, { ipBlock: { cidr: "0.0.0.0/0" } }] };
    assert.deepEqual(found({ ...own, egress: [toAll] }, own), ["spec.egress[0].to[1]"]);
  });

  it("is neither a default of the API server, nor a change that a refresh sees", () => {
    const own = { egress: [DNS] };
    const ports = [{ port: 53, protocol: "TCP" }];
    assert.deepEqual(found({ egress: [{ ...DNS, ports }], policyTypes: ["Ingress"] }, own), []);
    assert.deepEqual(found({ egress: [{ ...DNS, ports: [{ port: 80 }] }] }, own), []);
    assert.deepEqual(found({ egress: [] }, own), []);
    assert.deepEqual(found({ egress: "none" }, own), []);
    assert.deepEqual(found(undefined, own), []);
  });
});

describe("an adopted Corefile", () => {
  const requested: (string | undefined)[] = [];
  let server: Server;
  let config: KubeConfig;
  let answer: { status: number; body: unknown };

  before(async () => {
    server = createServer(({ url }, response) => {
      requested.push(url);
      response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
    });
    const port = await listen(server);
    config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "a", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: "a" },
    );
  });

  after(() => server.close());

  const managed = (managers: readonly string[]) => {
    const fieldsV1 = { "f:data": { "f:Corefile": {} } };
    const managedFields = [
      ...managers.map((manager) => ({ manager, operation: "Apply", fieldsV1 })),
      { manager: "pulumi-kubernetes-0badcafe", operation: "Apply", fieldsV1: { "f:metadata": {} } },
    ];
    return { status: 200, body: { metadata: { name: "coredns", managedFields } } };
  };

  /** What `lab up` says where these field managers set the Corefile, and the stack's own is `pulumi-kubernetes-5eed`. */
  async function shared(managers: readonly string[], adopt: object = { force: true }): Promise<string | undefined> {
    answer = managed(managers);
    const settings = parseSettings({
      "eks-dns-logging:cluster": '{"kind":"existing"}',
      "eks-dns-logging:dns": JSON.stringify({ adopt }),
    });
    const urn = "urn:pulumi:local::lab::kubernetes:core/v1:ConfigMapPatch::dns-corefile";
    const outputs = { __fieldManager: "pulumi-kubernetes-5eed" };
    const resources = [{ urn, type: "kubernetes:core/v1:ConfigMapPatch", outputs }];
    return sharedCorefile(config, readDeployment({ resources }), settings);
  }

  it("is another Pulumi stack's if only another manager of that kind sets it", async () => {
    assert.equal(
      await shared(["kubectl", "pulumi-kubernetes-1a2b3c4d"]),
      "dns.adopt.force: takes the Corefile in ConfigMap kube-system/coredns from another Pulumi stack (field manager pulumi-kubernetes-1a2b3c4d), which takes it back with its next update: unless it is destroyed, set dns.adopt.manage: false in one of the two",
    );
    assert.deepEqual(requested, ["/api/v1/namespaces/kube-system/configmaps/coredns"]);
    assert.match(
      String(await shared(["pulumi-kubernetes"])),
      /another Pulumi stack \(field manager pulumi-kubernetes\)/,
    );
  });

  it("is this stack's too while another stack, or an earlier deployment of this one, has applied the same", async () => {
    assert.equal(await shared(["pulumi-kubernetes-5eed", "pulumi-kubernetes-1a2b3c4d"]), undefined);
  });

  it("is no other stack's if other tools or this stack set it, or if it cannot be read", async () => {
    assert.equal(await shared(["kubectl", "helm", "pulumi-kubernetes-5eed"]), undefined);
    assert.equal(await shared([]), undefined);
    answer = { status: 403, body: { kind: "Status" } };
    const settings = parseSettings({
      "eks-dns-logging:cluster": '{"kind":"existing"}',
      "eks-dns-logging:dns": '{"adopt":{"force":true}}',
    });
    assert.equal(await sharedCorefile(config, readDeployment(undefined), settings), undefined);
  });

  it("is not asked for without force, with which alone no conflict is reported, and where the stack does not manage it", async () => {
    requested.length = 0;
    const others = ["pulumi-kubernetes-1a2b3c4d"];
    for (const adopt of [{}, { manage: false }]) assert.equal(await shared(others, adopt), undefined);
    assert.deepEqual(requested, []);
  });
});
