import { teamNamespace } from "../../kubernetes/labels.ts";
import { dateExpression, type IndexFormat, indexPrefix, NO_VALUE } from "../indexing/index-format.ts";
import { routedTeams, type Target, type TeamNamespaces } from "../routing/routes.ts";
import { takesIds } from "./search/amazon-opensearch.ts";

/**
 * A role of OpenSearch's security plugin, in its API and in `roles.yml`.
 * @see https://docs.opensearch.org/latest/security/access-control/api/#create-role
 */
interface SearchRole {
  readonly description: string;
  readonly cluster_permissions: readonly string[];
  readonly index_permissions: readonly {
    readonly index_patterns: readonly string[];
    /** A query, as text: the role only sees documents that match. */
    readonly dls?: string;
    readonly allowed_actions: readonly string[];
  }[];
}

/** Searches of several indices in one request, as by Dashboards. @see https://docs.opensearch.org/latest/security/access-control/default-action-groups/ */
const CLUSTER_PERMISSIONS = ["cluster_composite_ops_ro"];

/**
 * For each OpenSearch with the security plugin, and each team, a role that reads the team's lines and nothing else. An IAM policy cannot
 * do that: the `*` for the date in its path also matches a comma and further indices. Nobody has the role until it is mapped.
 * @returns Roles by name, as in `roles.yml`. None for this stack's OpenSearch, which has no users, and for Serverless, which has data
 *   access policies instead.
 */
export function teamRoles(
  cluster: string,
  targets: readonly Target[],
  teams: readonly TeamNamespaces[],
): Record<string, SearchRole> {
  const roles = targets.flatMap(({ name, destination, index, selections, sources }) => {
    if (destination.kind !== "opensearch" || destination.inCluster || !takesIds(destination)) return [];
    if (!sources.includes("pods")) return [];
    return routedTeams(selections, teams).map((team) => [
      [`${cluster}-logs`, team.name, name ?? []].flat().join("."),
      roleOf(cluster, index, team),
    ]);
  });
  return Object.fromEntries(roles);
}

function roleOf(cluster: string, index: IndexFormat, { name, namespaces = [] }: TeamNamespaces): SearchRole {
  const own = namespaces.length === 0 ? [teamNamespace(name)] : namespaces.map((namespace) => namespace.name);
  const { index_patterns, shared } = patternsOf(index, name, own);
  return {
    description: `Read the logs of team ${name} of cluster ${cluster}`,
    cluster_permissions: CLUSTER_PERMISSIONS,
    index_permissions: [
      {
        index_patterns,
        ...(shared ? { dls: JSON.stringify({ term: { team: name } }) } : {}),
        allowed_actions: ["read"],
      },
    ],
  };
}

/** Expressions for the indices with a team's lines, and whether they also have other lines. */
function patternsOf(index: IndexFormat, team: string, namespaces: readonly string[]) {
  // With a wildcard for the date, team "ts" would read the indices of a team "ts-ops".
  const named = (prefix: string) => `/${escaped(prefix + index.separator)}${dateExpression(index)}/`;
  switch (index.splitBy) {
    case "none":
      return { index_patterns: [named(index.prefix)], shared: true };
    case "app":
      return {
        index_patterns: [
          `/${escaped(index.prefix + index.separator)}[a-z0-9._-]+${escaped(index.separator)}${dateExpression(index)}/`,
        ],
        shared: true,
      };
    case "team":
      return { index_patterns: [named(indexPrefix(index, { team }))], shared: team === NO_VALUE };
    case "namespace":
      return {
        index_patterns: namespaces.map((namespace) => named(indexPrefix(index, { namespace }))).sort(),
        shared: namespaces.includes(NO_VALUE),
      };
  }
}

/** Escapes text for a regular expression. */
function escaped(text: string): string {
  return text.replaceAll(".", "\\.");
}
