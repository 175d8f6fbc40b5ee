import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parse, stringify } from "yaml";
import type { Settings } from "../../components/settings.ts";
import { readCluster } from "../../lab/audit/cluster-objects.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { changePods, workload } from "../../lab/drill/drill.ts";
import type { Environment } from "../../lab/drill/drill-run.ts";
import { readState, restoreAll, restoreHistory, savedHistory } from "../../lab/drill/drill-state.ts";
import { requestApi } from "../../lab/kubernetes/api-requests.ts";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import { DRILL_STATE, loadKubeConfig } from "../../lab/kubernetes/connect.ts";
import { statedPlace } from "../../lab/kubernetes/core-dns-place.ts";
import {
  contentOf,
  fieldOf,
  type KubernetesJson,
  type ObjectRef,
  type ObjectStore,
  objectStore,
  withField,
} from "../../lab/kubernetes/object-store.ts";
import { checkInputOf } from "../../lab/verify/catalog.ts";
import { until } from "./cluster.ts";

/**
 * Teams of which the second is a peer of the first. Drills of the teams' own objects run side by side, each queue in a pair of its own; those
 * of the collector and of CoreDNS in the first pair, which the stack local has.
 */
export const PAIRS = [
  ["ts", "sa"],
  ["drill-a", "drill-b"],
  ["drill-c", "drill-d"],
  ["drill-e", "drill-f"],
  ["drill-g", "drill-h"],
] as const;
export type Pair = (typeof PAIRS)[number];

const [FIRST] = PAIRS;

/** The stack local with more teams. */
export async function stackFile(folder: string): Promise<string> {
  const { config } = parse(await readFile(join(PROJECT_ROOT, "Pulumi.local.yaml"), "utf8"));
  const teams = PAIRS.flatMap(([from, to]) => [
    { name: from, peers: [to] },
    { name: to, peers: [from] },
  ]);
  const file = join(folder, "Pulumi.drills.yaml");
  await writeFile(file, stringify({ config: { ...config, "eks-dns-logging:teams": teams } }));
  return file;
}

/** A store in which a drill has a state of its own, so that several are on at a time. */
function withOwnState(store: ObjectStore, name: string): ObjectStore {
  const own = <T extends ObjectRef>(ref: T): T => (ref.name === DRILL_STATE.name ? { ...ref, name } : ref);
  const named = (ref: ObjectRef, object: KubernetesJson) =>
    ref.name === DRILL_STATE.name ? withField(object, ["metadata", "name"], name) : object;
  return {
    read: (ref) => store.read(own(ref)),
    create: (ref, object) => store.create(own(ref), named(ref, object)),
    replace: (ref, object) => store.replace(own(ref), named(ref, object)),
    remove: (ref) => store.remove(own(ref)),
    names: (ref, selector) => store.names(ref, selector),
  };
}

/** What a drill needs to run with this pair of teams. */
export async function environment(settings: Settings, [from, to]: Pair): Promise<Environment> {
  const config = await loadKubeConfig({});
  const store = objectStore((request) => requestApi(config, request));
  return {
    store: from === FIRST[0] ? store : withOwnState(store, `${DRILL_STATE.name}-${from}`),
    cluster: kubeCluster(config),
    stack: "local",
    input: checkInputOf("local", settings, 10),
    scene: { settings, from, to, coreDns: statedPlace(settings.dns) },
    pause: (seconds) => wait(Math.min(seconds, 0.2) * 1000),
    now: () => new Date(),
    onStep: () => {},
  };
}

/** Every object of these namespaces with the owners of its fields, but not the pods that a controller makes anew. */
export async function everything(namespaces: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { objects } = await readCluster(await loadKubeConfig({}), namespaces);
  return Object.fromEntries(
    objects
      .filter(({ kind, content }) => kind !== "Pod" || fieldOf(content, ["metadata", "ownerReferences"]) === undefined)
      .map(({ kind, namespace, name, content }) => {
        const managers: unknown = fieldOf(content, ["metadata", "managedFields"]);
        const own = (Array.isArray(managers) ? managers : []).filter(
          (manager: unknown) => fieldOf(manager, ["subresource"]) === undefined,
        );
        const isControlled = kind === "ReplicaSet" || kind === "Deployment";
        return [`${kind} ${namespace}/${name}`, { ...contentOf(content), managers: isControlled ? [] : own }];
      }),
  );
}

/** The drill that is on. */
export async function stateOf(env: Environment) {
  const stored = await readState(env.store);
  assert.ok(stored);
  return stored;
}

/** CoreDNS is asked each second whether it is ready, instead of each ten, until the tests end. @returns what ends it. */
export async function askCoreDnsOften(store: ObjectStore): Promise<() => Promise<void>> {
  const kept = {
    ...{ apiVersion: "apps/v1", plural: "replicasets", namespace: "kube-system" },
    selector: "k8s-app=kube-dns",
  };
  const history = await savedHistory(store, kept);
  const ref = workload("deployments", "kube-system", "coredns");
  const original = await store.read(ref);
  assert.ok(original);
  const often = changePods(original, (container) => withField(container, ["readinessProbe", "periodSeconds"], 1));
  assert.ok(often);
  await store.replace(ref, often);
  const env = { store, pause: (seconds: number) => wait(seconds * 1000) };
  const saved = [{ ref, original }];
  const end = async () => {
    await restoreAll(env, { saved });
    await restoreHistory(env, { saved }, history);
  };
  try {
    await until("CoreDNS is asked often", async () => {
      const status = fieldOf(await store.read(ref), ["status"]);
      const counts = ["replicas", "updatedReplicas", "readyReplicas"].map((count) => fieldOf(status, [count]));
      return counts.every((count) => count === fieldOf(original, ["spec", "replicas"]));
    });
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}
