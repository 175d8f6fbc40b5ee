import { isDeepStrictEqual } from "node:util";
import { oneOf, type SettingsIssue } from "../schema/errors.ts";
import { type Collector, destinationsOf } from "./collectors/collector.ts";
import { COLLECTORS } from "./collectors/index.ts";
import { authenticationIssues } from "./destinations/authentication.ts";
import { kafkaIssues } from "./destinations/kafka.ts";
import { logPipeline } from "./pipeline.ts";
import { type TeamNamespaces, targetsOf } from "./routing/routes.ts";
import type { LoggingSettings } from "./settings.ts";
import { type Carrier, carriersOf, eventReaderWarnings } from "./sources/event-collection.ts";

/**
 * What the collector, or the event reader for destinations of events, cannot do. Paths are below `logging`.
 * @param teams Default: unknown.
 */
export function carrierIssues(
  settings: LoggingSettings,
  collector: Collector,
  teams?: readonly TeamNamespaces[],
): SettingsIssue[] {
  // A sidecar has no event reader; that is reported elsewhere.
  const [onNodes, reader] =
    settings.mode === "sidecar" ? [carriersOf(settings, collector)[0]] : carriersOf(settings, collector);
  const issues = issuesOfCarrier(onNodes, teams);
  if (reader === undefined) return [...issues, ...eventReaderWarnings(settings)];
  const isKnown = (issue: SettingsIssue) => issues.some(({ path }) => isDeepStrictEqual(path, issue.path));
  // No other collector to suggest: it is always this one.
  const ofReader = issuesOfCarrier(reader, teams, [])
    .filter((issue) => !isKnown(issue))
    .map((issue) => ({ ...issue, message: `${issue.message} (it reads the source events)` }));
  return [...issues, ...ofReader, ...eventReaderWarnings(settings)];
}

/** @param others Collectors to suggest instead. */
function issuesOfCarrier(
  carrier: Carrier,
  teams: readonly TeamNamespaces[] | undefined,
  others: readonly Collector[] = Object.values(COLLECTORS),
): SettingsIssue[] {
  const { settings, collector, carries } = carrier;
  const own = targetsOf(settings, teams)
    .filter(({ sources }) => sources.length === 0 || sources.some(carries))
    .flatMap(({ destination, path }): SettingsIssue[] => {
      const kafka = kafkaIssues(destination, collector, settings.mode).map((issue) => ({
        ...issue,
        path: [...path, ...issue.path],
      }));
      const support = collector.destinations[destination.kind];
      if (support !== true) {
        const message = `must be ${oneOf(destinationsOf(collector))} with ${collector.title}: ${support}`;
        return [{ path: [...path, "kind"], message, value: destination.kind }, ...kafka];
      }
      const authentication = authenticationIssues(destination, collector, others);
      return [...kafka, ...authentication.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))];
    });
  return [...own, ...unsupportedIssues(carrier)];
}

/** Settings that a collector does not support for its destinations. What all destinations share is reported once. */
function unsupportedIssues({ settings, collector, carries }: Carrier): SettingsIssue[] {
  const { branches, ...only } = logPipeline(settings, { cluster: "", region: undefined });
  if (branches.length === 0) return [...collector.unsupported({ ...only, branches })];
  const issues = targetsOf(settings).flatMap(({ path, indexPath, bufferPath, sources }, number): SettingsIssue[] => {
    const branch = branches[number];
    if (branch === undefined || (sources.length > 0 && !sources.some(carries))) return [];
    return collector.unsupported(branch).map(({ path: [section = "", ...rest], ...issue }) => {
      const own: Readonly<Record<string, readonly string[]>> = { destination: path, index: indexPath };
      const at = section === "buffer" && rest[0] === "size" ? bufferPath : (own[section] ?? [section]);
      return { ...issue, path: [...at, ...rest] };
    });
  });
  return issues.filter((issue, at) => issues.findIndex(({ path }) => isDeepStrictEqual(path, issue.path)) === at);
}
