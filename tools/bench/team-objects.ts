import { setTimeout as wait } from "node:timers/promises";
import {
  ApiException,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
} from "@kubernetes/client-node";
import { curlPodName, teamNamespace } from "../../components/team/names.ts";
import { Failure } from "../../lab/failure.ts";
import { asClusterError } from "../../lab/kubernetes/errors.ts";
import { kubeCluster } from "../../lab/kubernetes/kube-cluster.ts";
import { manifestsOf } from "../../lab/plan/manifests.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { readStackFile } from "../../lab/stack.ts";

const FIELD_MANAGER = "eks-dns-logging-bench";
const READY_SECONDS = 300;
const GONE_SECONDS = 300;

/** Puts the namespaces of some teams on a cluster with all that is in them, and takes them away again. */
export async function withTeamsOn<T>(
  config: KubeConfig,
  file: string,
  teams: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const namespaces = teams.map((team) => namespaceOf(teamNamespace(team)));
  // Pods of a run that was cut off may have ended, and an ended pod is not started again.
  await remove(api, namespaces);
  try {
    for (const object of await objectsOf(file, new Set(teams.map(teamNamespace)))) await apply(api, object);
    await podsReady(config, teams);
    return await use();
  } finally {
    await remove(api, namespaces);
  }
}

/** The teams' own objects of a plan, in an order in which they can be applied; not the collector, which may be there already. */
export async function objectsOf(file: string, namespaces: ReadonlySet<string>): Promise<KubernetesObject[]> {
  const { resources } = await planStack(await readStackFile("local", file));
  const all = manifestsOf(resources).map(({ object }): KubernetesObject => JSON.parse(JSON.stringify(object)));
  return all.filter(({ kind, metadata }) =>
    namespaces.has((kind === "Namespace" ? metadata?.name : metadata?.namespace) ?? ""),
  );
}

function namespaceOf(name: string): KubernetesObject & { metadata: { name: string } } {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

async function apply(api: KubernetesObjectApi, object: KubernetesObject): Promise<void> {
  const what = `apply ${object.kind} ${object.metadata?.name}`;
  await api
    .patch(object, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply)
    .catch((error: unknown) => {
      throw new Failure(asClusterError(error, what).message, 2);
    });
}

async function podsReady(config: KubeConfig, teams: readonly string[]): Promise<void> {
  const cluster = kubeCluster(config);
  const end = Date.now() + READY_SECONDS * 1000;
  for (const team of teams) {
    let pod = await cluster.pod(teamNamespace(team), curlPodName(team));
    while (!pod.ready) {
      if (Date.now() > end)
        throw new Failure(`pod ${curlPodName(team)} is not ready after ${READY_SECONDS} s: ${pod.reason || pod.phase}`);
      await wait(500);
      pod = await cluster.pod(teamNamespace(team), curlPodName(team));
    }
  }
}

async function remove(
  api: KubernetesObjectApi,
  objects: readonly (KubernetesObject & { metadata: { name: string } })[],
): Promise<void> {
  for (const object of objects) await api.delete(object).catch(unlessMissing);
  const end = Date.now() + GONE_SECONDS * 1000;
  for (const object of objects) {
    const there = () => api.read(object).then(() => true, unlessMissing);
    while (await there()) {
      if (Date.now() > end)
        throw new Failure(`namespace ${object.metadata.name} is still there after ${GONE_SECONDS} s`);
      await wait(500);
    }
  }
}

/** False for what is not there. @throws {Failure} for anything else. */
function unlessMissing(error: unknown): false {
  if (error instanceof ApiException && error.code === 404) return false;
  throw new Failure(asClusterError(error, "delete the bench's namespaces").message, 2);
}
