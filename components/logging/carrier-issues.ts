import { isDeepStrictEqual } from "node:util";
import { oneOf, type SettingsIssue } from "../schema/errors.ts";
import { AUTHENTICATIONS, type Authentication, type Collector, destinationsOf } from "./collectors/collector.ts";
import { COLLECTORS } from "./collectors/index.ts";
import type { Destination, DestinationKind } from "./destinations/destination-settings.ts";
import { LIBRDKAFKA_KBYTES } from "./destinations/kafka.ts";
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
      const kafka = kafkaIssues(destination, collector, settings.mode);
      const support = collector.destinations[destination.kind];
      const message = `must be ${oneOf(destinationsOf(collector))} with ${collector.title}: ${support}`;
      const found: SettingsIssue[] =
        support === true
          ? [...kafka, ...authenticationIssues(destination, collector, others)]
          : [{ path: ["kind"], message, value: destination.kind }, ...kafka];
      return found.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
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

/** What a collector does for each kind of authentication, for messages. */
const ABILITIES: Readonly<Record<Authentication, string>> = {
  sigv4: "sign requests with SigV4",
  token: "send a token",
  headers: "send headers",
};

/**
 * Authentication that the collector does not support for a destination. Paths are below the destination.
 * @param others Collectors to suggest instead, if they support it.
 */
function authenticationIssues(
  destination: { readonly kind: DestinationKind } & Readonly<Partial<Record<Authentication, unknown>>>,
  collector: Collector,
  others: readonly Collector[],
): SettingsIssue[] {
  const { kind } = destination;
  return AUTHENTICATIONS.flatMap((key): SettingsIssue[] => {
    const can = ({ authenticates = {} }: Collector) => authenticates[kind]?.includes(key);
    if (destination[key] === undefined || can(collector)) return [];
    const able = others.filter(can).map(({ title }) => title);
    const advice = able.length === 0 ? "" : `: set collector ${oneOf(able)}`;
    const message = `must not be set with ${collector.title}, which cannot ${ABILITIES[key]} to ${kind} here${advice}`;
    return [{ path: [key], message }];
  });
}

/** Limits of collectors and modes with Kafka. Paths are below the destination. */
function kafkaIssues(
  destination: Destination,
  { id, title }: Collector,
  mode: LoggingSettings["mode"],
): SettingsIssue[] {
  if (destination.kind !== "kafka") return [];
  const issues: SettingsIssue[] = [];
  if (mode === "sidecar")
    issues.push({
      path: ["kind"],
      message: "must not be kafka with mode sidecar, whose network policy allows one address",
    });
  if (id === "vector" && destination.mskArn !== undefined) {
    const message = `must not be set with ${title}, which cannot sign for MSK: set credentials`;
    issues.push({ path: ["mskArn"], message, value: destination.mskArn });
  }
  if (id === "opentelemetry" && destination.credentials !== undefined) {
    const message = `must name a user and password without $$ and \${, which ${title} reads as $ and as a variable`;
    issues.push({ path: ["credentials"], message, severity: "warning" });
  }
  if (id === "fluent-bit") {
    const message = `loses lines when ${title} is killed: up to ${LIBRDKAFKA_KBYTES / 1024} MB that no broker has acknowledged wait in memory`;
    issues.push({ path: ["kind"], message, value: "kafka", severity: "warning" });
  }
  return issues;
}
