import { ApiException, CoreV1Api, type KubeConfig, type V1Namespace } from "@kubernetes/client-node";
import { commonLabels } from "../../components/kubernetes/labels.ts";
import { OPERATOR_API } from "../../components/monitoring/scrape-targets.ts";
import type { Settings } from "../../components/settings.ts";
import { asClusterError } from "../kubernetes/api-request.ts";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";
import { adoptedNamespaces, createdNamespaces, type NamedNamespace } from "./stack-namespaces.ts";
import { type Deployment, stateObjects } from "./state.ts";

/**
 * Checks that the namespaces exist which the stack uses but does not create; otherwise an update stops halfway.
 * @returns one sentence for each that is missing.
 */
export async function missingNamespaces(cluster: Pick<Cluster, "namespaceLabels">, settings: Settings) {
  const { kind, prometheus } = settings.monitoring;
  const { adopt: dns } = settings.dns ?? {};
  const monitored = { name: prometheus.namespace, setting: "monitoring.prometheus.namespace" };
  const needed = [
    ...adoptedNamespaces(settings),
    ...(dns !== undefined && (dns.manage || kind === "annotations")
      ? [{ name: dns.namespace, setting: "dns.adopt.namespace" }]
      : []),
    ...(kind === "annotations" || kind === "prometheus-operator" ? [monitored] : []),
  ];
  const created = new Set(createdNamespaces(settings).map(({ name }) => name));
  const missing: string[] = [];
  for (const { name, setting } of needed) {
    if (created.has(name) || (await exists(cluster, name))) continue;
    missing.push(`${setting}: must be a namespace that exists (found "${name}")`);
  }
  return missing;
}

/** Whether a namespace exists; true if the user may not read it. */
async function exists(cluster: Pick<Cluster, "namespaceLabels">, name: string): Promise<boolean> {
  try {
    await cluster.namespaceLabels(name);
    return true;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return error.kind !== "not-found";
  }
}

/**
 * Checks that the cluster has the kinds of Prometheus Operator if the settings use them: the CLI would fail only after a minute, with
 * everything else deployed.
 * @returns what is missing, in one sentence; empty if nothing is.
 */
export async function missingKinds(cluster: Pick<Cluster, "kinds">, { monitoring }: Settings): Promise<string[]> {
  if (monitoring.kind !== "prometheus-operator") return [];
  const { group, version, kinds } = OPERATOR_API;
  const there = await existingKinds(cluster, group, version);
  const missing = there === undefined ? [] : kinds.filter((kind) => !there.includes(kind));
  if (missing.length === 0) return [];
  return [
    `monitoring.kind: must be annotations or none until the cluster has ${missing.join(" and ")} (${group}/${version}), which Prometheus Operator's CustomResourceDefinitions add (found "${monitoring.kind}")`,
  ];
}

/** The kinds of an API group; undefined if the user may not list them. */
async function existingKinds(cluster: Pick<Cluster, "kinds">, group: string, version: string) {
  try {
    return await cluster.kinds(group, version);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return error.kind === "not-found" ? [] : undefined;
  }
}

/**
 * Checks the namespaces that an update creates or adopts: one with another owner, or one being deleted, would stop it halfway.
 * @returns a sentence per problem.
 */
export async function takenNamespaces(
  config: KubeConfig,
  deployment: Deployment,
  settings: Settings,
): Promise<string[]> {
  const made = stateObjects(deployment).filter(({ header }) => header.kind === "Namespace");
  const own = new Set(made.map(({ header }) => header.metadata.name));
  const created = createdNamespaces(settings);
  const wrong: string[] = [];
  for (const named of [...created, ...adoptedNamespaces(settings)]) {
    const found = await readNamespace(config, named.name);
    if (found === undefined) continue;
    const { setting, name } = named;
    if (found.metadata?.deletionTimestamp !== undefined)
      wrong.push(
        `${setting}: must lead to a namespace that is not being deleted (found "${name}"): wait until it is gone`,
      );
    else if (created.includes(named) && !own.has(name))
      wrong.push(
        `${setting}: must lead to a namespace that does not exist yet (found "${name}"): ${wayOut(named, found)}`,
      );
  }
  return wrong;
}

const PART_OF = "app.kubernetes.io/part-of";

function wayOut({ name, setting }: NamedNamespace, { metadata }: V1Namespace): string {
  if (metadata?.labels?.[PART_OF] === commonLabels(name)[PART_OF])
    return "another stack of this project has created it, or this one with a state that is gone: remove it there, or delete it";
  return setting.startsWith("teams[")
    ? `write { name: ${name}, adopt: true } under namespaces to take it over, or delete it`
    : "delete it, or leave this part out";
}

/** Reads a namespace; undefined if it does not exist, or without permission. */
export async function readNamespace(config: KubeConfig, name: string): Promise<V1Namespace | undefined> {
  try {
    return await config.makeApiClient(CoreV1Api).readNamespace({ name });
  } catch (error) {
    if (error instanceof ApiException && (error.code === 404 || error.code === 403)) return undefined;
    throw asClusterError(error, `get namespace ${name}`);
  }
}
