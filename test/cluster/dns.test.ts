import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { bench } from "../../lab/dns/bench.ts";
import { dnsClientAt } from "../../lab/dns/dns-client.ts";
import { type Explanation, explain } from "../../lab/dns/explanation.ts";
import type { Cluster } from "../../lab/kubernetes/cluster.ts";
import { connect } from "../../lab/kubernetes/connect.ts";
import { runLab } from "../support/run-lab.ts";
import { TestCluster, until } from "./cluster.ts";
import { askingPod, object, runCoreDns } from "./dns-pods.ts";

const NAMESPACE = "dns-explain-test";
const RECORDER = "recorder";
const SERVICE = "asked";
const ZONE = "svc.cluster.local";
const FULL = `${SERVICE}.${NAMESPACE}.${ZONE}`;

/** Queries that a name which exists costs, by how it is written and the pod's ndots. */
const COSTS: readonly (readonly [form: string, ndots: number, queries: number])[] = [
  [SERVICE, 5, 2],
  [SERVICE, 3, 2],
  [SERVICE, 2, 2],
  [`${SERVICE}.${NAMESPACE}`, 5, 4],
  [`${SERVICE}.${NAMESPACE}`, 3, 4],
  [`${SERVICE}.${NAMESPACE}`, 2, 4],
  [`${SERVICE}.${NAMESPACE}.svc`, 5, 6],
  [`${SERVICE}.${NAMESPACE}.svc`, 3, 6],
  [FULL, 5, 8],
  [FULL, 3, 2],
  [FULL, 2, 2],
  [`${FULL}.`, 5, 2],
  [`${FULL}.`, 3, 2],
];

/** A line that the recording CoreDNS writes for a query. */
interface Recorded {
  readonly proto: string;
  readonly query: string;
}

describe("what a name costs, against a CoreDNS that writes down each query", () => {
  const tests = new TestCluster();
  let cluster: Cluster;
  const namespace = object("v1", "Namespace", NAMESPACE);

  before(async () => {
    await tests.remove(namespace);
    ({ cluster } = await connect({}));
    const { clusterIP } = await cluster.service("kube-system", "kube-dns");
    await tests.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    // It writes each query down and asks the cluster's own.
    const corefile = `.:53 {\n  errors\n  log . "asked {proto} {name} {type}"\n  forward . ${clusterIP}\n}\n`;
    const ip = await runCoreDns(tests, NAMESPACE, RECORDER, corefile);
    await tests.apply(service());
    for (const ndots of [5, 3, 2]) await tests.apply(askingPod(NAMESPACE, `ndots-${ndots}`, ip, ndots));
    for (const ndots of [5, 3, 2]) await until("a pod runs", () => tests.podIsReady(NAMESPACE, `ndots-${ndots}`));
  });

  after(() => tests.remove(namespace));

  for (const [form, ndots, queries] of COSTS) {
    it(`costs ${queries} queries to look up ${form} with ndots ${ndots}, twice in a row`, async () => {
      for (const turn of ["first", "second"]) {
        const { explanation, resolver } = await observed(form, ndots);
        assert.ok(explanation.found && explanation.curl?.found, turn);
        assert.equal(explanation.queries, queries, turn);
        assert.deepEqual(resolver.toSorted(), queriesOf(explanation).toSorted(), turn);
      }
    });
  }

  it("costs the full name a quarter with ndots 3 of what it costs with ndots 5", async () => {
    const [five, three] = [await observed(FULL, 5), await observed(FULL, 3)];
    assert.ok(five.resolver.length >= 3 * three.resolver.length, `${five.resolver.length}, ${three.resolver.length}`);
  });

  it("counts a name that nobody knows, with the queries that are sent again where the upstream fails", async () => {
    const { explanation, resolver } = await observed(`nobody.${NAMESPACE}`, 3);
    assert.equal(explanation.found, false);
    assert.equal(resolver.length, explanation.queries, resolver.join("\n"));
    assert.deepEqual([...new Set(resolver)].toSorted(), queriesOf(explanation).toSorted());
  });

  it("asks itself for the same names in the same order as the resolver", async () => {
    const { explanation, asked, resolver } = await observed(`${SERVICE}.${NAMESPACE}`, 5);
    const names = [...new Set(explanation.rows.map(({ name }) => name))];
    assert.deepEqual([namesOf(asked), namesOf(resolver)], [names, names]);
    assert.deepEqual(asked.toSorted(), resolver.toSorted());
  });

  it("benches as many queries as it says, and no more", async () => {
    const before = (await recorded(tests)).length;
    const client = await dnsClientAt(cluster, `${NAMESPACE}/ndots-5`);
    const internal = `${FULL}.`;
    const { rows } = await bench(cluster, client, { perSecond: 50, seconds: 2, internal, outside: `none.${FULL}` });
    const sent = 3 * 100 + 3 * 2;
    const lines = await recordedSince(before, (seen) => seen.length >= sent);
    // Each kind of name is asked for once, by both types, before it is asked for often.
    const seen = (part: string) => lines.filter(({ query }) => query.includes(part)).length - 2;
    for (const { kind, summary } of rows) {
      assert.deepEqual([summary?.asked, summary?.answered], [100, 100], kind);
      const { p50 = 0, p99 = 0, perSecond = 0 } = summary ?? {};
      assert.ok(p50 > 0 && p50 <= p99 && perSecond <= 55, `${p50} ${p99} ${perSecond}`);
    }
    assert.deepEqual(Object.keys(rows[0]?.summary?.codes ?? {}), ["NOERROR"]);
    assert.deepEqual(Object.keys(rows[2]?.summary?.codes ?? {}), ["NXDOMAIN"]);
    assert.equal(seen(`none.${FULL}`), 100);
    assert.equal(lines.length, sent);
  });

  it("is run from the command line, and finds", async () => {
    const run = await runLab(["dns", "explain", FULL, "--from", `${NAMESPACE}/ndots-3`]);
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stdout, /^found after 2 queries for 1 name, .* ms in a row; curl's own lookup took/m);
    assert.equal((await runLab(["dns", "explain", "nobody.", "--from", `${NAMESPACE}/ndots-3`])).exitCode, 1);
  });

  for (const [what, from, line] of [
    ["pod", `${NAMESPACE}/none`, /^no pod 'none' in namespace dns-explain-test; found: ndots-2, /],
    ["namespace", "no-such-namespace/none", /^no namespace 'no-such-namespace' in context /],
    ["shell", `${NAMESPACE}/${RECORDER}`, /^container coredns of dns-explain-test\/recorder has no sh, /],
  ] as const) {
    it(`says in one line that the ${what} is missing`, async () => {
      for (const command of [["explain", FULL], ["bench"]]) {
        const run = await runLab(["dns", ...command, "--from", from]);
        assert.deepEqual([run.exitCode, run.stdout, run.stderr.split("\n").length], [2, "", 2], run.stderr);
        assert.match(run.stderr, line);
      }
    });
  }

  it("says in one line which right is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
    const file = join(folder, "config");
    await writeFile(file, await kubeconfigOf(tests, "stranger"));
    const args = ["dns", "explain", FULL, "--from", `${NAMESPACE}/ndots-3`, "--kubeconfig", file];
    const stranger = `system:serviceaccount:${NAMESPACE}:stranger may not`;
    const before = await runLab(args);
    for (const one of readsPods("stranger")) await tests.apply(one);
    const reader = await runLab(args);
    await rm(folder, { recursive: true });
    assert.deepEqual([before.exitCode, reader.exitCode], [2, 2]);
    assert.equal(before.stderr, `${NAMESPACE}/ndots-3: forbidden: ${stranger} get pods in ${NAMESPACE}\n`);
    assert.match(reader.stderr, /^dns-explain-test\/ndots-3: forbidden: .* may not create pods\/exec in [\w-]+\n$/);
  });

  /** Explains a name, and returns what the recorder saw: by UDP the resolver of the pod's curl, by TCP explain itself. */
  async function observed(form: string, ndots: number) {
    const before = (await recorded(tests)).length;
    const explanation = await explain(cluster, await dnsClientAt(cluster, `${NAMESPACE}/ndots-${ndots}`), form);
    const by = (lines: readonly Recorded[], proto: string) =>
      lines.filter((line) => line.proto === proto).map((line) => line.query);
    const lines = await recordedSince(
      before,
      (seen) => by(seen, "udp").length >= explanation.queries && by(seen, "tcp").length >= explanation.rows.length,
    );
    return { explanation, resolver: by(lines, "udp"), asked: by(lines, "tcp") };
  }

  /** What the recorder has written beyond its first lines, once all is there that was sent. One more would be one too many. */
  async function recordedSince(before: number, all: (lines: readonly Recorded[]) => boolean) {
    const lines = async () => (await recorded(tests)).slice(before);
    await until("the recorder has written", async () => all(await lines()));
    await wait(500);
    return lines();
  }
});

/**
 * Names in the order in which they were first asked for. CoreDNS writes a query down after its answer has left, so a line may come after
 * one of the next name; that both lines of a name do is not to be expected.
 */
function namesOf(queries: readonly string[]): string[] {
  return [...new Set(queries.map((query) => query.slice(0, query.indexOf(" "))))];
}

function queriesOf({ rows }: Explanation): string[] {
  return rows.map(({ name, type }) => `${name} ${type}`);
}

async function recorded(tests: TestCluster): Promise<Recorded[]> {
  const log = await tests.core.readNamespacedPodLog({ namespace: NAMESPACE, name: RECORDER });
  return [...log.matchAll(/asked (udp|tcp) (\S+) (\S+)/g)].map(([, proto = "", name = "", type = ""]) => ({
    proto,
    query: `${name} ${type}`,
  }));
}

/** A name to look up; nothing needs to answer behind it. */
function service(): KubernetesObject {
  const spec = { ports: [{ port: 80 }] };
  return Object.assign(object("v1", "Service", SERVICE), { metadata: { name: SERVICE, namespace: NAMESPACE }, spec });
}

/** A kubeconfig for a ServiceAccount without rights. */
async function kubeconfigOf(tests: TestCluster, name: string): Promise<string> {
  await tests.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: NAMESPACE } });
  const body = { spec: { audiences: [], expirationSeconds: 600 } };
  const { status } = await tests.core.createNamespacedServiceAccountToken({ name, namespace: NAMESPACE, body });
  const config = new KubeConfig();
  config.loadFromDefault();
  const cluster = config.getCurrentCluster();
  assert.ok(cluster !== null && status !== undefined);
  const user = { name, token: status.token };
  config.loadFromClusterAndUser(cluster, user);
  return config.exportConfig();
}

/** The right to see pods, and nothing more. */
function readsPods(name: string): KubernetesObject[] {
  const metadata = { name, namespace: NAMESPACE };
  const group = "rbac.authorization.k8s.io";
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const subjects = [{ kind: "ServiceAccount", name, namespace: NAMESPACE }];
  const roleRef = { apiGroup: group, kind: "Role", name };
  return [
    Object.assign(object(`${group}/v1`, "Role", name), { metadata, rules }),
    Object.assign(object(`${group}/v1`, "RoleBinding", name), { metadata, subjects, roleRef }),
  ];
}
