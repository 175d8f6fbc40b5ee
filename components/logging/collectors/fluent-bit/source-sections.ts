import { type LogPipeline, NODE_VARIABLE, withName } from "../../pipeline.ts";
import {
  EVENT_KEYS,
  JOURNAL_FIELDS,
  JOURNAL_FOLDER,
  JOURNAL_KEYS,
  type JournalSource,
  journalSources,
  type OwnSource,
  ownSources,
  sourceIndex,
  sourcePlace,
} from "../../sources/source.ts";
import { fieldFilters, redactFilters } from "./line-filters.ts";
import { keyFormat, output } from "./outputs.ts";
import { bufferInput, type Section, STATE_FOLDER, tagOf } from "./service.ts";

/**
 * Reads a part of the journal from its beginning, or continues at the position that is stored on disk, as for pod files.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/systemd
 */
export function journalInputs(pipeline: LogPipeline): Section[] {
  return journalSources(pipeline.sources).map((source) => ({
    name: "systemd",
    tag: tagOf(source),
    path: JOURNAL_FOLDER,
    systemd_filter: [...JOURNAL_FIELDS[source]],
    systemd_filter_type: "or",
    db: `${STATE_FOLDER}/journal-${source}.db`,
    "db.sync": "normal",
    read_from_tail: "off",
    lowercase: "on",
    strip_underscores: "on",
    ...bufferInput(pipeline),
  }));
}

/** Builds the record: the line as `log`, as for pods, and its origin. */
export function journalFilters(pipeline: LogPipeline): Section[] {
  const sources = journalSources(pipeline.sources);
  if (sources.length === 0) return [];
  const every = { match: "journal.*" };
  return [
    ...sources.flatMap(recordOf),
    ...redactFilters(pipeline.processing, every.match, "redact_journal", JOURNAL_KEYS),
    ...fieldFilters(pipeline.processing, every.match),
  ];
}

function recordOf(source: JournalSource): Section[] {
  return [
    {
      name: "record_modifier",
      match: tagOf(source),
      allowlist_key: ["message", "systemd_unit", "syslog_identifier", "priority", "pid"],
    },
    {
      name: "modify",
      match: tagOf(source),
      rename: ["message log", "systemd_unit unit", "syslog_identifier identifier"],
      add: [`source ${source}`, `node \${${NODE_VARIABLE}}`],
    },
  ];
}

const EVENTS = tagOf("events");

/**
 * Reads all events that the API server has, which are those of the last hour, and watches for more. After a restart it reads all again: if
 * the destination has document ids, each version of an event is stored once. Its database of UIDs is not used: it records an event before
 * that is in the buffer, so a kill loses the events in between; and it skips each later version.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/kubernetes-events
 * @see https://github.com/fluent/fluent-bit/blob/v5.1.1/plugins/in_kubernetes_events/kubernetes_events.c process_event_object
 */
export function eventInputs(pipeline: LogPipeline): Section[] {
  if (!pipeline.sources.includes("events")) return [];
  return [
    {
      name: "kubernetes_events",
      tag: EVENTS,
      interval_sec: 1,
      kube_request_limit: 500,
      // Events older than this when read are skipped, by default after an hour. The time is the reporter's.
      kube_retention_time: "3650d",
      ...bufferInput(pipeline),
    },
  ];
}

/** Builds the record: the message as `log`, its source as `reporter`, and the rest of the event except `managedFields`. */
export function eventFilters(pipeline: LogPipeline): Section[] {
  if (!pipeline.sources.includes("events")) return [];
  const nest = (options: Section): Section => ({ name: "nest", match: EVENTS, ...options });
  return [
    nest({ operation: "lift", nested_under: "metadata", add_prefix: "metadata:" }),
    {
      name: "modify",
      match: EVENTS,
      // Only a watch returns an event's kind and API version, a list does not: ids derived from them would differ.
      remove: ["metadata:managedFields", "kind", "apiVersion"],
      rename: ["message log", "source reporter"],
      add: "source events",
    },
    nest({ operation: "nest", wildcard: "metadata:*", nest_under: "metadata", remove_prefix: "metadata:" }),
    ...redactFilters(pipeline.processing, EVENTS, "redact_events", EVENT_KEYS),
    ...fieldFilters(pipeline.processing, EVENTS),
  ];
}

/** Sends each source other than pods to the destination under its own names. */
export function sourceOutputs(pipeline: LogPipeline): Section[] {
  return ownSources(pipeline.sources).map((source) => {
    const index = sourceIndex(pipeline.index, source);
    return { ...output({ ...pipeline, index }), ...ownNames(pipeline, source), match: tagOf(source) };
  });
}

function ownNames({ destination, name }: LogPipeline, source: OwnSource): Section {
  switch (destination.kind) {
    case "file":
      return { file: `${source}.log` };
    case "cloudwatch":
      return source === "events"
        ? { log_stream_template: undefined, log_stream_prefix: undefined, log_stream_name: source }
        : { log_stream_template: `$node.${source}`, log_stream_prefix: `${source}-` };
    case "s3":
      return {
        s3_key_format: keyFormat(sourcePlace(destination.prefix, source)),
        store_dir: withName(`${STATE_FOLDER}/journal-s3-${source}`, name),
      };
    case "loki":
      return { labels: `job=eks-dns-logging, source=${source}${source === "events" ? "" : ", node=$node"}` };
    default:
      return {};
  }
}
