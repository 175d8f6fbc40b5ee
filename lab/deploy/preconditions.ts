import { ApiException, CoreV1Api, type KubeConfig, type V1Namespace } from "@kubernetes/client-node";
import { commonLabels, teamNamespace } from "../../components/kubernetes/labels.ts";
import { CANARY_NAMESPACE, OPERATOR_API } from "../../components/monitoring/scrape-targets.ts";
import type { Settings } from "../../components/settings.ts";
import { namespacePrefix, prefixesOf, teamOfPrefix } from "../../components/team/resource-names.ts";
import { asClusterError } from "../kubernetes/api-requests.ts";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";
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
  const existing = await existingKinds(cluster, group, version);
  const missing = existing === undefined ? [] : kinds.filter((kind) => !existing.includes(kind));
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
  const ownNamespaces = stateObjects(deployment).filter(({ header }) => header.kind === "Namespace");
  const names = new Set(ownNamespaces.map(({ header }) => header.metadata.name));
  const created = createdNamespaces(settings);
  const problems: string[] = [];
  for (const named of [...created, ...adoptedNamespaces(settings)]) {
    const namespace = await readNamespace(config, named.name);
    if (namespace === undefined) continue;
    const { setting, name } = named;
    if (namespace.metadata?.deletionTimestamp !== undefined)
      problems.push(
        `${setting}: must use a namespace that is not being deleted (found "${name}"): wait until it is gone`,
      );
    else if (created.includes(named) && !names.has(name))
      problems.push(
        `${setting}: must use a namespace that does not exist yet (found "${name}"): ${remedy(named, namespace)}`,
      );
  }
  return problems;
}

const PART_OF = "app.kubernetes.io/part-of";

function remedy({ name, setting }: NamedNamespace, { metadata }: V1Namespace): string {
  if (metadata?.labels?.[PART_OF] === commonLabels(name)[PART_OF])
    return "another stack of this project created it, or this stack did and its state is lost: remove it there, or delete it";
  if (setting.startsWith("teams["))
    return `write { name: ${name}, adopt: true } under namespaces to take it over, or delete it`;
  return setting === "logging.namespace" ? "set another name" : "delete it, or leave this part out";
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

/** URN of a Namespace that the stack created. A patched Namespace has another type. */
const NAMESPACE = /\bkubernetes:core\/v1:Namespace::/;
const NAMESPACE_PATCH = /\bkubernetes:core\/v1:NamespacePatch::/;

/**
 * Namespaces in a stack's state that an update with these settings deletes, with all their content.
 * @returns their names, in the order of the state.
 */
export function deletedNamespaces(deployment: Deployment, settings: Settings): string[] {
  const kept = new Set(createdNamespaces(settings).map(({ name }) => name));
  return stateObjects(deployment)
    .filter(({ urn }) => NAMESPACE.test(urn))
    .map(({ header }) => header.metadata.name)
    .filter((name) => !kept.has(name));
}

const CREATED_BY_ANOTHER =
  "must not be a namespace that this stack created by another setting, since Pulumi would create it a second time: to move it, run the command once without it, which deletes it with everything in it";
const ADOPTS_OWN =
  "must not be set for a namespace that this stack created, since that deletes it with everything in it";

/** A sentence about a namespace that belongs to another team, with the setting that keeps its content. */
function moveProblem(relation: "created" | "adopted", problem: string, name: string, prefix: string): string {
  const owner = teamOfPrefix(prefix, name);
  if (owner === undefined) return CREATED_BY_ANOTHER;
  const kept = `{ name: ${name}, ${relation === "created" ? "" : "adopt: true, "}wasTeam: ${owner} }`;
  return `must not be a namespace that this stack ${relation} for team ${owner}, since ${problem}: write ${kept} under namespaces to keep what is in it`;
}

/**
 * Namespaces in a stack's state that the settings move to another team or rename, without wasTeam.
 * @returns one sentence each; empty if there are none.
 */
export function movedNamespaces(deployment: Deployment, settings: Settings): string[] {
  return [...movedCreations(deployment, settings), ...movedAdoptions(deployment, settings)];
}

/**
 * Namespaces that the stack created. Pulumi identifies one by its resource name, and creates a renamed resource before it deletes the old
 * one, which fails.
 */
function movedCreations(deployment: Deployment, settings: Settings): string[] {
  const created = prefixesIn(deployment, NAMESPACE);
  const createdTwice = (name: string, prefix: string) =>
    moveProblem("created", "Pulumi would create it a second time", name, prefix);
  return settings.teams.flatMap(({ name: team, namespaces }, index) => {
    const place = `teams[${index}]`;
    if (namespaces === undefined) {
      const defaultNamespace = teamNamespace(team);
      const prefix = created.get(defaultNamespace);
      const isKept = prefix === undefined || prefix === namespacePrefix(team, undefined);
      return isKept ? [] : [`${place}.name: ${createdTwice(defaultNamespace, prefix)} (found "${team}")`];
    }
    return namespaces.flatMap(({ name, adopt, wasTeam }, index) => {
      const prefix = created.get(name);
      if (prefix === undefined) return [];
      const found = `(found "${name}")`;
      if (adopt) return [`${place}.namespaces[${index}].adopt: ${ADOPTS_OWN} ${found}`];
      if (isKnown(prefix, { team, name, wasTeam })) return [];
      return [`${place}.namespaces[${index}].name: ${createdTwice(name, prefix)} ${found}`];
    });
  });
}

const CREATES_ADOPTED =
  "must stay true for a namespace that this stack adopted, since Pulumi cannot create what exists";

/**
 * Namespaces that the stack adopted and would now create or patch for another team: the new patch conflicts with the old one, and the
 * update stops halfway.
 */
function movedAdoptions(deployment: Deployment, settings: Settings): string[] {
  const adopted = prefixesIn(deployment, NAMESPACE_PATCH);
  return settings.teams.flatMap(({ name: team, namespaces = [] }, index) =>
    namespaces.flatMap(({ name, adopt, wasTeam }, at) => {
      const prefix = adopted.get(name);
      if (prefix === undefined) return [];
      if (!adopt) return [`teams[${index}].namespaces[${at}].adopt: ${CREATES_ADOPTED} (found false)`];
      if (isKnown(prefix, { team, name, wasTeam })) return [];
      const problem = moveProblem("adopted", "its labels conflict with those of that team", name, prefix);
      return [`teams[${index}].namespaces[${at}].name: ${problem} (found "${name}")`];
    }),
  );
}

/** Resource name prefixes, by the namespace that the resource creates or patches. */
function prefixesIn(deployment: Deployment, type: RegExp): Map<string, string> {
  return new Map(
    stateObjects(deployment).flatMap(({ urn, header }) => {
      const [, prefix] = /::([^:]+)-namespace$/.exec(urn) ?? [];
      return prefix !== undefined && type.test(urn) ? [[header.metadata.name, prefix] as const] : [];
    }),
  );
}

/** Whether Pulumi recognizes a namespace of the state, by its resource name or an alias. */
function isKnown(prefix: string, now: { team: string; name: string; wasTeam: string | undefined }): boolean {
  const { team, name, wasTeam } = now;
  if (prefix === namespacePrefix(team, name)) return true;
  return wasTeam !== undefined && prefixesOf(wasTeam, name).includes(prefix);
}

/** A namespace, and the setting that leads to it. */
interface NamedNamespace {
  readonly name: string;
  readonly setting: string;
}

/** Namespaces that a stack with these settings creates. */
function createdNamespaces(settings: Settings): NamedNamespace[] {
  const { teams, logging, monitoring } = settings;
  const ofTeams = teams.flatMap(({ name, namespaces }, team) => {
    if (namespaces === undefined) return [{ name: teamNamespace(name), setting: `teams[${team}].name` }];
    return listed(namespaces, team, false);
  });
  const hasCanary = monitoring.kind !== "none" && monitoring.canary.enabled;
  return [
    ...ofTeams,
    ...(logging === undefined ? [] : [{ name: logging.namespace, setting: "logging.namespace" }]),
    ...(hasCanary ? [{ name: CANARY_NAMESPACE, setting: "monitoring.canary" }] : []),
  ];
}

/** Existing namespaces that the stack adopts. */
function adoptedNamespaces({ teams }: Settings): NamedNamespace[] {
  return teams.flatMap(({ namespaces = [] }, team) => listed(namespaces, team, true));
}

type TeamNamespaces = NonNullable<Settings["teams"][number]["namespaces"]>;

function listed(namespaces: TeamNamespaces, team: number, areAdopted: boolean): NamedNamespace[] {
  return namespaces.flatMap(({ name, adopt }, index) =>
    adopt === areAdopted ? [{ name, setting: `teams[${team}].namespaces[${index}].name` }] : [],
  );
}
