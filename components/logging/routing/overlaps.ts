import { folderOf } from "../../aws/names.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import { otlpPath } from "../destinations/http-settings.ts";
import { indexPattern } from "../indexing/index-format.ts";
import { bucketName, hasIndex, logGroupName, searchHost } from "../pipeline.ts";
import { placeName, type Target } from "./routes.ts";

/** Name and region of this stack's EKS cluster, which default names of log groups and buckets contain. */
export interface NamedCluster {
  readonly name: string;
  readonly region: string;
}

/** Placeholder for an unknown cluster: no name in the settings contains it. */
const ANY_CLUSTER: NamedCluster = { name: "<cluster>", region: "<region>" };

/**
 * Destinations with the same place, which would store each line twice, and places within others. Paths are below `logging`.
 * @param cluster Default: unknown, and names derived from it are only compared with each other.
 */
export function overlapIssues(targets: readonly Target[], cluster: NamedCluster = ANY_CLUSTER): SettingsIssue[] {
  return targets.flatMap((target, index) => {
    const same = sameIssues(target, targets.slice(0, index), cluster);
    if (same.length > 0) return same;
    return targets.toSpliced(index, 1).flatMap((other) => nestingWarnings(target, other, cluster));
  });
}

/** An error if a place is already that of another target. @param others Targets before it. */
function sameIssues(target: Target, others: readonly Target[], cluster: NamedCluster): SettingsIssue[] {
  const { key, places } = placesOf(target, cluster);
  for (const other of others) {
    if (systemOf(other) !== systemOf(target)) continue;
    const taken = new Set(placesOf(other, cluster).places);
    const value = places.find((place) => taken.has(place));
    if (value === undefined) continue;
    const message = `must differ from that of destination ${other.name ?? ""}, or lines are stored twice`;
    return [{ path: [...target.path, key], message, value }];
  }
  return [];
}

/** Settings of a request besides its URL. */
interface Sender {
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly token?: unknown;
  readonly credentials?: unknown;
}

/** Destinations of different systems never overlap. */
function systemOf({ destination }: Target): string {
  return hasIndex(destination) ? "search engine" : destination.kind;
}

/** A URL as requested: without its fragment, and without the scheme's default port. */
function requested(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search}`;
}

/** What may give two senders to one URL different places: headers, and the Secrets of tokens and logins. */
function senderOf({ headers = {}, token, credentials }: Sender): string {
  const sent = [
    ...Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    ...Object.entries({ token, credentials }).filter(([, value]) => value !== undefined),
  ];
  return sent.length === 0 ? "" : ` with ${JSON.stringify(sent.sort())}`;
}

/** The setting that determines where lines are stored, and the places. */
function placesOf(target: Target, cluster: NamedCluster): { readonly key: string; readonly places: readonly string[] } {
  const { destination, index, suffix, places } = target;
  const inTeams = (base: string) => [base, ...places.map(({ team }) => placeName(base, team))];
  const placed = (key: string, ...all: readonly string[]) => ({ key, places: all });
  switch (destination.kind) {
    case "stdout":
      return placed("kind", destination.kind);
    case "file":
      return placed("path", destination.path);
    case "http":
      return placed("url", `${requested(destination.url)}${senderOf(destination)}`);
    case "otlp":
      return placed("url", `${new URL(destination.url).origin}${otlpPath(destination.url)}${senderOf(destination)}`);
    case "splunk":
      return placed("url", `${requested(destination.url)} with token ${destination.token.secretName}`);
    case "kafka":
      return placed(
        "topic",
        ...destination.brokers.map((broker) => `${broker.toLowerCase()} with topic ${destination.topic}`),
      );
    case "firehose":
      return placed("stream", destination.stream);
    case "loki":
      return placed(
        "url",
        `${new URL(destination.url).origin}${destination.tenant === undefined ? "" : ` as ${destination.tenant}`}${senderOf(destination)}`,
      );
    case "opensearch":
      if (destination.inCluster) return placed("inCluster", "true", `${engineOf(target)} with prefix ${index.prefix}`);
      return placed("host", `${engineOf(target)} with prefix ${index.prefix}`);
    case "elasticsearch":
      return placed("host", `${engineOf(target)} with prefix ${index.prefix}`);
    case "cloudwatch":
      return placed("logGroup", ...inTeams(logGroupName(destination, cluster.name, suffix)));
    case "s3": {
      const bucket = bucketName(destination, cluster.name, cluster.region, suffix);
      const prefixes = inTeams(destination.prefix).map((prefix) => `${bucket} with prefix ${prefix}`);
      // This stack creates a bucket only once; an existing one may have several prefixes.
      return placed("bucket", ...(destination.existing ? [] : [bucket]), ...prefixes);
    }
  }
}

function engineOf({ destination }: Target): string | undefined {
  if (!hasIndex(destination)) return undefined;
  const { host, port } = searchHost(destination);
  return `${host.toLowerCase()}:${port}`;
}

/** Warns if one destination lies within the other, whose readers then find both lines. */
function nestingWarnings(target: Target, other: Target, { name, region }: NamedCluster): SettingsIssue[] {
  const [inner, outer] = [target.destination, other.destination];
  const issue = (key: readonly string[], message: string, value: string): SettingsIssue[] => [
    { path: [...key], message, value, severity: "warning" },
  ];
  if (inner.kind === "s3" && outer.kind === "s3") {
    if (bucketName(inner, name, region, target.suffix) !== bucketName(outer, name, region, other.suffix)) return [];
    if (!folderOf(inner.prefix).startsWith(folderOf(outer.prefix))) return [];
    const message = `is within that of destination ${other.name}: reading or deleting there includes these lines`;
    return issue([...target.path, "prefix"], message, inner.prefix);
  }
  if (!hasIndex(inner) || !hasIndex(outer) || engineOf(target) !== engineOf(other)) return [];
  const [names, pattern] = [indexPattern(target.index), indexPattern(other.index)];
  if (!names.startsWith(pattern.slice(0, -1))) return [];
  const message = `starts like that of destination ${other.name}: a search of ${pattern} also finds these lines`;
  return issue([...target.indexPath, "prefix"], message, target.index.prefix);
}
