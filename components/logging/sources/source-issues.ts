import type { ClusterSettings } from "../../cluster/settings.ts";
import { namespacesOf, type TeamNamespaces } from "../../kubernetes/labels.ts";
import { oneOf, type SettingsIssue } from "../../schema/errors.ts";
import type { Collector } from "../collectors/collector.ts";
import { isReservedByElasticsearch, RESERVED_PATTERNS, safeIndexPart } from "../indexing/index-format.ts";
import { hasIndex } from "../pipeline.ts";
import { filteredTargets, routedTeams, type Target } from "../routing/routes.ts";
import {
  EVENT_KEYS,
  isFromAws,
  JOURNAL_KEYS,
  journalSources,
  type OwnSource,
  ownSources,
  placeOfSource,
  type Source,
  sourceIndex,
} from "./source.ts";

/** Settings that decide whether sources can be collected. */
interface SourceSettings {
  readonly sources: readonly Source[];
  readonly mode: "daemonset" | "sidecar";
  readonly processing: { readonly fields: Readonly<Record<string, string>> };
}

/** Errors in the choice of sources. Paths are below `logging`. */
export function sourceIssues(settings: SourceSettings, collector: Collector): SettingsIssue[] {
  const { sources, mode } = settings;
  const issues: SettingsIssue[] = takenFields(settings);
  const add = (message: string) => issues.push({ path: ["sources"], message, value: sources });
  if (!sources.includes("pods")) add("must contain pods");
  const otherSources = ownSources(sources);
  if (otherSources.length === 0) return issues;
  if (mode === "sidecar") {
    add("must be only pods with mode sidecar, which reads the files of one pod");
    return issues;
  }
  const journal = journalSources(otherSources);
  if (journal.length > 0 && collector.journal === undefined)
    add(
      `must not contain ${journal.join(", ")} with ${collector.title}, which does not read the journal here: set collector fluent-bit, opentelemetry or vector`,
    );
  return issues;
}

/** Reports fields of the stack that would overwrite those of a source's records. */
function takenFields({ sources, processing: { fields } }: SourceSettings): SettingsIssue[] {
  const taken = [
    { keys: JOURNAL_KEYS, of: journalSources(sources) },
    { keys: EVENT_KEYS, of: sources.filter((source) => source === "events") },
  ];
  return Object.keys(fields).flatMap((name) => {
    const [source] = taken.flatMap(({ keys, of }) => (keys.includes(name) ? of : []));
    if (source === undefined) return [];
    const message = `must have another name with the source ${source}, whose records already have a field ${name}`;
    return [{ path: ["processing", "fields", name], message }];
  });
}

/**
 * Reports names of a source in a destination that others share, or that Elasticsearch reserves.
 * @param teams Default: unknown.
 */
export function sourceNameIssues(target: Target, teams: readonly TeamNamespaces[] = []): SettingsIssue[] {
  const { destination, index, indexPath, places } = target;
  const sources = ownSources(target.sources);
  if (sources.length === 0) return [];
  const reserves = (source: OwnSource) => isReservedByElasticsearch(sourceIndex(index, source));
  if (destination.kind === "elasticsearch" && !isReservedByElasticsearch(index) && sources.some(reserves)) {
    const message = `prefix and separator must not form a name that Elasticsearch reserves (${RESERVED_PATTERNS}) with the source after them`;
    return [{ path: indexPath, message }];
  }
  if (destination.kind === "file" && sources.includes("events")) {
    const message = "must not be file for the source events, which is read by a pod without access to its node";
    return [{ path: [...target.path, "kind"], message, value: destination.kind }];
  }
  const path = [...indexPath, "splitBy"];
  const same = (what: string, of: string): SettingsIssue => ({
    path,
    message: `must not be ${index.splitBy}, since lines of ${of} would have the same ${what} as those of a source`,
    value: index.splitBy,
  });
  const parts = sources.map(placeOfSource);
  const team = places.find((place) => parts.some((part) => part === place.team))?.team;
  if (destination.kind === "s3" && team !== undefined) return [same("prefix", `team ${team}`)];
  if (!hasIndex(destination) || (index.splitBy !== "team" && index.splitBy !== "namespace")) return [];
  const taken = sources.map((source) => [placeOfSource(source), source].join(index.separator));
  const values = routedTeams(target.selections, teams).flatMap((team) =>
    index.splitBy === "team" ? team.name : namespacesOf(team),
  );
  return values
    .filter((value) => taken.includes(safeIndexPart(value)))
    .map((value) => same("index", `${index.splitBy} ${value}`));
}

/** Destinations to which AWS can deliver logs, as far as this stack supports it. */
const DELIVERED = ["cloudwatch", "s3", "firehose"] as const;

const BY_STREAM = "let a stream of your own send there, and name it with kind firehose";

/**
 * Why others are not supported, if known.
 * @see https://docs.aws.amazon.com/firehose/latest/dev/writing-with-cloudwatch-logs.html
 */
const NOT_DELIVERED: Partial<Readonly<Record<Target["destination"]["kind"], string>>> = {
  opensearch: "since Amazon Data Firehose does not deliver lines of CloudWatch Logs to OpenSearch",
  elasticsearch: `which Amazon Data Firehose sends in a format of its own: ${BY_STREAM}`,
  http: `which Amazon Data Firehose sends in a format of its own: ${BY_STREAM}`,
  splunk: `since Amazon Data Firehose cannot read the token's Secret: ${BY_STREAM}`,
};

/** Maximum subscription filters per log group. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const MAX_FILTERS = 2;

/** Checks that the cluster has the sources that AWS delivers. Paths are below `logging`. */
export function awsSourceClusterIssues(sources: readonly Source[], cluster: ClusterSettings): SettingsIssue[] {
  const issue = (message: string): SettingsIssue => ({ path: ["sources"], message, value: sources });
  const issues: SettingsIssue[] = [];
  if (sources.includes("audit")) {
    if (cluster.kind === "existing")
      issues.push(issue("must not contain audit with cluster.kind existing, whose control plane is out of reach here"));
    if (cluster.kind === "eks" && !cluster.logTypes.includes("audit"))
      issues.push(issue("must not contain audit unless cluster.logTypes does, which makes EKS write the audit log"));
  }
  if (sources.includes("auto-mode") && (cluster.kind !== "eks-existing" || cluster.compute !== "auto"))
    issues.push(
      issue("must contain auto-mode only with cluster.kind eks-existing and compute auto, which has these logs"),
    );
  return issues;
}

/** Deliveries that AWS does not support. Paths are below `logging`. */
export function awsSourceIssues(targets: readonly Target[]): SettingsIssue[] {
  const issues = targets.flatMap(({ destination: { kind }, path, sources }): SettingsIssue[] => {
    const [source] = sources.filter(isFromAws);
    if (source === undefined) return [];
    const issue = (message: string): SettingsIssue => ({ path: [...path, "kind"], message, value: kind });
    if (!DELIVERED.some((delivered) => delivered === kind)) {
      const why = NOT_DELIVERED[kind] ?? "which AWS does not deliver there";
      return [issue(`must be ${oneOf(DELIVERED)} for the source ${source}, ${why}: give it a route of its own`)];
    }
    if (kind !== "firehose" || !sources.includes("audit") || sources.length === 1) return [];
    const others = sources.filter((other) => other !== "audit").join(", ");
    return [
      issue(
        `must not be firehose for audit and ${others}, since a stream that unpacks lines of CloudWatch Logs accepts no others`,
      ),
    ];
  });
  const filtered = filteredTargets(targets);
  if (filtered.length > MAX_FILTERS) {
    const message = `must send audit to at most ${MAX_FILTERS} destinations other than cloudwatch, since its log group takes ${MAX_FILTERS} subscription filters`;
    issues.push({ path: ["routes"], message, value: filtered.map(({ name }) => name) });
  }
  return issues;
}
