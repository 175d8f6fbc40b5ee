import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { readCluster } from "../../lab/audit/cluster-objects.ts";
import { loadOf } from "../../lab/dns/bench.ts";
import { BENCH_SCRIPT, readSamples, scriptArguments } from "../../lab/dns/bench-script.ts";
import { connect } from "../../lab/kubernetes/connect.ts";
import { runLab } from "../support/run-lab.ts";
import { COREFILE, DEPLOYMENT, DNS_NAMESPACE, ownCoreDns, payments, TEAM_NAMESPACE } from "./adopt-objects.ts";
import { readManifests, TestCluster, until } from "./cluster.ts";
import { coreDnsImage } from "./dns-pods.ts";

const STACK = "adopted";
/** Not that of the objects' owner. */
const MANAGER = "eks-dns-logging-adopted";
const PER_SECOND = 100;
/** `ADOPT_QUERIES=10000` is the full run. */
const QUERIES = Number(process.env.ADOPT_QUERIES ?? 1500);

interface Report {
  readonly import: { readonly resources: readonly unknown[] };
  readonly rows: readonly { readonly action: string; readonly subject: string; readonly reason: string }[];
}

describe("lab adopt on a real cluster, with a CoreDNS of one's own and a running team", () => {
  const cluster = new TestCluster();
  let folder: string;
  let objects: KubernetesObject[] = [];
  let report: Report;
  const original = new Map<string, string>();

  before(async () => {
    assert.ok(!(await cluster.hasNamespace(TEAM_NAMESPACE)), `namespace ${TEAM_NAMESPACE} is there already`);
    folder = await mkdtemp(join(tmpdir(), "adopt-"));
    objects = [...ownCoreDns(await coreDnsImage(cluster)), ...payments()];
    for (const object of objects) await cluster.apply(object);
    await until("all pods are ready", async () => (await readyPods()).length === 5);
  });

  after(async () => {
    for (const object of objects.toReversed()) await cluster.remove(object);
    await rm(folder, { recursive: true });
  });

  const pods = async () => {
    const lists = await Promise.all(
      [DNS_NAMESPACE, TEAM_NAMESPACE].map((namespace) => cluster.core.listNamespacedPod({ namespace })),
    );
    return lists.flatMap(({ items }) => items);
  };
  const readyPods = async () =>
    (await pods()).filter(({ status }) =>
      status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
    );
  /** Each pod with the restarts of its containers. */
  const podIdentities = async () =>
    (await readyPods())
      .map(({ metadata, status }) => [
        metadata?.uid,
        ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount),
      ])
      .map(String)
      .sort();

  it("writes settings that keep each value, and names what stays alone", async () => {
    const run = await runLab([
      ...["adopt", "--stack", STACK, "--out", folder, "--json"],
      ...["--namespaces", TEAM_NAMESPACE, "--coredns", `${DNS_NAMESPACE}/${DEPLOYMENT}`],
    ]);
    assert.equal(run.exitCode, 0, run.stdout + run.stderr);
    report = JSON.parse(run.stdout);
    assert.deepEqual(report.import, { resources: [] });
    const left = report.rows.filter(({ action }) => action === "leave").map(({ subject }) => subject);
    for (const subject of ["ResourceQuota/payments/own", "LimitRange/payments/own", "RoleBinding/payments/developers"])
      assert.ok(left.includes(subject), `${subject} in ${left.join(", ")}`);
  });

  it(`is applied and released without a lost query of ${QUERIES} at ${PER_SECOND} per second, and leaves each object as it was`, async function () {
    this.timeout(240_000 + (QUERIES / PER_SECOND) * 2000);
    const before = await podIdentities();
    for (const [key, text] of await snapshot()) original.set(key, text);
    const plan = await planned(folder);
    const load = ask();
    for (const { object } of plan) await apply(cluster, object);
    const during = await readCluster(config(), [DNS_NAMESPACE, TEAM_NAMESPACE]);
    const managed = during.objects.filter(({ content }) => JSON.stringify(content).includes(`"${MANAGER}"`));
    assert.deepEqual(managed.map(({ kind, name }) => `${kind}/${name}`).sort(), [
      "ConfigMap/resolver-config",
      `Deployment/${DEPLOYMENT}`,
      "Namespace/payments",
      "NetworkPolicy/allow-dns",
      "NetworkPolicy/allow-egress",
      "NetworkPolicy/allow-ingress",
      "NetworkPolicy/allow-peers",
      "NetworkPolicy/default-deny",
      "Role/team-member",
      "RoleBinding/team-member",
    ]);
    const corefile = await cluster.core.readNamespacedConfigMap({ namespace: DNS_NAMESPACE, name: "resolver-config" });
    assert.equal(corefile.data?.Corefile, COREFILE);
    for (const { object, isPatch } of plan.toReversed())
      if (isPatch) await apply(cluster, identityOf(object));
      else await cluster.remove(object);
    const samples = await load;
    const failed = samples.filter(({ code }) => code !== "NOERROR");
    assert.equal(samples.length, QUERIES);
    assert.deepEqual(failed, []);
    assert.deepEqual(await podIdentities(), before);
    const now = await snapshot();
    assert.deepEqual([...now.keys()].sort(), [...original.keys()].sort());
    for (const [key, text] of now) assert.equal(text, original.get(key), key);
  });

  /** The queries from a pod of the team to the adopted CoreDNS: a name of the edited Corefile that is answered by the kubernetes plugin. */
  async function ask() {
    const { cluster: live } = await connect({});
    const server = await live.service(DNS_NAMESPACE, DEPLOYMENT);
    const [pod] = await live.pods(TEAM_NAMESPACE, "app=web");
    assert.ok(pod !== undefined);
    const load = loadOf("ledger.internal", PER_SECOND, QUERIES / PER_SECOND);
    const command = ["sh", "-c", BENCH_SCRIPT, "bench", ...scriptArguments(server.clusterIP, load, 0)];
    const { stdout } = await live.exec(pod, "web", command, 60 + (QUERIES / PER_SECOND) * 2);
    return readSamples(stdout);
  }
});

function config(): KubeConfig {
  const loaded = new KubeConfig();
  loaded.loadFromDefault();
  return loaded;
}

/** What is in the two namespaces, and these themselves, as JSON without what records who wrote it. */
async function snapshot(): Promise<Map<string, string>> {
  const { objects } = await readCluster(config(), [DNS_NAMESPACE, TEAM_NAMESPACE]);
  return new Map(
    objects
      .filter(({ kind, namespace }) => namespace !== undefined || kind === "Namespace")
      .map(({ kind, namespace, name, content }) => {
        const text = JSON.stringify(content, (key, value: unknown) =>
          key === "managedFields" || key === "resourceVersion" ? undefined : value,
        );
        return [`${kind}/${namespace ?? ""}/${name}`, text];
      }),
  );
}

/** The objects of the written stack, and whether each is a patch. */
async function planned(folder: string): Promise<{ object: KubernetesObject; isPatch: boolean }[]> {
  const manifests = join(folder, "manifests");
  const file = join(folder, `Pulumi.${STACK}.yaml`);
  const run = await runLab(["plan", "--stack", STACK, "--config-file", file, "--manifests", manifests, "--json"]);
  assert.equal(run.exitCode, 0, run.stderr + run.stdout);
  const { resources }: { resources: { type: string; inputs: { kind?: string } }[] } = JSON.parse(run.stdout);
  const types = resources.filter(({ type, inputs }) => type.startsWith("kubernetes:") && inputs.kind !== undefined);
  const objects = await readManifests(manifests);
  assert.equal(objects.length, types.length);
  return objects.map((object, index) => ({ object, isPatch: types[index]?.type.endsWith("Patch") ?? false }));
}

/** As `kubectl apply --server-side` without `--force-conflicts`: a field of another manager with another value is an error. */
async function apply(cluster: TestCluster, object: KubernetesObject): Promise<void> {
  await cluster.apply(object, { fieldManager: MANAGER, force: false });
}

/** An object without fields: applied, it releases all that the manager had. */
function identityOf({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace } = metadata ?? {};
  return {
    apiVersion: apiVersion ?? "",
    kind: kind ?? "",
    metadata: { ...(name && { name }), ...(namespace && { namespace }) },
  };
}
