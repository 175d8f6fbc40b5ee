import type { ClusterSettings } from "../cluster/settings.ts";
import { oneOf, type SettingsIssue } from "../schema/errors.ts";
import { Bytes, isMore } from "../schema/values.ts";
import { type Collector, destinationsOf } from "./collectors/collector.ts";
import { COLLECTORS, collectorNames } from "./collectors/table.ts";
import { isKeptByElasticsearch, KEPT_PATTERNS } from "./data-stream-names.ts";
import { LOGGING_NAMESPACE, logPipeline } from "./pipeline.ts";
import type { LoggingSettings } from "./settings.ts";
import { checkSidecar } from "./sidecar/check.ts";

/**
 * What the schema cannot see: a collector that cannot do what the other settings ask, and an AWS destination on a cluster whose
 * pods have no AWS identity. Paths are below `logging`.
 */
export function checkLogging(settings: LoggingSettings, clusterKind: ClusterSettings["kind"]): SettingsIssue[] {
  const { destination, carrier } = settings;
  const issues: SettingsIssue[] = [];
  if ((destination.kind === "cloudwatch" || destination.kind === "s3") && clusterKind !== "eks") {
    const message =
      "must be one of stdout, file, http, opensearch, elasticsearch, loki, since only cluster.kind eks gives pods an AWS identity";
    issues.push({ path: ["destination", "kind"], message, value: destination.kind });
  }
  const collector = COLLECTORS[settings.collector];
  if (collector === undefined)
    return [
      ...issues,
      { path: ["collector"], message: `must be one of ${collectorNames()}`, value: settings.collector },
    ];
  if (!collector.carriers.includes(carrier)) {
    issues.push({
      path: ["carrier"],
      message: `must be ${collector.carriers.join(" or ")} with ${collector.title}`,
      value: carrier,
    });
  }
  const support = collector.destinations[destination.kind];
  if (support !== true) {
    const message = `must be ${oneOf(destinationsOf(collector))} with ${collector.title}: ${support}`;
    issues.push({ path: ["destination", "kind"], message, value: destination.kind });
  }
  if (destination.kind === "elasticsearch" && isKeptByElasticsearch(settings.index)) {
    const message = `prefix and separator must not form a name that Elasticsearch reserves (${KEPT_PATTERNS})`;
    issues.push({ path: ["index"], message });
  }
  issues.push(...unreadNamespaces(settings));
  const { memory, memoryLimit } = resourcesOf(settings) ?? collector.resources;
  if (isMore(Bytes, memory, memoryLimit)) {
    const message = `memory (${memory}) must not exceed memoryLimit (${memoryLimit}), or Kubernetes refuses the pod`;
    issues.push({ path: ["resources"], message });
  }
  if (carrier === "sidecar") issues.push(...checkSidecar(settings));
  else if (settings.sidecar.destinationCidrs.length > 0)
    issues.push({
      path: ["sidecar", "destinationCidrs"],
      message: "must not be set with carrier daemonset, which no network policy restricts",
      value: settings.sidecar.destinationCidrs,
    });
  const pipeline = logPipeline(settings, { cluster: "", region: undefined });
  return [...issues, ...collector.unsupported(pipeline)];
}

/** What the settings' collector asks for; undefined where there is none of that name. */
export function resourcesOf({ collector, resources }: LoggingSettings): Collector["resources"] | undefined {
  const own = COLLECTORS[collector]?.resources;
  return own === undefined ? undefined : { ...own, ...resources };
}

/** Of a namespace that is both named and left out nothing would be read, and nobody would see it. */
function unreadNamespaces({ namespaces: { include, exclude } }: LoggingSettings): SettingsIssue[] {
  return include.flatMap((name, index): SettingsIssue[] => {
    const path = ["namespaces", "include", index];
    if (name === LOGGING_NAMESPACE)
      return [{ path, message: "must not be the collector's own namespace, which is never read", value: name }];
    if (exclude.includes(name)) return [{ path, message: "must not be in exclude as well", value: name }];
    return [];
  });
}
