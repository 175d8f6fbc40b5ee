import { OPERATOR_API } from "../../components/monitoring/scrape-targets.ts";
import type { Settings } from "../../components/settings.ts";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";

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
