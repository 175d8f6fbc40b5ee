import assert from "node:assert/strict";
import type { KubernetesObject } from "@kubernetes/client-node";
import { manifestsOf } from "../../lab/plan/manifests.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { leaveOut } from "../support/leave-out.ts";
import { removeAll, TestCluster, until } from "./cluster.ts";
import { object, runCoreDns } from "./dns-pods.ts";
import { connections, enforcesPolicies, NOT_ENFORCED, run } from "./enforcement.ts";
import { type StandIn, standInObjects } from "./network-stand-ins.ts";

/** Everything that brings a policy: peers one way, other ways in and out, a collector that receives, and monitoring of a CoreDNS of its own. */
const STACK = {
  cluster: { kind: "existing" },
  dns: { adopt: {} },
  teams: [
    {
      name: "net-a",
      peers: ["net-b"],
      egress: [{ namespaces: ["net-outside"], ports: [8080, { port: 53, protocol: "UDP" }] }],
    },
    { name: "net-b", ingress: [{ namespaces: ["net-outside"], ports: [8080] }] },
    { name: "net-c" },
  ],
  logging: {
    collector: "opentelemetry",
    sources: ["pods", "events"],
    destination: { kind: "loki", url: "http://loki.net-outside.svc:3100" },
  },
  monitoring: { kind: "annotations", prometheus: { namespace: "net-scraper", kubeStateMetrics: false } },
};

/** For programs whose images not every cluster can pull, and for what is in no stack. */
const STAND_INS: Readonly<Record<string, StandIn>> = {
  app: { namespace: "net-b-team", name: "app", ports: [8080, 8081] },
  prometheus: { namespace: "net-scraper", name: "prometheus", ports: [9090] },
  outside: { namespace: "net-outside", name: "outside", ports: [8080, 8081, 3100, 8443] },
  collector: {
    namespace: "logging",
    name: "collector",
    labels: { "app.kubernetes.io/name": "opentelemetry" },
    ports: [8888, 4317, 4318, 9999],
  },
  events: {
    namespace: "logging",
    name: "events",
    labels: { "app.kubernetes.io/name": "fluent-bit-events" },
    ports: [2020, 9999],
  },
};

/** Where connections start, and to which ports they lead: `x` comes about, `.` is dropped. A pod always reaches itself. */
const TABLE = `
                 a b c app prometheus outside collector events canary
a:80             x . . .   .          .       .         .      .
b:80             x x . x   .          .       .         .      .
c:80             . . x .   .          .       .         .      .
app:8080         x x . x   .          x       .         .      .
app:8081         x x . x   .          .       .         .      .
app:service      x x . x   .          x       .         .      .
outside:8080     x . . .   x          x       x         x      .
outside:8081     . . . .   x          x       x         x      .
outside:3100     . . . .   x          x       x         x      x
outside:8443     . . . .   x          x       x         x      x
outside:service  x . . .   x          x       x         x      .
prometheus:9090  . . . .   x          x       x         x      .
collector:8888   . . . .   x          .       x         .      .
collector:4317   x x x x   x          x       x         x      .
collector:4318   x x x x   x          x       x         x      .
collector:9999   . . . .   .          .       x         .      .
events:2020      . . . .   x          .       .         x      .
events:9999      . . . .   .          .       .         x      .
canary:8080      . . . .   x          .       .         .      x
coredns:53       x x x x   x          x       x         x      x
coredns:8080     . . . .   x          x       x         x      .
coredns:8181     . . . .   x          x       x         x      .
coredns:9153     . . . .   x          .       .         .      .
`;

interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
}

describe("the network policies, where the network enforces them", () => {
  const cluster = new TestCluster();
  const pods = new Map<string, Pod>();
  let objects: KubernetesObject[] = [];
  let resolver = "";

  before(async function () {
    if (!(await enforcesPolicies())) return leaveOut(this, NOT_ENFORCED);
    for (const name of ["logging", "canary", "net-a-team", "net-scraper"])
      assert.ok(!(await cluster.hasNamespace(name)), `namespace ${name} is there already`);
    objects = [
      ...["net-outside", "net-scraper"].map((name) => object("v1", "Namespace", name)),
      ...(await planned()),
      ...Object.values(STAND_INS).flatMap(standInObjects),
    ];
    for (const one of objects) await cluster.apply(one);
    resolver = await runCoreDns(
      cluster,
      "net-outside",
      "resolver",
      ".:53 {\n  hosts {\n    192.0.2.1 answer.test\n  }\n}\n",
    );
    for (const team of ["a", "b", "c"]) await add(team, { namespace: `net-${team}-team`, name: `curl-net-${team}` });
    for (const [key, standIn] of Object.entries(STAND_INS)) {
      await until(`${key} is ready`, () => cluster.podIsReady(standIn.namespace, standIn.name));
      await add(key, standIn);
    }
    await add("canary", { namespace: "canary", name: await firstPod("canary", "app.kubernetes.io/name=canary") });
    await add("coredns", { namespace: "kube-system", name: await firstPod("kube-system", "k8s-app=kube-dns") });
    // The node learns of Services later than of pods.
    const { namespace, name } = podOf("outside");
    const services = ["app:service", "outside:service"].map(urlOf);
    await until(
      "Services lead to their pods",
      async () => !(await connections(namespace, name, services)).includes(false),
    );
  });

  after(() => removeAll(cluster, objects));

  /** What can run anywhere: not the collectors, nor what would change the cluster's own CoreDNS. */
  async function planned(): Promise<KubernetesObject[]> {
    const config = Object.entries(STACK).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
    const { resources } = await planStack({ name: "network", config: Object.fromEntries(config) });
    const all = manifestsOf(resources).map((one): KubernetesObject => JSON.parse(JSON.stringify(one.object)));
    return all.filter(
      ({ kind, metadata }) =>
        kind === "NetworkPolicy" ||
        kind === "Namespace" ||
        metadata?.namespace === "canary" ||
        metadata?.namespace?.startsWith("net-"),
    );
  }

  async function firstPod(namespace: string, labelSelector: string): Promise<string> {
    let name: string | undefined;
    await until(`a pod ${labelSelector} is there`, async () => {
      [name] = (await cluster.core.listNamespacedPod({ namespace, labelSelector })).items.map(
        ({ metadata }) => metadata?.name ?? "",
      );
      return name !== undefined;
    });
    return name ?? "";
  }

  async function add(key: string, { namespace, name }: Pick<Pod, "namespace" | "name">): Promise<void> {
    let ip: string | undefined;
    await until(`${name} runs`, async () => {
      const { status } = await cluster.pod(namespace, name);
      ip = status?.podIP;
      return ip !== undefined && (status?.containerStatuses ?? []).every(({ state }) => state?.running !== undefined);
    });
    pods.set(key, { namespace, name, ip: ip ?? "" });
  }

  function podOf(key: string): Pod {
    const pod = pods.get(key);
    assert.ok(pod, `pod ${key}`);
    return pod;
  }

  function urlOf(target: string): string {
    const [key = "", port] = target.split(":");
    const { namespace, name, ip } = podOf(key);
    return port === "service" ? `http://${name}.${namespace}.svc.cluster.local.` : `http://${ip}:${port}`;
  }

  it("let through what settings and docs say, and nothing else, by address and by Service", async () => {
    const [header = "", ...rows] = TABLE.trim()
      .split("\n")
      .map((line) => line.trim().split(/ +/))
      .map((cells) => cells);
    const sources = [...header];
    const targets = rows.map(([target = ""]) => target);
    const columns = await Promise.all(
      sources.map((source) => connections(podOf(source).namespace, podOf(source).name, targets.map(urlOf))),
    );
    const found = targets.map((target, row) =>
      [target, ...columns.map((column) => (column[row] ? "x" : "."))].join(" "),
    );
    assert.deepEqual(
      found,
      rows.map((cells) => cells.join(" ")),
    );
  });

  it("tell UDP from TCP", async () => {
    const asked = await Promise.all(
      ["a", "b", "c", "outside"].map(async (key) => {
        const { namespace, name } = podOf(key);
        const udp = await run(namespace, name, ["timeout", "4", "nslookup", "-type=a", "answer.test.", resolver]);
        const [tcp] = await connections(namespace, name, [`http://${resolver}:53`]);
        return `${key}: udp ${/192\.0\.2\.1/.test(udp.stdout)}, tcp ${tcp}`;
      }),
    );
    assert.deepEqual(asked, [
      "a: udp true, tcp false",
      "b: udp false, tcp false",
      "c: udp false, tcp false",
      "outside: udp true, tcp true",
    ]);
  });

  it("let teams ping their peers, and nobody through a rule with ports", async () => {
    const ping = async (from: string, to: string) => {
      const { exitCode } = await run(podOf(from).namespace, podOf(from).name, ["ping", "-c1", "-W2", podOf(to).ip]);
      return `${from} ${to} ${exitCode === 0}`;
    };
    const pairs = [
      ["a", "b"],
      ["b", "a"],
      ["b", "app"],
      ["a", "c"],
      ["outside", "app"],
      ["a", "outside"],
      ["canary", "outside"],
    ] as const;
    assert.deepEqual(await Promise.all(pairs.map(([from, to]) => ping(from, to))), [
      "a b true",
      "b a false",
      "b app true",
      "a c false",
      "outside app false",
      "a outside false",
      "canary outside false",
    ]);
  });
});
