import { styleText } from "node:util";
import { todaysIndices } from "../../components/logging/indexing/index-format.ts";
import { bucketName, describeDestination, logGroupName } from "../../components/logging/pipeline.ts";
import { routedTeams, type Selection, type Target, targetsOf } from "../../components/logging/routing/routes.ts";
import type { Settings } from "../../components/settings.ts";

type Stack = Pick<Settings, "logging" | "cluster" | "region" | "teams">;

/** Each of several destinations: where it is, which lines it gets, and today's names there. Empty for an only destination. */
export function formatRoutes(settings: Stack, now: Date): string {
  const { logging, teams } = settings;
  if (logging?.destinations === undefined) return "";
  const lines = targetsOf(logging, teams).flatMap((target) => {
    const [first = "", ...rest] = target.selections.length === 0 ? ["all lines"] : target.selections.map(inWords);
    return [
      `    ${target.name} : ${placeOf(target, settings)}`,
      `      gets  : ${[first, ...rest].join("; or ")}`,
      ...todaysNames(target, settings, now).map((name) => `      today : ${name}`),
    ];
  });
  return [styleText("bold", "Log routes:", { stream: process.stdout }), ...lines, "", ""].join("\n");
}

function placeOf({ suffix, destination }: Target, { cluster, region }: Stack): string {
  const clusterName = cluster.kind === "existing" ? "" : cluster.name;
  const bucket =
    destination.kind === "s3" && region !== undefined
      ? bucketName(destination, clusterName, region, suffix)
      : undefined;
  return describeDestination({ suffix, destination, context: { cluster: clusterName, region, bucket } });
}

function inWords({ namespaces, labels, streams, levels }: Selection): string {
  const parts = [
    ...(namespaces === undefined ? [] : [`namespace ${namespaces.join(" or ")}`]),
    ...Object.entries(labels ?? {}).map(([key, value]) => `label ${key}=${value}`),
    ...(streams === undefined ? [] : [`stream ${streams.join(" or ")}`]),
    ...(levels === undefined ? [] : [`level ${levels.join(" or ")}`]),
  ];
  return parts.join(", ");
}

/** What is written there now: indices, the log group, or the prefix of the objects' keys, whose day begins in UTC. */
function todaysNames(
  { suffix, destination, index, selections }: Target,
  { cluster, teams }: Stack,
  now: Date,
): string[] {
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return todaysIndices(index, routedTeams(selections, teams), now);
    case "cloudwatch":
      return [logGroupName(destination, cluster.kind === "existing" ? "" : cluster.name, suffix)];
    case "s3":
      return [`${destination.prefix}/${now.toISOString().slice(0, 10).replaceAll("-", "/")}/`];
    default:
      return [];
  }
}
