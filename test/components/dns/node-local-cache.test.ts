import assert from "node:assert/strict";
import { NodeLocalCache } from "../../../components/dns/node-local-cache.ts";
import { cacheAddresses, cacheOptions, nodeLocalCorefile } from "../../../components/dns/node-local-rendering.ts";
import { DnsSettings, NodeLocalCacheSettings } from "../../../components/dns/settings.ts";
import { ArgumentsError } from "../../../components/schema/errors.ts";
import { parseCorefile } from "../../../corefile/model.ts";
import { record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find } from "../../support/find.ts";

const CLUSTER_DNS = "172.20.0.10";
const settings = (corefile: unknown = {}) => DnsSettings.parse({ corefile, clusterDns: [CLUSTER_DNS] });
const cache = (choices: unknown = {}) => NodeLocalCacheSettings.parse(choices);
const corefileOf = (...args: Parameters<typeof cacheOptions>) => nodeLocalCorefile(cacheOptions(...args));

/** Upstreams by zone. */
function upstreams(text: string) {
  return parseCorefile(text).servers.map(({ zones, plugins }) => [
    zones.join(" "),
    plugins.flatMap((plugin) => (plugin.plugin === "forward" ? plugin.upstreams : [])).join(" "),
  ]);
}

/** Addresses that each block listens on. */
function listens(text: string) {
  const found = parseCorefile(text).servers.flatMap(({ plugins }) =>
    plugins.flatMap((plugin) => (plugin.plugin === "bind" ? [plugin.addresses.join(" ")] : [])),
  );
  return [...new Set(found)];
}

async function registered(choices: unknown = {}, dns = settings()) {
  const { resources } = await record({ stack: "local", config: {} }, async () => {
    new NodeLocalCache("local", { cluster: existingClusterHandle(), ...cacheOptions(dns, cache(choices)) });
  });
  return resources;
}

describe("NodeLocal DNSCache's Corefile", () => {
  it("sends cluster names to CoreDNS, and others to the node's resolvers", () => {
    assert.deepEqual(upstreams(corefileOf(settings(), cache())), [
      ["cluster.local:53", "__PILLAR__CLUSTER__DNS__"],
      ["in-addr.arpa:53", "__PILLAR__CLUSTER__DNS__"],
      ["ip6.arpa:53", "__PILLAR__CLUSTER__DNS__"],
      [".:53", "__PILLAR__UPSTREAM__SERVERS__"],
    ]);
  });

  it("sends all names to CoreDNS if its Corefile treats some outside names differently", () => {
    const other = [
      { options: { stubDomains: [{ domains: ["corp.example"], upstreams: ["10.0.0.2"] }] } },
      { options: { hosts: { entries: [{ address: "10.0.0.3", names: ["a.example"] }] } } },
      { options: { rewrite: [{ from: "a.example", to: "b.example" }] } },
      { options: { upstreams: ["10.0.0.2"] } },
      { text: ".:53 {\n}\n" },
    ];
    for (const corefile of other) {
      assert.deepEqual(upstreams(corefileOf(settings(corefile), cache())).at(-1), [".:53", "__PILLAR__CLUSTER__DNS__"]);
    }
    assert.equal(
      upstreams(corefileOf(settings({ options: { clusterDomain: "k8s.corp" } }), cache()))[0]?.[0],
      "k8s.corp:53",
    );
  });

  it("listens on kube-dns's address too in iptables mode, and only on its own in kubelet mode", () => {
    assert.deepEqual(listens(corefileOf(settings(), cache())), ["169.254.20.10 172.20.0.10"]);
    assert.deepEqual(listens(corefileOf(settings(), cache({ mode: "kubelet" }))), ["169.254.20.10"]);
    assert.deepEqual(cacheAddresses(cache(), undefined), ["169.254.20.10"]);
  });

  it("answers health checks on its own address only, with IPv6 in brackets", () => {
    assert.match(corefileOf(settings(), cache()), /health 169\.254\.20\.10:8080/);
    assert.match(corefileOf(settings(), cache({ address: "fd00::a" })), /health \[fd00::a\]:8080/);
  });
});

describe("NodeLocalCache", () => {
  it("runs on every node, on the node's network, with the node's resolvers", async () => {
    const daemon = find(await registered(), "kubernetes:apps/v1:DaemonSet", "local-daemon");
    const text = JSON.stringify(daemon.inputs.spec);
    for (const part of [
      '"hostNetwork":true',
      '"dnsPolicy":"Default"',
      '"priorityClassName":"system-node-critical"',
      '"image":"registry.k8s.io/dns/k8s-dns-node-cache:1.26.8"',
      '["-localip","169.254.20.10,172.20.0.10","-conf","/etc/Corefile","-upstreamsvc","kube-dns-upstream"',
      '"capabilities":{"add":["NET_ADMIN"]}',
      '{"effect":"NoExecute","operator":"Exists"}',
      '"maxUnavailable":"10%"',
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    assert.equal(daemon.deleteBeforeReplace, true);
  });

  it("reaches CoreDNS through its own Service, created before the pods", async () => {
    const resources = await registered();
    const service = find(resources, "kubernetes:core/v1:Service", "local-upstream");
    assert.deepEqual(service.inputs.metadata, {
      name: "kube-dns-upstream",
      namespace: "kube-system",
      labels: {
        "app.kubernetes.io/name": "node-local-dns",
        "app.kubernetes.io/part-of": "eks-dns-logging",
        "app.kubernetes.io/managed-by": "pulumi",
        "k8s-app": "node-local-dns",
      },
    });
    assert.ok(JSON.stringify(service.inputs.spec).includes('"selector":{"k8s-app":"kube-dns"}'));
    assert.ok(find(resources, "kubernetes:apps/v1:DaemonSet", "local-daemon").dependencies.includes(service.urn));
  });

  it("reaches a CoreDNS by other labels, and rejects an empty selector", async () => {
    const of = async (coreDnsLabels: Record<string, string>) => {
      const { resources } = await record({ stack: "local", config: {} }, async () => {
        const args = { mode: "kubelet", coreDnsLabels } as const;
        new NodeLocalCache("local", { cluster: existingClusterHandle(), ...args });
      });
      const { spec } = find(resources, "kubernetes:core/v1:Service", "local-upstream").inputs;
      return JSON.stringify(spec).replace(/.*"selector":/, "");
    };
    assert.equal(await of({ app: "dns" }), '{"app":"dns"}}');
    await assert.rejects(of({}), /coreDnsLabels: must have at least one label/);
  });

  it("restarts its pods when the Corefile changes, and only then", async () => {
    const hash = async (dns: DnsSettings) => {
      const daemon = find(await registered({}, dns), "kubernetes:apps/v1:DaemonSet", "local-daemon");
      return /"checksum\/corefile":"([0-9a-f]{64})"/.exec(JSON.stringify(daemon.inputs.spec))?.[1];
    };
    assert.equal(await hash(settings()), await hash(settings({ profile: "tuned" })));
    assert.notEqual(await hash(settings()), await hash(settings({ options: { upstreams: ["10.0.0.2"] } })));
  });

  it("never changes CoreDNS's own objects, and creates all with the cluster's provider", async () => {
    const objects = (await registered()).filter(({ type }) => type.startsWith("kubernetes:"));
    assert.deepEqual(
      objects
        .map(({ inputs }) => `${inputs.kind} ${/"name":"([^"]+)"/.exec(JSON.stringify(inputs.metadata))?.[1]}`)
        .sort(),
      [
        "ConfigMap node-local-dns",
        "DaemonSet node-local-dns",
        "Service kube-dns-upstream",
        "Service node-local-dns",
        "ServiceAccount node-local-dns",
      ],
    );
    assert.ok(objects.every(({ provider }) => provider.includes("::laptop::")));
  });

  it("accepts plain arguments, which it checks", async () => {
    const cluster = existingClusterHandle();
    const made = (args: object) =>
      record({ stack: "local", config: {} }, async () => {
        new NodeLocalCache("local", { cluster, ...args });
      });
    const { resources } = await made({ mode: "kubelet", clusterDomain: "k8s.corp" });
    const { data } = find(resources, "kubernetes:core/v1:ConfigMap", "local-config").inputs;
    assert.match(
      JSON.stringify(data),
      /k8s\.corp:53 .*bind 169\.254\.20\.10\\n.*forward \. __PILLAR__UPSTREAM__SERVERS__/,
    );
    await assert.rejects(made({}), /local\.clusterDns: must be the address of the Service kube-dns/);
    const wrong = {
      mode: "kube",
      address: "x",
      clusterDns: "10.0.0.1",
      clusterDomain: "a b",
      coreDnsLabels: {},
      coreDnsPort: 0,
    };
    await assert.rejects(made(wrong), (error) => {
      assert.ok(error instanceof ArgumentsError);
      assert.deepEqual(
        error.issues.map(({ path }) => path.join(".")),
        Object.keys(wrong).map((key) => `local.${key}`),
      );
      return true;
    });
    await assert.rejects(made({ mode: "kubelet", address: "10.0.0.1" }), {
      message:
        'Invalid arguments (1 error)\n  local.address: must be an address of 169.254.0.0/16, such as 169.254.20.10, or of fd00::/8 on an IPv6 cluster, since it exists on every node (found "10.0.0.1")',
    });
  });
});
