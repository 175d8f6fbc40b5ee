import { dirname } from "node:path";
import { takesIds } from "../../destinations/amazon.ts";
import { hasIndex, type LogPipeline } from "../../pipeline.ts";
import { fieldFilters, redactFilters } from "./line-filters.ts";
import { bufferInput, type Section, STATE_FOLDER, tagOf } from "./service.ts";

const MATCH = tagOf("events");

/**
 * Reads all events that the API server has, which are those of the last hour, and watches for more. Where each destination knows a document
 * by its id, all are read again after a restart, and each version of an event is stored once. Elsewhere a file says which events were read,
 * by their UIDs, so that an event that is counted up later is sent as it was at first.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/kubernetes-events
 * @see https://github.com/fluent/fluent-bit/blob/v5.1.1/plugins/in_kubernetes_events/kubernetes_events.c check_event_is_filtered
 */
export function eventInputs(pipeline: LogPipeline): Section[] {
  if (!pipeline.sources.includes("events")) return [];
  const { branches } = pipeline;
  const ends = branches.length === 0 ? [pipeline] : branches;
  const haveIds = ends.every(({ destination }) => hasIndex(destination) && takesIds(destination));
  return [
    {
      name: "kubernetes_events",
      tag: MATCH,
      ...(haveIds ? {} : { db: `${STATE_FOLDER}/events.db`, "db.sync": "full" }),
      interval_sec: 1,
      kube_request_limit: 500,
      // By default an event is left out whose time is more than an hour ago when it is seen.
      kube_retention_time: "1d",
      ...bufferInput(pipeline),
    },
  ];
}

/** Makes the record: the message under `log`, its source under `reporter`, and the event as it is but for the fields that say who set which of them. */
export function eventFilters(pipeline: LogPipeline, script: string): Section[] {
  if (!pipeline.sources.includes("events")) return [];
  const nest = (options: Section): Section => ({ name: "nest", match: MATCH, ...options });
  return [
    nest({ operation: "lift", nested_under: "metadata", add_prefix: "metadata:" }),
    {
      name: "modify",
      match: MATCH,
      // A watch gives kind and version of each event, a list does not: the ids that are made of the two would differ.
      remove: ["metadata:managedFields", "kind", "apiVersion"],
      rename: ["message log", "source reporter"],
      add: "source events",
    },
    nest({ operation: "nest", wildcard: "metadata:*", nest_under: "metadata", remove_prefix: "metadata:" }),
    ...redactFilters(pipeline.processing, dirname(script), { match: MATCH, alias: "redact_events", keys: KEYS }),
    ...fieldFilters(pipeline.processing, MATCH),
  ];
}

/** What a record has beside its line. @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const KEYS = [
  ...["involvedObject", "reason", "type", "count", "firstTimestamp", "lastTimestamp", "eventTime", "series"],
  ...["action", "related", "reportingComponent", "reportingInstance", "reporter", "source", "metadata"],
];
