import { isDeepStrictEqual } from "node:util";
import type { TeamNamespaces } from "../kubernetes/labels.ts";
import { oneOf, type SettingsIssue } from "../schema/errors.ts";
import { amount } from "../schema/values.ts";
import { AUTHENTICATIONS, type Authentication, type Collector, destinationsOf } from "./collectors/collector.ts";
import { fluentBit } from "./collectors/fluent-bit/index.ts";
import { COLLECTORS } from "./collectors/index.ts";
import type { Destination, DestinationKind } from "./destinations/destination-settings.ts";
import { LIBRDKAFKA_KBYTES } from "./destinations/kafka-settings.ts";
import { type DestinationContext, forSources, type LogPipeline, type LogSource, logPipeline } from "./pipeline.ts";
import { targetsOf } from "./routing/routes.ts";
import type { LoggingSettings } from "./settings.ts";
import { isOnNode, type Source } from "./sources/source.ts";

/** The program that reads Kubernetes events, with any collector: it is one pod besides the DaemonSet. */
export const EVENT_READER: Collector = fluentBit;

/** A collector, with the settings as it applies them and the sources that it carries. */
export interface Carrier {
  readonly collector: Collector;
  readonly settings: LoggingSettings;
  readonly carries: (source: Source) => boolean;
}

const isEvents = (source: Source) => source === "events";

/** The collector on each node, and the event reader if events are a source. */
export function carriersOf(settings: LoggingSettings): readonly [Carrier, ...Carrier[]] {
  const onNodes: Carrier = { collector: COLLECTORS[settings.collector], settings, carries: isOnNode };
  return settings.sources.includes("events") ? [onNodes, eventReaderOf(settings)] : [onNodes];
}

/**
 * The event reader. It does not use the resources of another collector. It never blocks: Fluent Bit drops new events while an input is
 * paused, and this input cannot stop reading, nor does the API server keep events for long.
 * @see https://github.com/fluent/fluent-bit/blob/v5.1.1/plugins/in_kubernetes_events/kubernetes_events.c process_event_object
 */
function eventReaderOf(settings: LoggingSettings): Carrier {
  const isOther = settings.collector !== EVENT_READER.id;
  const { buffer, resources } = settings;
  return {
    collector: EVENT_READER,
    settings: {
      ...settings,
      collector: EVENT_READER.id,
      buffer: { ...buffer, whenFull: "drop-oldest" },
      resources: isOther ? {} : resources,
    },
    carries: isEvents,
  };
}

/** The part of a stack's pipeline that a carrier renders. */
export function pipelineOf(
  { settings, carries }: Pick<Carrier, "settings" | "carries">,
  context: DestinationContext,
  source?: LogSource,
): LogPipeline {
  return forSources(logPipeline(settings, context, source), carries);
}

/** Room in the reader's state volume besides the buffers, in bytes: for events that are read but not passed on yet. */
const STATE_MARGIN = 256 * 2 ** 20;

/**
 * Maximum disk usage of the reader, as a quantity: each destination's buffer, twice if there are several, since its sender has one too. A pod
 * that exceeds its volume's limit is evicted.
 * @see https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
 */
export function stateLimit({ settings, carries }: Pick<Carrier, "settings" | "carries">): string {
  const buffers = targetsOf(settings)
    .filter(({ sources }) => sources.some(carries))
    .map(({ name, bufferSize }) => amount(bufferSize) * (name === undefined ? 1 : 2));
  return `${Math.ceil((buffers.reduce((one, other) => one + other, 0) + STATE_MARGIN) / 2 ** 20)}Mi`;
}

/**
 * What the collector, or the event reader for destinations of events, cannot do. Paths are below `logging`.
 * @param teams Default: unknown.
 */
export function carrierIssues(settings: LoggingSettings, teams?: readonly TeamNamespaces[]): SettingsIssue[] {
  const [onNodes, reader] = carriersOf(settings);
  const issues = issuesOfCarrier(onNodes, teams);
  // A sidecar has no event reader; that is reported elsewhere.
  if (reader === undefined || settings.mode === "sidecar") return [...issues, ...eventReaderWarnings(settings)];
  const isKnown = (issue: SettingsIssue) => issues.some(({ path }) => isDeepStrictEqual(path, issue.path));
  // No other collector to suggest: it is always this one.
  const ofReader = issuesOfCarrier(reader, teams, [])
    .filter((issue) => !isKnown(issue))
    .map((issue) => ({ ...issue, message: `${issue.message} (it reads the source events)` }));
  return [...issues, ...ofReader, ...eventReaderWarnings(settings)];
}

/** A warning if the event reader deviates from the settings, or does not exist. Paths are below `logging`. */
function eventReaderWarnings({ sources, events, buffer: { whenFull } }: LoggingSettings): SettingsIssue[] {
  if (!sources.includes("events")) {
    const path = ["events", "image"];
    const message = "has no effect without the source events";
    return events.image === undefined ? [] : [{ path, message, value: events.image, severity: "warning" }];
  }
  if (whenFull === undefined || whenFull === "drop-oldest") return [];
  const message = `is drop-oldest for events, which ${EVENT_READER.title} reads`;
  return [{ path: ["buffer", "whenFull"], message, value: whenFull, severity: "warning" }];
}

/** What a carrier cannot do for its destinations. @param others Collectors to suggest instead. */
function issuesOfCarrier(
  carrier: Carrier,
  teams: readonly TeamNamespaces[] | undefined,
  others: readonly Collector[] = Object.values(COLLECTORS),
): SettingsIssue[] {
  const { settings, collector, carries } = carrier;
  const destinationIssues = targetsOf(settings, teams)
    .filter(({ sources }) => sources.length === 0 || sources.some(carries))
    .flatMap(({ destination, path }): SettingsIssue[] => {
      const kafka = kafkaIssues(destination, collector, settings.mode);
      const support = collector.destinations[destination.kind];
      const message = `must be ${oneOf(destinationsOf(collector))} with ${collector.title}: ${support}`;
      const issues: SettingsIssue[] =
        support === true
          ? [...kafka, ...authenticationIssues(destination, collector, others)]
          : [{ path: ["kind"], message, value: destination.kind }, ...kafka];
      return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
    });
  return [...destinationIssues, ...unsupportedIssues(carrier)];
}

/** Settings that a collector does not support for its destinations. What all destinations share is reported once. */
function unsupportedIssues({ settings, collector, carries }: Carrier): SettingsIssue[] {
  const { branches, ...common } = logPipeline(settings, { cluster: "", region: undefined });
  if (branches.length === 0) return [...collector.unsupported({ ...common, branches })];
  const issues = targetsOf(settings).flatMap(({ path, indexPath, bufferPath, sources }, index): SettingsIssue[] => {
    const branch = branches[index];
    if (branch === undefined || (sources.length > 0 && !sources.some(carries))) return [];
    return collector.unsupported(branch).map(({ path: [section = "", ...rest], ...issue }) => {
      const paths: Readonly<Record<string, readonly string[]>> = { destination: path, index: indexPath };
      const sectionPath = section === "buffer" && rest[0] === "size" ? bufferPath : (paths[section] ?? [section]);
      return { ...issue, path: [...sectionPath, ...rest] };
    });
  });
  return issues.filter((issue, index) => issues.findIndex(({ path }) => isDeepStrictEqual(path, issue.path)) === index);
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
