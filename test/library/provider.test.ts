import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { DnsOptions } from "../../components/dns/settings.ts";
import {
  CoreDns,
  EksCluster,
  ExistingCluster,
  ExistingEksCluster,
  LogCollection,
  Monitoring,
  NodeLocalCache,
  Team,
} from "../../components/index.ts";
import { ArgumentsError } from "../../components/schema/errors.ts";
import { record } from "../../lab/plan/plan.ts";
import { ComponentProvider } from "../../library/component-provider.ts";

const SCHEMA = readFileSync(new URL("../../library/schema.json", import.meta.url), "utf8");
/** What AWS answers. */
const CALLS: Readonly<Record<string, object>> = {
  "aws:index/getAvailabilityZones:getAvailabilityZones": { names: ["eu-central-1a", "eu-central-1b"] },
  "aws:eks/getCluster:getCluster": {
    version: "1.35",
    endpoint: "https://prod",
    certificateAuthorities: [{ data: "ca" }],
  },
};
const STACK = {
  stack: "prod",
  config: {},
  call: (token: string, inputs: pulumi.Inputs) => ({ ...inputs, ...CALLS[token] }),
};

/** Constructs a component as the engine asks for it, and gives its outputs. */
async function construct(token: string, name: string, inputs: pulumi.Inputs): Promise<pulumi.Inputs> {
  const provider = new ComponentProvider(SCHEMA);
  const { urn, state } = await provider.construct(name, `eks-dns-logging:${token}`, inputs, {});
  return { urn, ...(await resolved(state)) };
}

async function resolved(state: pulumi.Inputs): Promise<pulumi.Inputs> {
  return Object.fromEntries(await Promise.all(Object.entries(state).map(async ([key, value]) => [key, await value])));
}

/** What is registered, without the ids that differ between two runs. */
async function registered(program: () => Promise<void>) {
  const { resources } = await record(STACK, program);
  return resources.toSorted((a, b) => (a.urn < b.urn ? -1 : 1));
}

const LOGS = {
  destination: { kind: "opensearch", host: "search.example.com", credentials: { secretName: "opensearch" } },
  index: { prefix: "prod", splitBy: "team" },
} as const;
const EKS = { region: "eu-central-1", name: "prod", nodeGroups: [{ name: "system", architecture: "arm64" }] } as const;
const EXISTING_EKS = { region: "eu-central-1", name: "prod", kubernetesVersion: "1.35" } as const;
const DNS = {
  replicas: 3,
  corefile: { profile: "tuned" as const },
  clusterDns: ["172.20.0.10"],
  nodeLocalCache: {},
} satisfies DnsOptions;
const TEAM = { members: ["shop-developers"], labels: { "cost-center": "42" }, quota: { pods: 50 } } as const;

const WATCHED = {
  kind: "prometheus-operator" as const,
  dns: {},
  logging: { destination: { kind: "opensearch" as const, inCluster: true } },
  teams: [{ name: "shop" }],
};

describe("the provider of the Pulumi package", () => {
  it("has a constructor for each component of its schema, under the token that its class registers", () => {
    const tokens = Object.keys(JSON.parse(SCHEMA).resources);
    assert.equal(tokens.length, 8);
    for (const token of tokens) assert.match(token, /^eks-dns-logging:(cluster|dns|logging|monitoring|team):[A-Z]\w+$/);
  });

  it("registers on a new EKS cluster what a program in TypeScript does, under the same URNs", async () => {
    const library = await registered(async () => {
      const { handle: cluster } = new EksCluster("prod", EKS);
      const dns = new CoreDns("dns", { ...DNS, cluster });
      const logs = new LogCollection("logs", { ...LOGS, cluster });
      new Team("shop", { ...TEAM, cluster, network: { teams: [], dnsAddresses: dns.addresses, egress: logs.egress } });
    });
    const remote = await registered(async () => {
      const { handle: cluster } = await construct("cluster:EksCluster", "prod", EKS);
      const dns = await construct("dns:CoreDns", "dns", { ...DNS, cluster });
      const logs = await construct("logging:LogCollection", "logs", { ...LOGS, cluster });
      const network = { teams: [], dnsAddresses: pulumi.output(dns.addresses), egress: pulumi.output(logs.egress) };
      await construct("team:Team", "shop", { ...TEAM, cluster: pulumi.output(cluster), network });
    });
    assert.ok(library.length > 60, `only ${library.length} resources`);
    assert.deepEqual(remote, library);
  });

  it("registers the same on existing clusters", async () => {
    const library = await registered(async () => {
      const { handle } = new ExistingEksCluster("prod", EXISTING_EKS);
      new LogCollection("logs", { cluster: handle, destination: { kind: "cloudwatch" } });
      const { handle: cluster } = new ExistingCluster("laptop", { context: "kind" });
      new NodeLocalCache("cache", { cluster, clusterDns: ["10.96.0.10"] });
      new Team("shop", { ...TEAM, cluster });
      new Monitoring("watch", { ...WATCHED, cluster });
    });
    const remote = await registered(async () => {
      const { handle } = await construct("cluster:ExistingEksCluster", "prod", EXISTING_EKS);
      await construct("logging:LogCollection", "logs", { cluster: handle, destination: { kind: "cloudwatch" } });
      const { handle: cluster } = await construct("cluster:ExistingCluster", "laptop", { context: "kind" });
      await construct("dns:NodeLocalCache", "cache", { cluster, clusterDns: ["10.96.0.10"] });
      await construct("team:Team", "shop", { ...TEAM, cluster });
      await construct("monitoring:Monitoring", "watch", { ...WATCHED, cluster });
    });
    assert.ok(library.some(({ type }) => type.endsWith(":PrometheusRule")));
    assert.deepEqual(remote, library);
  });

  it("registers the same on IPv6, and says which network policies may not be enforced", async () => {
    const given = { context: "six", ipFamily: "ipv6", networkPolicies: true } as const;
    const told: unknown[] = [];
    const library = await registered(async () => {
      const { handle: cluster } = new ExistingCluster("six", given);
      told.push(new Team("shop", { ...TEAM, cluster }).warnings);
      const { handle: laptop } = new ExistingCluster("laptop", { context: "kind" });
      told.push(new Team("web", { ...TEAM, cluster: laptop }).warnings);
    });
    const remote = await registered(async () => {
      const { handle: cluster } = await construct("cluster:ExistingCluster", "six", given);
      told.push((await construct("team:Team", "shop", { ...TEAM, cluster })).warnings);
      const { handle: laptop } = await construct("cluster:ExistingCluster", "laptop", { context: "kind" });
      told.push((await construct("team:Team", "web", { ...TEAM, cluster: laptop })).warnings);
    });
    assert.match(JSON.stringify(library), /listen \[::\]:80 ipv6only=off/);
    assert.deepEqual(remote, library);
    const unknown =
      "network policies are not known to be enforced on cluster kind: set its networkPolicies to true where its network does";
    assert.deepEqual(told, [[], [unknown], [], [unknown]]);
  });

  it("has alarms on a cluster by the name that the deployment tells", async () => {
    const resources = await registered(async () => {
      const name = pulumi.output(Promise.resolve("prod-1a2b"));
      const { handle: cluster } = new ExistingEksCluster("prod.eu", { ...EXISTING_EKS, name });
      new Monitoring("watch", { kind: "cloudwatch", dns: {}, canary: { enabled: false }, cluster });
    });
    const inputsOf = (type: string, at: string) =>
      resources.find((one) => one.type === type && one.name === at)?.inputs ?? assert.fail(at);
    const { dimensions, name } = inputsOf("aws:cloudwatch/metricAlarm:MetricAlarm", "watch-CoreDnsDown");
    assert.deepEqual(dimensions, { ClusterName: "prod-1a2b", Namespace: "kube-system", PodName: "coredns" });
    assert.equal(name, "prod.eu-CoreDnsDown");
    const { dashboardBody, dashboardName } = inputsOf("aws:cloudwatch/dashboard:Dashboard", "watch-dashboard");
    assert.equal(dashboardName, "prod-eu-eu-central-1-dns-logging");
    const [first] = JSON.parse(String(dashboardBody)).widgets;
    assert.deepEqual(first.properties.metrics[0].slice(2, 4), ["ClusterName", "prod-1a2b"]);
  });

  it("gives every output that the schema requires", async () => {
    await registered(async () => {
      const { handle: cluster, ...outputs } = await construct("cluster:ExistingCluster", "laptop", {});
      assert.deepEqual(JSON.parse(cluster).ready, []);
      assert.ok(outputs.urn);
      const dns = await construct("dns:CoreDns", "dns", { cluster });
      for (const key of JSON.parse(SCHEMA).resources["eks-dns-logging:dns:CoreDns"].required)
        assert.notEqual(dns[key], undefined, key);
    });
  });

  it("names the inputs that are wrong, all of them at once", async () => {
    const refused = (token: string, inputs: pulumi.Inputs) =>
      registered(async () => void (await construct(token, "x", inputs)));
    await assert.rejects(refused("dns:CoreDns", { cluster: "prod" }), {
      message:
        "Invalid arguments (1 error)\n  x.cluster: must be the output `handle` of EksCluster, ExistingEksCluster or ExistingCluster",
    });
    await assert.rejects(refused("cluster:EksCluster", { region: "eu-central-1", version: "1.29" }), {
      message: 'Invalid arguments (1 error)\n  x.version: must be one of 1.34, 1.35, 1.36 (found "1.29")',
    });
    await assert.rejects(
      refused("cluster:EksCluster", {
        region: pulumi.secret("eu-central-1"),
        nodeGroups: [{ name: pulumi.secret("a") }],
      }),
      {
        message:
          "Invalid arguments (2 errors)\n  x.region: must not be a secret, because it is part of names" +
          "\n  x.nodeGroups[0].name: must not be a secret, because it is part of names",
      },
    );
  });

  it("names an input as it is written, whatever the component is called", async () => {
    const destinations = { "archive.eu": { kind: "stdout" } };
    const message =
      "Invalid arguments (1 error)\n  destinations.destinations[\"archive.eu\"]: key must be up to 20 lower-case letters, digits and '-', with a letter first and after each '-'";
    await registered(async () => {
      const { handle: cluster } = await construct("cluster:ExistingCluster", "laptop", {});
      await assert.rejects(construct("logging:LogCollection", "destinations", { cluster, destinations }), { message });
    });
  });

  it("says in one sentence what does not run on Fargate only", async () => {
    const fargate = { ...EXISTING_EKS, compute: "fargate" } as const;
    const no = "on a cluster of Fargate alone, which runs no DaemonSet";
    const canary = { enabled: false };
    const cases: readonly (readonly [
      token: string,
      inputs: pulumi.Inputs,
      errors: Readonly<Record<string, string>>,
    ])[] = [
      ["monitoring:Monitoring", { kind: "cloudwatch", canary }, { kind: `must not be cloudwatch ${no}` }],
      ["monitoring:Monitoring", { kind: "annotations" }, { "canary.enabled": `must be false ${no}` }],
      [
        "monitoring:Monitoring",
        { kind: "cloudwatch" },
        { kind: `must not be cloudwatch ${no}`, "canary.enabled": `must be false ${no}` },
      ],
      ["monitoring:Monitoring", { kind: "annotations", canary }, {}],
      ["logging:LogCollection", { destination: { kind: "stdout" } }, { mode: `must be sidecar ${no}` }],
      ["logging:LogCollection", { mode: "sidecar" }, {}],
      ["dns:CoreDns", { clusterDns: ["172.20.0.10"], nodeLocalCache: {} }, { nodeLocalCache: `must not be set ${no}` }],
      ["dns:NodeLocalCache", { clusterDns: ["172.20.0.10"] }, { "": `must not be created ${no}` }],
    ];
    for (const [token, inputs, expected] of cases) {
      await registered(async () => {
        const { handle: cluster } = await construct("cluster:ExistingEksCluster", "prod", fargate);
        const made = construct(token, "x", { ...inputs, cluster });
        const found = Object.entries(expected).map(([path, message]) => [
          ["x", path].filter(Boolean).join("."),
          message,
        ]);
        if (found.length > 0)
          await assert.rejects(made, (error) => {
            assert.ok(error instanceof ArgumentsError);
            assert.deepEqual(
              error.issues.map(({ path, message }) => [path.join("."), message]),
              found,
            );
            return true;
          });
        else await made;
      });
    }
    await registered(async () => {
      const { handle: cluster } = new ExistingEksCluster("prod", fargate);
      assert.throws(() => new Monitoring("watch", { kind: "cloudwatch", canary, cluster }), {
        message: `Invalid arguments (1 error)\n  watch.kind: must not be cloudwatch ${no} (found "cloudwatch")`,
      });
    });
  });

  it("requires only those values in a preview that determine resources", async () => {
    await registered(async () => {
      const vpc = new k8s.core.v1.Namespace("stands-for-a-vpc");
      const { handle: cluster } = await construct("cluster:ExistingCluster", "laptop", {});
      // An id is unknown before it is made.
      const labels = { vpc: vpc.id };
      await construct("team:Team", "shop", { cluster, labels, curlPod: { image: vpc.id } });
      const destination = { kind: "kafka", brokers: [pulumi.interpolate`${vpc.metadata.name}:9092`], topic: "t" };
      await construct("logging:LogCollection", "logs", { cluster, destination });
      await assert.rejects(construct("team:Team", "other", { cluster, curlPod: { ndots: vpc.id, image: vpc.id } }), {
        message:
          "Invalid arguments (1 error)\n  other.curlPod.ndots: must be known before the deployment, because it determines what is created",
      });
      await assert.rejects(construct("team:Team", "web", { cluster, team: vpc.id, peers: [vpc.id] }), {
        message:
          "Invalid arguments (2 errors)\n  web.team: must be known before the deployment, because it determines what is created" +
          "\n  web.peers[0]: must be known before the deployment, because it determines what is created",
      });
    });
  });

  it("takes the output forPods of a CoreDNS that has none, which a preview does not know", async () => {
    const team = (dns: (unknown: unknown) => pulumi.Inputs) =>
      registered(async () => {
        const { handle: cluster } = await construct("cluster:ExistingCluster", "laptop", {});
        const { id } = new k8s.core.v1.Namespace("stands-for-an-output");
        await construct("team:Team", "shop", { cluster, ...dns(id) });
      });
    assert.deepEqual(await team((unknown) => ({ dns: unknown })), await team(() => ({})));
  });

  it("names what is wrong in the arguments that other components have too", async () => {
    const paths = async (token: string, inputs: pulumi.Inputs): Promise<string[]> => {
      const found: string[] = [];
      await registered(async () => {
        const { handle: cluster } = await construct("cluster:ExistingCluster", "laptop", {});
        const refused = (error: unknown) => {
          assert.ok(error instanceof ArgumentsError);
          found.push(...error.issues.map(({ path }) => path.join(".")));
          return true;
        };
        await assert.rejects(construct(token, "x", { ...inputs, cluster }), refused);
      });
      return found;
    };
    const watched = { kind: "prom", dns: { replicas: 0 }, teams: ["a"] };
    assert.deepEqual(await paths("monitoring:Monitoring", watched), ["x.kind", "x.dns.replicas", "x.teams.0"]);
    assert.deepEqual(await paths("monitoring:Monitoring", { logging: { collector: "no" } }), ["x.logging.collector"]);
    const network = {
      teams: [{ name: "a" }],
      dnsAddresses: ["x"],
      dnsPorts: [0],
      egress: [{ to: [], ports: [{ port: 1, protocol: "ICMP" }] }],
      dnsNamespaces: "x",
    };
    assert.deepEqual(await paths("team:Team", { network, dns: { nameservers: ["x"] } }), [
      "x.network.teams.0.peers",
      "x.network.dnsAddresses.0",
      "x.network.dnsPorts.0",
      "x.network.egress.0.ports.0.protocol",
      "x.network.dnsNamespaces",
      "x.dns.nameservers.0",
      "x.dns.clusterDomain",
    ]);
  });
});
