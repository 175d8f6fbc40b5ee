import { dirname } from "node:path";
import type { LogPipeline } from "../../pipeline.ts";
import { EVENT_KEYS } from "../../sources/journal.ts";
import { fieldFilters, redactFilters } from "./line-filters.ts";
import { bufferInput, type Section, tagOf } from "./service.ts";

const MATCH = tagOf("events");

/**
 * Reads all events that the API server has, which are those of the last hour, and watches for more. After a restart it reads all again: where
 * the destination knows a document by its id, each version of an event is stored once. Its database of UIDs is not used: it knows an event
 * before that is in the buffer, and a kill loses what is between the two; and it leaves out each later version.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/kubernetes-events
 * @see https://github.com/fluent/fluent-bit/blob/v5.1.1/plugins/in_kubernetes_events/kubernetes_events.c process_event_object
 */
export function eventInputs(pipeline: LogPipeline): Section[] {
  if (!pipeline.sources.includes("events")) return [];
  return [
    {
      name: "kubernetes_events",
      tag: MATCH,
      interval_sec: 1,
      kube_request_limit: 500,
      // An event is left out whose time is longer ago when it is seen; by default an hour. Its time is what its author says.
      kube_retention_time: "3650d",
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
    ...redactFilters(pipeline.processing, dirname(script), { match: MATCH, alias: "redact_events", keys: EVENT_KEYS }),
    ...fieldFilters(pipeline.processing, MATCH),
  ];
}
