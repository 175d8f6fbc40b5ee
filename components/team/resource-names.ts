import { arnName } from "../aws/partition.ts";
import type { AccessEntrySettings } from "../cluster/eks-settings.ts";
import { teamNamespace } from "../kubernetes/labels.ts";
import { formatPath, type SettingsIssue } from "../schema/errors.ts";
import { SERVICE_ACCOUNT } from "./pod-identity.ts";
import type { TeamSettings } from "./settings.ts";

// Names never change for a working stack, or its resources would be replaced; conflicting settings are rejected instead.

/** Name prefix of a namespace's resources. @param namespace Name of the namespace; undefined for NAME-team. */
export function namespacePrefix(team: string, namespace: string | undefined): string {
  return namespace === undefined ? team : `${team}-${namespace}`;
}

/** Possible name prefixes of a namespace's resources in a team: with the namespace's name, and for NAME-team also the team's alone. */
export function prefixesOf(team: string, namespace: string): string[] {
  const named = namespacePrefix(team, namespace);
  return namespace === teamNamespace(team) ? [named, namespacePrefix(team, undefined)] : [named];
}

/** The team whose resources in a namespace have this prefix; undefined if none can. */
export function teamOfPrefix(prefix: string, namespace: string): string | undefined {
  if (teamNamespace(prefix) === namespace) return prefix;
  return prefix.endsWith(`-${namespace}`) ? prefix.slice(0, -namespace.length - 1) : undefined;
}

/** Name of a role's access entry, by ARN: `role/dev/web` of team `ts` gives `ts-dev-web`. */
export function accessEntryName(team: string, role: string): string {
  return `${team}-${role.split("/").slice(1).join("-")}`;
}

/** A resource name and its setting. */
interface Named {
  readonly kind: "namespace" | "account" | "policy" | "access entry";
  readonly name: string;
  /** Below `teams`. */
  readonly path: readonly PropertyKey[];
  readonly value: string;
  /** Name prefix, for a namespace's resources. */
  readonly prefix?: string;
}

/**
 * Settings that give two resources of a kind the same name, which the engine rejects: `shop` with namespace `api` and `shop-api`.
 * Paths are below `teams`.
 */
export function nameIssues(teams: readonly TeamSettings[]): SettingsIssue[] {
  const owners = new Map<string, Named>();
  const issues = new Map<string, SettingsIssue>();
  const shared = new Set<string>();
  for (const named of teams.flatMap(namesOf)) {
    const { kind, name, path, value, prefix } = named;
    const key = `${kind} ${name}`;
    const owner = owners.get(key);
    const place = formatPath(["teams", ...path]);
    if (owner === undefined) owners.set(key, named);
    // If namespaces share a name, so do all their resources.
    else if (!issues.has(place) && (prefix === undefined || !shared.has(prefix))) {
      const message = `must be different, since ${formatPath(["teams", ...owner.path])} already gives a resource the name ${name}`;
      issues.set(place, { path, message, value });
      if (kind === "namespace" && prefix !== undefined) shared.add(prefix);
    }
  }
  return [...issues.values()];
}

function namesOf(team: TeamSettings, index: number): Named[] {
  const { name, namespaces, memberRoles } = team;
  const places =
    namespaces === undefined
      ? namesIn(team, index, { prefix: namespacePrefix(name, undefined), path: [index, "name"], value: name })
      : namespaces.flatMap(({ name: namespace, adopt }, place) => {
          const path = [index, "namespaces", place, "name"];
          return namesIn(team, index, { prefix: namespacePrefix(name, namespace), path, value: namespace }, adopt);
        });
  const entries = memberRoles.map((role, place): Named => {
    const path = [index, "memberRoles", place];
    return { kind: "access entry", name: accessEntryName(name, role), path, value: role };
  });
  return [...places, ...entries];
}

/** Names in a namespace; an adopted one keeps its own accounts. */
function namesIn(
  { podIdentity }: TeamSettings,
  index: number,
  place: Required<Pick<Named, "prefix" | "path" | "value">>,
  adopted = false,
): Named[] {
  const { prefix } = place;
  const { serviceAccount = SERVICE_ACCOUNT, policyArns = [] } = podIdentity ?? {};
  const accounts: Named[] = [{ ...place, kind: "account", name: `${prefix}-${SERVICE_ACCOUNT}` }];
  if (serviceAccount !== SERVICE_ACCOUNT) {
    const path = [index, "podIdentity", "serviceAccount"];
    accounts.push({ prefix, kind: "account", name: `${prefix}-${serviceAccount}`, path, value: serviceAccount });
  }
  const policies = policyArns.map((value, policy): Named => {
    const path = [index, "podIdentity", "policyArns", policy];
    return { prefix, kind: "policy", name: `${prefix}-pods-${arnName(value)}`, path, value };
  });
  return [{ ...place, kind: "namespace", name: `${prefix}-namespace` }, ...(adopted ? [] : accounts), ...policies];
}

/**
 * Roles with two access entries; EKS rejects the second. Paths are below `teams`.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
 */
export function roleIssues(
  teams: readonly Pick<TeamSettings, "memberRoles">[],
  entries: readonly Pick<AccessEntrySettings, "principalArn">[],
): SettingsIssue[] {
  const owners = new Map(
    entries.map(({ principalArn }, index) => [principalArn, `cluster.accessEntries[${index}].principalArn`]),
  );
  return teams.flatMap(({ memberRoles }, index) =>
    memberRoles.flatMap((value, place): SettingsIssue[] => {
      const owner = owners.get(value);
      const path = [index, "memberRoles", place];
      if (owner === undefined) {
        owners.set(value, formatPath(["teams", ...path]));
        return [];
      }
      const message = `must differ from ${owner}, since EKS allows one access entry per principal: an entry in cluster.accessEntries can have the groups of several teams`;
      return [{ path, message, value }];
    }),
  );
}
