import type { SettingsIssue } from "../../schema/errors.ts";
import { amount } from "../../schema/values.ts";
import type { Collector } from "../collectors/collector.ts";
import { fluentBit } from "../collectors/fluent-bit/index.ts";
import { type LogPipeline, logPipeline, ofSources } from "../pipeline.ts";
import { targetsOf } from "../routing/routes.ts";
import type { LoggingSettings } from "../settings.ts";
import { isOnNode, type Source } from "./source.ts";

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
export function carriersOf(settings: LoggingSettings, collector: Collector): readonly [Carrier, ...Carrier[]] {
  const onNodes: Carrier = { collector, settings, carries: isOnNode };
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
  ...rest: [context: Parameters<typeof logPipeline>[1], source?: LogPipeline["source"]]
): LogPipeline {
  return ofSources(logPipeline(settings, ...rest), carries);
}

/** A warning if the event reader deviates from the settings, or does not exist. Paths are below `logging`. */
export function eventReaderWarnings({ sources, events, buffer: { whenFull } }: LoggingSettings): SettingsIssue[] {
  if (!sources.includes("events")) {
    const path = ["events", "image"];
    const message = "has no effect without the source events";
    return events.image === undefined ? [] : [{ path, message, value: events.image, severity: "warning" }];
  }
  if (whenFull === undefined || whenFull === "drop-oldest") return [];
  const message = `is drop-oldest for events, which ${EVENT_READER.title} reads`;
  return [{ path: ["buffer", "whenFull"], message, value: whenFull, severity: "warning" }];
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
