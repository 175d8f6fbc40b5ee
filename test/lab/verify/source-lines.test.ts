import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { ClusterError, type ProxyTarget } from "../../../lab/kubernetes/cluster.ts";
import { allChecks, checkInputOf } from "../../../lab/verify/catalog.ts";
import { sourceCheck } from "../../../lab/verify/checks/log-lines.ts";
import { sourceFinders } from "../../../lab/verify/find/source-finders.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { fakeCluster, runningPod } from "./fake-cluster.ts";

const settingsOf = (logging: object, cluster: object = { kind: "existing", context: "kind-lab" }) =>
  parseSettings({
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": JSON.stringify(cluster),
    "eks-dns-logging:logging": JSON.stringify(logging),
  });
const SEARCH = { kind: "opensearch", inCluster: true };
const reader = runningPod("events", {
  namespace: "logging",
  name: "fluent-bit-events-0",
  ip: "10.0.0.8",
  containers: ["fluent-bit"],
});

/** The row of a source, run on a cluster that answers so. */
async function row(
  source: string,
  logging: object,
  changes: Parameters<typeof fakeCluster>[0] = {},
  aws?: (args: readonly string[]) => Promise<string>,
) {
  const onAws = aws && { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" };
  const finder = sourceFinders(settingsOf(logging, onAws), aws).find((one) => one.source === source);
  assert.ok(finder, source);
  const lab = new Lab(fakeCluster({ pods: async () => [reader], ...changes }));
  return sourceCheck(finder, 0.01).run(lab);
}

/** An answer of OpenSearch with a document of this index and age in seconds. */
function hit(index: string, age: number): string {
  const _source = { "@timestamp": new Date(Date.now() - age * 1000).toISOString() };
  return JSON.stringify({ hits: { hits: [{ _index: index, _source }] } });
}
const NO_HIT = JSON.stringify({ hits: { hits: [] } });
const today = (age = 0) => new Date(Date.now() - age * 1000).toISOString().slice(0, 10).replaceAll("-", ".");

describe("the rows of sources", () => {
  it("exist for each source at each of its destinations, but not for pods", () => {
    const idsOf = (logging: object) => {
      const checks = allChecks(checkInputOf("local", settingsOf(logging), 60));
      return checks.flatMap(({ id, group }) => (group === "source" ? id : []));
    };
    assert.deepEqual(idsOf({ destination: SEARCH }), []);
    assert.deepEqual(idsOf({ destination: SEARCH, sources: ["pods", "events", "auth"] }), [
      "source:auth",
      "source:events",
    ]);
    const destinations = { all: SEARCH, siem: { kind: "http", url: "http://siem/" } };
    const routes = [{ to: ["all"] }, { to: ["siem"], sources: ["kernel"] }];
    assert.deepEqual(idsOf({ destinations, routes, sources: ["pods", "kernel", "events"] }), [
      "source:kernel:all",
      "source:events:all",
      "source:kernel:siem",
    ]);
  });

  it("create an event about the reader's pod and find it, under the name of its index", async () => {
    const made: string[] = [];
    const asked: string[] = [];
    const logging = { destination: SEARCH, sources: ["pods", "events"], index: { prefix: "app", splitBy: "team" } };
    const found = await row("events", logging, {
      createEvent: async ({ name }, message) => void made.push(name, message),
      proxyGet: async (_target, path) => {
        asked.push(path);
        return hit(`app-cluster-events-${today()}`, 0);
      },
    });
    assert.equal(found.status, "pass");
    assert.match(found.detail, /^event found in index app-cluster-events-[\d.]+ after \d+ ms$/);
    assert.equal(made[0], "fluent-bit-events-0");
    assert.match(asked[0] ?? "", new RegExp(`^/app-cluster-events-\\*/_search\\?q=${made[1]}&`));
  });

  it("say why an event was not found, or could not be created", async () => {
    const logging = { destination: SEARCH, sources: ["pods", "events"] };
    const missing = await row("events", logging, { proxyGet: async () => NO_HIT });
    assert.equal(missing.status, "fail");
    assert.match(missing.cause ?? "", /kubectl -n logging logs fluent-bit-events-0/);
    const createEvent = async () => {
      throw new ClusterError("forbidden", "no");
    };
    const refused = await row("events", logging, { createEvent });
    assert.deepEqual([refused.status, refused.detail], ["skip", "needs the right to create events in logging"]);
    const misplaced = await row("events", logging, { proxyGet: async () => hit("logs-cluster-events-2020.01.01", 0) });
    assert.deepEqual([misplaced.status, misplaced.cause?.startsWith("by its time and the settings")], ["fail", true]);
    await assert.rejects(row("events", logging, { pods: async () => [] }), {
      message: "no fluent-bit-events pod",
      likelyCause: /StatefulSet fluent-bit-events does not exist/,
    });
    await assert.rejects(row("events", logging, { pods: async () => [{ ...reader, ready: false }] }), /is not ready/);
  });

  for (const [source, answer, status, detail] of [
    ["kubelet", () => hit(`logs-node-kubelet-${today(40)}`, 40), "pass", /is 4\d s old$/],
    ["kubelet", () => hit(`logs-node-kubelet-${today(7300)}`, 7300), "warn", /is 2 h old$/],
    ["kernel", () => hit(`logs-node-kernel-${today(7300)}`, 7300), "pass", /is 2 h old$/],
    ["kubelet", () => NO_HIT, "fail", /^no line$/],
    ["auth", () => NO_HIT, "warn", /^no line$/],
    ["auth", () => hit("logs-node-auth-2020.01.01", 5), "fail", /^newest line in index logs-node-auth-2020/],
  ] as const)
    it(`${status} with the newest line of ${source}: ${detail}`, async () => {
      const found = await row(
        source,
        { destination: SEARCH, sources: ["pods", source] },
        { proxyGet: async () => answer() },
      );
      assert.equal(found.status, status, found.detail);
      assert.match(found.detail, detail);
    });

  it("ask Loki by the labels of the source", async () => {
    const destination = { kind: "loki", url: "http://loki.obs.svc:3100" };
    const asked: string[] = [];
    const answer = (values: [string, string][]) => JSON.stringify({ data: { result: [{ stream: {}, values }] } });
    const logging = { destination, sources: ["pods", "containerd", "events"] };
    const proxyGet = async (_target: unknown, path: string) => {
      asked.push(decodeURIComponent(path.replaceAll("+", " ")));
      return answer([[`${Date.now() - 3000}000000`, "{}"]]);
    };
    const found = await row("containerd", logging, { proxyGet });
    assert.equal(found.status, "pass");
    assert.match(found.detail, /^newest line in stream \{job="eks-dns-logging", source="containerd"\} is [34] s old$/);
    assert.match(asked[0] ?? "", /query=\{job="eks-dns-logging", source="containerd"\}&limit=1/);
    await row("events", logging, { proxyGet });
    assert.match(asked[1] ?? "", /source="events"\} \|= "labmarker\w+"/);
    const byOtlp = { ...logging, collector: "opentelemetry" };
    for (const source of ["containerd", "events"]) await row(source, byOtlp, { proxyGet });
    assert.match(asked[2] ?? "", /query=\{service_name="eks-dns-logging", service_namespace="containerd"\}&/);
    assert.match(asked[3] ?? "", /query=\{job="eks-dns-logging", source="events"\}/);
    const none = await row("containerd", logging, { proxyGet: async () => answer([]) });
    assert.deepEqual([none.status, none.detail], ["warn", "no line in the last 60 min"]);
  });

  it("ask CloudWatch Logs for the stream of events, and of the nodes", async () => {
    const asked: string[][] = [];
    const answer = (logStreamName: string) => async (args: readonly string[]) => {
      asked.push([...args]);
      const at = (age: number) => ({ logStreamName, timestamp: Date.now() - age });
      return JSON.stringify({ events: [at(60_000), at(1000), at(30_000)] });
    };
    const logging = { destination: { kind: "cloudwatch" }, sources: ["pods", "kubelet", "events"] };
    const found = await row("kubelet", logging, {}, answer("node-1.kubelet"));
    assert.equal(found.facts?.where, "log stream node-1.kubelet");
    assert.equal(found.facts?.ageSeconds, 1);
    assert.deepEqual(asked[0]?.slice(-2), ["--log-stream-names", "node-1.kubelet"]);
    assert.ok(asked[0]?.includes("/eks-dns-logging/prod/pods"));
    await row("events", logging, {}, answer("events"));
    assert.deepEqual(asked[1]?.slice(-2), ["--log-stream-names", "events"]);
    assert.match(asked[1]?.join(" ") ?? "", /--filter-pattern "labmarker\w+"/);
  });

  it("read the collector's own log, and files on the nodes", async () => {
    const line = `{"@timestamp":"${new Date(Date.now() - 9000).toISOString()}","source":"kernel","log":"x"}`;
    const printed = { destination: { kind: "stdout" }, sources: ["pods", "kernel"] };
    const own = await row("kernel", printed, { logs: async () => `{"log":"y"}\n${line}\n{"source":"auth"}` });
    assert.deepEqual([own.status, own.facts?.where], ["pass", "log of fluent-bit-events-0"]);
    assert.match(own.detail, /is (9|10) s old$/);
    assert.equal((await row("kernel", printed, { logs: async () => '{"log":"\\"source\\"kernel"}' })).status, "warn");
    const files = { destination: { kind: "file", path: "/var/log/out" }, sources: ["pods", "kernel"] };
    const proxyGet = async (_target: unknown, path: string) =>
      path.endsWith("/") ? '<a href="pods.log">pods.log</a><a href="kernel.log">kernel.log</a>' : "a line\n";
    const found = await row("kernel", files, { proxyGet });
    assert.deepEqual([found.status, found.detail], ["pass", "newest line in /var/log/out/kernel.log on node-1"]);
    assert.equal((await row("kernel", files, { proxyGet: async () => "" })).status, "warn");
  });

  it("ask the nodes of the collector, and no others, such as those of Fargate", async () => {
    const node = (name: string) => ({ name, ready: true, version: "", zone: "", osImage: "", runtime: "" });
    const others = [1, 2, 3, 4].map((index) => node(`fargate-${index}`));
    const nodes = async () => [...others, node("node-1")];
    const files = { destination: { kind: "file", path: "/var/log/out" }, sources: ["pods", "kernel"] };
    const proxyGet = async (target: ProxyTarget, path: string) => {
      if (target.name !== "node-1") throw new ClusterError("other", `${target.name} runs no collector`);
      return path.endsWith("/") ? '<a href="kernel.log">kernel.log</a>' : "a line\n";
    };
    const found = await row("kernel", files, { nodes, proxyGet });
    assert.deepEqual([found.status, found.detail], ["pass", "newest line in /var/log/out/kernel.log on node-1"]);
    const asked: string[] = [];
    const aws = async (args: readonly string[]) => {
      asked.push(...args.slice(-2));
      return JSON.stringify({ events: [{ logStreamName: "node-1.kubelet", timestamp: Date.now() }] });
    };
    await row("kubelet", { destination: { kind: "cloudwatch" }, sources: ["pods", "kubelet"] }, { nodes }, aws);
    assert.deepEqual(asked, ["--log-stream-names", "node-1.kubelet"]);
  });

  it("report that other destinations cannot be read", async () => {
    for (const destination of [
      { kind: "http", url: "http://a/" },
      { kind: "otlp", url: "http://a:4318" },
      { kind: "kafka", brokers: ["k:9093"], topic: "t" },
    ]) {
      const found = await row("kernel", { destination, sources: ["pods", "kernel"] });
      assert.equal(found.status, "skip");
      assert.match(found.detail, /queried|passes lines on/);
    }
  });

  it("of the audit log ask AWS for the group of the control plane, or for the objects of this hour and the last", async () => {
    const asked: string[][] = [];
    const answering = (answer: (args: readonly string[]) => object | string) => async (args: readonly string[]) => {
      asked.push([...args]);
      const said = answer(args);
      return typeof said === "string" ? said : JSON.stringify(said);
    };
    const ofGroup = { sources: ["pods", "audit"], destination: { kind: "cloudwatch" } };
    const stream = "kube-apiserver-audit-0123";
    // The age counts from the answer, however long the settings took to be read.
    const events = () => [{ logStreamName: stream, timestamp: Date.now() - 5000 }];
    const found = await row(
      "audit",
      ofGroup,
      {},
      answering(() => ({ events: events() })),
    );
    assert.deepEqual([found.status, found.detail], ["pass", `newest line in log stream ${stream} is 5 s old`]);
    const [args = []] = asked;
    const optionOf = (option: string) => args[args.indexOf(option) + 1];
    assert.equal(optionOf("--log-group-name"), "/aws/eks/prod/cluster");
    assert.equal(optionOf("--log-stream-name-prefix"), "kube-apiserver-audit");
    const none = await row(
      "audit",
      ofGroup,
      {},
      answering(() => ({ events: [] })),
    );
    assert.equal(none.status, "fail");
    assert.match(none.cause ?? "", /aws eks describe-cluster --name prod/);

    const inBucket = { sources: ["pods", "audit"], destination: { kind: "s3", bucket: "ours", prefix: "p" } };
    asked.length = 0;
    const objects = () =>
      [3, 1, 2].map((number) => ({
        Key: `p/cluster/audit/2026/11/29/0${number}.gz`,
        LastModified: new Date(Date.now() - number * 60_000).toISOString(),
      }));
    const isLast = (all: readonly string[]) => all === asked[1];
    const newest = await row(
      "audit",
      inBucket,
      {},
      answering((all) => (isLast(all) ? "" : { Contents: objects() })),
    );
    assert.match(newest.detail, /^newest line in p\/cluster\/audit\/2026\/11\/29\/01\.gz is 60 s old$/);
    const prefixes = asked.map((all) => all[all.indexOf("--prefix") + 1] ?? "");
    for (const prefix of prefixes) assert.match(prefix, /^p\/cluster\/audit\/\d{4}\/\d\d\/\d\d\/\d\d\/$/);
    assert.equal(new Set(prefixes).size, 2);
    const empty = await row(
      "audit",
      inBucket,
      {},
      answering(() => ""),
    );
    assert.match(empty.cause ?? "", /look below p\/cluster\/audit-errors/);
    const passed = {
      sources: ["pods", "audit"],
      destinations: { groups: { kind: "cloudwatch" }, siem: { kind: "firehose", stream: "theirs" } },
      routes: [
        { to: ["groups"], sources: ["pods"] },
        { to: ["siem"], sources: ["audit"] },
      ],
    };
    assert.equal(
      (
        await row(
          "audit",
          passed,
          {},
          answering(() => ""),
        )
      ).status,
      "skip",
    );
  });
});
