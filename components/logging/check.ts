import type { ClusterSettings } from "../cluster/settings.ts";
import type { SettingsIssue } from "../schema/errors.ts";
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
      "a destination that needs no AWS identity, since only cluster.kind eks gives pods one: stdout, file, http, opensearch, elasticsearch, loki";
    issues.push({ path: ["destination", "kind"], message, value: destination.kind });
  }
  const collector = COLLECTORS[settings.collector];
  if (collector === undefined)
    return [...issues, { path: ["collector"], message: collectorNames(), value: settings.collector }];
  if (!collector.carriers.includes(carrier)) {
    issues.push({
      path: ["carrier"],
      message: `${collector.carriers.join(", ")} for ${collector.title}`,
      value: carrier,
    });
  }
  const support = collector.destinations[destination.kind];
  if (support !== true) {
    const message = `${destinationsOf(collector).join(", ")} for ${collector.title}: ${support}`;
    issues.push({ path: ["destination", "kind"], message, value: destination.kind });
  }
  if (destination.kind === "elasticsearch" && isKeptByElasticsearch(settings.index)) {
    const message = `another prefix, such as pods, or another separator than '-', since Elasticsearch keeps names like ${KEPT_PATTERNS} for itself`;
    issues.push({ path: ["index", "prefix"], message, value: settings.index.prefix });
  }
  issues.push(...unreadNamespaces(settings));
  const { memory, memoryLimit } = resourcesOf(settings) ?? collector.resources;
  if (isMore(Bytes, memory, memoryLimit)) {
    const message = `at most memoryLimit, ${memoryLimit}, and it is ${memory}: Kubernetes refuses such a pod`;
    issues.push({ path: ["resources", "memory"], message, value: settings.resources.memory });
  }
  if (carrier === "sidecar") issues.push(...checkSidecar(settings));
  else if (settings.sidecar.destinationCidrs.length > 0)
    issues.push({
      path: ["sidecar", "destinationCidrs"],
      message: "nothing with carrier daemonset, which no network policy holds back",
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
      return [{ path, message: "another namespace than the collector's own, which is never read", value: name }];
    if (exclude.includes(name)) return [{ path, message: "a namespace that is not among exclude", value: name }];
    return [];
  });
}
