import type { z } from "zod";
import { TeamSettings } from "../../components/team/settings.ts";
import {
  groupAt,
  isOwn,
  type KubernetesObject,
  listAt,
  objectName,
  textAt,
  textsAt,
  valueAt,
} from "../audit/kubernetes-object.ts";
import { Failure } from "../command-line.ts";
import { type AdoptionRow, type LiveObjects, row } from "./import-file.ts";

type Team = z.input<typeof TeamSettings>;

/** Running namespaces as settings under `teams`. */
export interface RunningTeams {
  readonly settings: readonly Team[];
  readonly rows: readonly AdoptionRow[];
}

const SYSTEM = /^(kube-.*|default)$/;
const ENFORCE = "pod-security.kubernetes.io/enforce";
const DIRECTIONS = [
  ["Ingress", "ingress"],
  ["Egress", "egress"],
] as const;
/** ClusterRoles that grant at least what a team's members may do. */
const WIDER_ROLES = ["edit", "admin", "cluster-admin"];
const EVERYWHERE = ["0.0.0.0/0", "::/0"];

/**
 * Reads the namespaces to adopt. Namespaces with the same label `team` become one team.
 * @throws {Failure} for a namespace that does not exist, or that belongs to the cluster.
 */
export function readTeams(live: LiveObjects, namespaces: readonly string[]): RunningTeams {
  const rows: AdoptionRow[] = [];
  const teams = new Map<string, Team>();
  for (const name of namespaces) {
    const namespace = live.find("Namespace", undefined, name);
    if (namespace === undefined || SYSTEM.test(name)) throw new Failure(refusal(live, name), 2);
    const team = teamName(namespace, rows);
    const settings = readNamespace(live, namespace, rows);
    const earlier = teams.get(team);
    teams.set(team, earlier === undefined ? { name: team, ...settings } : merged(earlier, settings, namespace, rows));
  }
  return { settings: [...teams.values()], rows };
}

function refusal(live: LiveObjects, name: string): string {
  if (SYSTEM.test(name)) return `namespace ${name} belongs to the cluster, not to a team`;
  const names = live
    .ofKind("Namespace")
    .map((namespace) => namespace.name)
    .filter((candidate) => !SYSTEM.test(candidate));
  return `no namespace ${name}; found: ${names.join(", ") || "none"}`;
}

/** The label `team`, which the program sets, or the namespace's own name. */
function teamName(namespace: KubernetesObject, rows: AdoptionRow[]): string {
  const label = textAt(namespace.content, "metadata", "labels", "team");
  const isName = (text: string) => TeamSettings.shape.name.safeParse(text).success;
  if (label !== undefined && isName(label)) return label;
  if (label !== undefined)
    rows.push(
      row(
        "conflict",
        `${objectName(namespace)} metadata.labels.team`,
        `is "${label}", which is not a valid team name and would be overwritten`,
      ),
    );
  if (isName(namespace.name)) return namespace.name;
  return `team-${namespace.name}`.slice(0, 58).replace(/-+$/, "");
}

type NamespaceTeam = Omit<Team, "name">;

function readNamespace(live: LiveObjects, namespace: KubernetesObject, rows: AdoptionRow[]): NamespaceTeam {
  const { name } = namespace;
  rows.push(
    row("adopt", namespace, "labels, network policies and the members' role are added; a destroy removes only these"),
  );
  const access = Object.fromEntries(
    DIRECTIONS.flatMap(([type, key]) => {
      const rules = openRules(live, name, type, rows);
      return rules === undefined ? [] : [[key, rules]];
    }),
  );
  const members = membersOf(live, name, rows);
  leaveOthers(live, name, rows);
  return {
    namespaces: [{ name, adopt: true }],
    ...podSecurity(namespace, rows),
    ...(members.length === 0 ? {} : { members }),
    ...access,
  };
}

/** Merges a namespace into its team: team settings apply to every namespace of a team. */
function merged(team: Team, more: NamespaceTeam, namespace: KubernetesObject, rows: AdoptionRow[]): Team {
  for (const key of ["podSecurity", "members", "ingress", "egress"] as const) {
    if (JSON.stringify(team[key]) === JSON.stringify(more[key])) continue;
    rows.push(
      row(
        "conflict",
        namespace,
        `its ${key} differ from those of the other namespaces of team ${team.name}: give it a team of its own`,
      ),
    );
  }
  return { ...team, namespaces: [...(team.namespaces ?? []), ...(more.namespaces ?? [])] };
}

/** Keeps the enforced level: a stricter one would reject pods when they next start. */
function podSecurity(namespace: KubernetesObject, rows: AdoptionRow[]): Pick<Team, "podSecurity"> {
  const labels = textsAt(namespace.content, "metadata", "labels");
  const level = labels[ENFORCE];
  if (level === "restricted") return {};
  rows.push(
    row(
      "adopt",
      `${objectName(namespace)} metadata.labels.${ENFORCE}`,
      level === undefined
        ? "is not set, so podSecurity is privileged: pods start as before"
        : `podSecurity keeps ${level}`,
    ),
  );
  const reason =
    level === undefined
      ? "No level was enforced before the adoption"
      : `Level ${level} was enforced before the adoption`;
  return { podSecurity: { level: level === "baseline" ? "baseline" : "privileged", reason } };
}

/**
 * Rules that keep a direction open, because the program's policies deny all traffic by default; undefined if existing policies already deny
 * it for all pods.
 */
function openRules(
  live: LiveObjects,
  namespace: string,
  type: "Ingress" | "Egress",
  rows: AdoptionRow[],
): Team["ingress"] | undefined {
  const subject = `Namespace/${namespace} ${type.toLowerCase()}`;
  const policies = live.ofKind("NetworkPolicy", namespace).filter(({ content }) => policyTypes(content).includes(type));
  const ours = policies.find((policy) => isOwn(policy) && policy.name === `allow-${type.toLowerCase()}`);
  if (ours !== undefined)
    rows.push(
      row(
        "check",
        ours,
        `was created by this program, under another state: repeat its rules in teams[].${type.toLowerCase()}`,
      ),
    );
  if (policies.some(({ content }) => selectsAll(content))) {
    rows.push(
      row("leave", subject, "policies deny it already; DNS and traffic within the team are allowed in addition"),
    );
    return undefined;
  }
  if (policies.length > 0) {
    rows.push(
      row(
        "conflict",
        subject,
        `only some pods have a policy (${policies.map(({ name }) => name).join(", ")}): the others would be cut off, so list what they need`,
      ),
    );
    return undefined;
  }
  rows.push(
    row(
      "adopt",
      subject,
      "no policy restricts it, so it is kept open to all addresses and each namespace of today, not to later ones: narrow it",
    ),
  );
  return [{ namespaces: lasting(live).map(({ name }) => name), cidrs: [...EVERYWHERE] }];
}

/** The namespaces that are not being deleted. */
function lasting(live: LiveObjects): readonly KubernetesObject[] {
  return live
    .ofKind("Namespace")
    .filter(({ content }) => textAt(content, "metadata", "deletionTimestamp") === undefined);
}

/** The policy types, with the API server's defaults. */
function policyTypes(content: unknown): readonly unknown[] {
  const types = listAt(content, "spec", "policyTypes");
  if (types.length > 0) return types;
  return valueAt(content, "spec", "egress") === undefined ? ["Ingress"] : ["Ingress", "Egress"];
}

function selectsAll(content: unknown): boolean {
  const selector = groupAt(content, "spec", "podSelector");
  return (
    Object.keys(groupAt(selector, "matchLabels")).length === 0 && listAt(selector, "matchExpressions").length === 0
  );
}

/** Groups that already have all rights of a member, so that adoption grants nobody more. */
function membersOf(live: LiveObjects, namespace: string, rows: AdoptionRow[]): string[] {
  const members: string[] = [];
  for (const binding of live.ofKind("RoleBinding", namespace).filter((object) => !isOwn(object))) {
    const role = textAt(binding.content, "roleRef", "name") ?? "";
    const isWider = textAt(binding.content, "roleRef", "kind") === "ClusterRole" && WIDER_ROLES.includes(role);
    const groups = listAt(binding.content, "subjects")
      .filter((subject) => textAt(subject, "kind") === "Group")
      .flatMap((subject) => textAt(subject, "name") ?? [])
      .filter((group) => !group.startsWith("system:"));
    if (isWider) members.push(...groups);
    rows.push(
      row(
        "leave",
        binding,
        isWider && groups.length > 0
          ? `stays; its groups (${groups.join(", ")}) become members, whose rights are part of ${role}`
          : "stays; its subjects do not become members, who may have more rights",
      ),
    );
  }
  return [...new Set(members)];
}

/** Kinds that an adopted namespace keeps, each with the reason; all others share one line. */
const KEPT: Readonly<Record<string, string>> = {
  ResourceQuota: "an adopted namespace keeps its quota",
  LimitRange: "an adopted namespace keeps its limits",
  NetworkPolicy: "stays, besides the added policies",
};
const EVERY_NAMESPACE = ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default"];

function leaveOthers(live: LiveObjects, namespace: string, rows: AdoptionRow[]): void {
  const objects = live
    .in(namespace)
    .filter((object) => !EVERY_NAMESPACE.includes(`${object.kind}/${object.name}`) && !isOwn(object));
  for (const [kind, reason] of Object.entries(KEPT))
    for (const object of objects.filter((candidate) => candidate.kind === kind))
      rows.push(row("leave", object, reason));
  const pods = objects.filter(({ kind }) => kind === "Pod");
  if (pods.length > 0)
    rows.push(
      row(
        "leave",
        `Namespace/${namespace}`,
        `${pods.length === 1 ? "1 pod keeps" : `${pods.length} pods keep`} running: nothing restarts`,
      ),
    );
  const others = objects.filter(({ kind }) => !(kind in KEPT) && kind !== "Pod" && kind !== "RoleBinding");
  const kinds = [...Map.groupBy(others, ({ kind }) => kind)].map(([kind, ofKind]) => `${kind} ${ofKind.length}`);
  if (kinds.length > 0) rows.push(row("leave", `Namespace/${namespace}`, `not part of a team: ${kinds.join(", ")}`));
}
