import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bucketArn, logGroupArn, type PodIdentityHost } from "../../aws/partition.ts";
import { policyText } from "../../aws/policy-statements.ts";
import { namespacesOf, type TeamNamespaces } from "../../kubernetes/labels.ts";
import { dateExpression, type IndexFormat, indexPrefix, NO_VALUE } from "../indexing/index-format.ts";
import { bucketName, logGroupName } from "../pipeline.ts";
import { placeName, routedTeams, type Target } from "../routing/routes.ts";
import type { AwsPlace, LateTarget } from "./aws/aws-destinations.ts";
import { takesIds } from "./search/search-settings.ts";

/** Actions to read one log group. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html */
const READ_GROUP = [
  "logs:DescribeLogStreams",
  "logs:FilterLogEvents",
  "logs:GetLogEvents",
  "logs:GetLogGroupFields",
  "logs:StartLiveTail",
  "logs:StartQuery",
];
/** Queries are not resources: anyone in the account with a query's id and these actions can read its result. */
const READ_QUERIES = ["logs:GetQueryResults", "logs:StopLiveTail", "logs:StopQuery"];

/**
 * For each team with its own places, an IAM policy that lets its members read these and nothing else. It is attached to nobody: membership
 * is managed where the members' roles are.
 * @returns The ARN of each policy, by team.
 */
export function readerPolicies(
  name: string,
  targets: readonly LateTarget[],
  { cluster, host, parent }: Omit<AwsPlace, "namespace">,
): Record<string, pulumi.Output<string>> {
  const teams = [...new Set(targets.flatMap(({ places }) => places.flatMap(({ team }) => team ?? [])))].sort();
  if (teams.length === 0) return {};
  const { accountId } = aws.getCallerIdentityOutput({}, { parent });
  return Object.fromEntries(
    teams.map((team) => {
      const policy = new aws.iam.Policy(
        `${name}-readers.${team}`,
        {
          description: `Read the logs of team ${team} of cluster ${cluster}`,
          policy: pulumi
            .all([accountId, pulumi.all(targets.map(({ known }) => known))])
            .apply(([account, destinations]) => {
              const resolved = targets.map((target, index) => ({
                ...target,
                destination: destinations[index] ?? target.destination,
              }));
              return policyText(statementsOf(team, resolved, cluster, host, account));
            }),
          tags: host.tags,
        },
        { parent },
      );
      return [team, policy.arn];
    }),
  );
}

/** What lets a team's members read its log groups, and its objects below each prefix. */
function statementsOf(
  team: string,
  targets: readonly Target[],
  cluster: string,
  host: PodIdentityHost,
  account: string,
) {
  const split = targets.filter(({ places }) => places.some((place) => place.team === team));
  const groups = split.flatMap(({ destination, suffix }) =>
    destination.kind === "cloudwatch" ? [placeName(logGroupName(destination, cluster, suffix), team)] : [],
  );
  const objects = split.flatMap(({ destination, suffix }) => {
    if (destination.kind !== "s3") return [];
    const arn = bucketArn(host, bucketName(destination, cluster, host.region, suffix));
    return objectStatements(arn, placeName(destination.prefix, team), destination.kmsKeyArn);
  });
  return [...groupStatements(groups, host, account), ...objects];
}

function groupStatements(groups: readonly string[], host: PodIdentityHost, account: string) {
  if (groups.length === 0) return [];
  const arns = groups.map((group) => logGroupArn(host, account, group));
  return [
    { Action: READ_GROUP, Effect: "Allow", Resource: arns.flatMap((arn) => [arn, `${arn}:*`]) },
    { Action: READ_QUERIES, Effect: "Allow", Resource: "*" },
  ];
}

/** @param key ARN of the KMS key that encrypts the bucket; undefined for S3's own. */
function objectStatements(bucket: string, prefix: string, key: string | undefined) {
  const Condition = { StringLike: { "s3:prefix": [`${prefix}/*`] } };
  return [
    { Action: ["s3:GetObject"], Effect: "Allow", Resource: [`${bucket}/${prefix}/*`] },
    { Action: ["s3:ListBucket"], Condition, Effect: "Allow", Resource: [bucket] },
    ...(key === undefined ? [] : [{ Action: ["kms:Decrypt"], Effect: "Allow", Resource: [key] }]),
  ];
}

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
export function readerRoles(
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

function roleOf(cluster: string, index: IndexFormat, team: TeamNamespaces): SearchRole {
  const { name } = team;
  const { index_patterns, shared } = patternsOf(index, name, namespacesOf(team));
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
