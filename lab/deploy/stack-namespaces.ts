import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import { CANARY_NAMESPACE } from "../../components/monitoring/scrape-targets.ts";
import type { Settings } from "../../components/settings.ts";
import { namespacePrefix } from "../../components/team/resource-names.ts";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";
import { type Deployment, madeObjects } from "./state.ts";

/** Namespaces that the stack has made. A patch of one that exists is another type. */
const NAMESPACE = /\bkubernetes:core\/v1:Namespace::/;

/**
 * Namespaces of a stack's state that an update with these settings deletes, with all that is in them.
 * @returns their names, in the order of the state.
 */
export function deletedNamespaces(deployment: Deployment, settings: Settings): string[] {
  const kept = createdNamespaces(settings);
  return madeObjects(deployment)
    .filter(({ urn }) => NAMESPACE.test(urn))
    .map(({ header }) => header.metadata.name)
    .filter((name) => !kept.has(name));
}

const CREATED_BY_ANOTHER =
  "must not be a namespace that this stack created by another setting, since Pulumi would create it a second time: to move it, run the command once without it, which deletes it with everything in it";
const ADOPTS_OWN =
  "must not be set for a namespace that this stack created, since that deletes it with everything in it";

/**
 * Namespaces of a stack's state that the settings give to another team, or name another way. Pulumi knows one by the name of its resource,
 * and creates what has a new one before it deletes the old.
 * @returns what is wrong, in one sentence for each; empty where nothing is.
 */
export function movedNamespaces(deployment: Deployment, settings: Settings): string[] {
  const created = new Map(
    madeObjects(deployment)
      .filter(({ urn }) => NAMESPACE.test(urn))
      .map(({ urn, header }) => [header.metadata.name, urn.split("::").at(-1)]),
  );
  const isMoved = (name: string, prefix: string) => created.has(name) && created.get(name) !== `${prefix}-namespace`;
  return settings.teams.flatMap(({ name: team, namespaces }, index) => {
    const place = `teams[${index}]`;
    if (namespaces === undefined)
      return isMoved(teamNamespace(team), namespacePrefix(team, undefined))
        ? [`${place}.name: ${CREATED_BY_ANOTHER} (found "${team}")`]
        : [];
    return namespaces.flatMap(({ name, adopt }, at) => {
      const found = `(found "${name}")`;
      if (adopt) return created.has(name) ? [`${place}.namespaces[${at}].adopt: ${ADOPTS_OWN} ${found}`] : [];
      const moved = isMoved(name, namespacePrefix(team, name));
      return moved ? [`${place}.namespaces[${at}].name: ${CREATED_BY_ANOTHER} ${found}`] : [];
    });
  });
}

/**
 * Checks that the namespaces are there which the stack puts objects into, and does not create: else an update ends halfway.
 * @returns what is missing, in one sentence for each; empty where nothing is.
 */
export async function missingNamespaces(cluster: Pick<Cluster, "namespaceLabels">, settings: Settings) {
  const { kind, prometheus } = settings.monitoring;
  const adopted = settings.teams.flatMap(({ namespaces = [] }, team) =>
    namespaces.flatMap(({ name, adopt }, at) =>
      adopt ? [{ name, setting: `teams[${team}].namespaces[${at}].name` }] : [],
    ),
  );
  const monitored = { name: prometheus.namespace, setting: "monitoring.prometheus.namespace" };
  const needed = kind === "annotations" || kind === "prometheus-operator" ? [...adopted, monitored] : adopted;
  const created = createdNamespaces(settings);
  const missing: string[] = [];
  for (const { name, setting } of needed) {
    if (created.has(name) || (await exists(cluster, name))) continue;
    missing.push(`${setting}: must be a namespace that exists (found "${name}")`);
  }
  return missing;
}

/** What one may not ask is not missing for that. */
async function exists(cluster: Pick<Cluster, "namespaceLabels">, name: string): Promise<boolean> {
  try {
    await cluster.namespaceLabels(name);
    return true;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return error.kind !== "not-found";
  }
}

function createdNamespaces(settings: Settings): Set<string> {
  const created = new Set(settings.teams.flatMap(ownNamespaces));
  if (settings.logging !== undefined) created.add(LOGGING_NAMESPACE);
  if (settings.monitoring.kind !== "none" && settings.monitoring.canary.enabled) created.add(CANARY_NAMESPACE);
  return created;
}

/** What is made for a team, without the namespaces that are there and only taken over. */
function ownNamespaces({ name, namespaces }: Settings["teams"][number]): string[] {
  return namespaces?.flatMap((one) => (one.adopt ? [] : [one.name])) ?? [teamNamespace(name)];
}
