import { dirname } from "node:path";
import type { LogPipeline } from "../../pipeline.ts";
import { EVENT_KEYS } from "../../sources/journal.ts";
import { fieldFilters, redactFilters } from "./line-filters.ts";
import { bufferInput, type Section, tagOf } from "./service.ts";

const MATCH = tagOf("events");

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
      tag: MATCH,
      interval_sec: 1,
      kube_request_limit: 500,
      // Events older than this when read are skipped, by default after an hour. The time is the reporter's.
      kube_retention_time: "3650d",
      ...bufferInput(pipeline),
    },
  ];
}

/** Builds the record: the message as `log`, its source as `reporter`, and the rest of the event except `managedFields`. */
export function eventFilters(pipeline: LogPipeline, script: string): Section[] {
  if (!pipeline.sources.includes("events")) return [];
  const nest = (options: Section): Section => ({ name: "nest", match: MATCH, ...options });
  return [
    nest({ operation: "lift", nested_under: "metadata", add_prefix: "metadata:" }),
    {
      name: "modify",
      match: MATCH,
      // Only a watch returns an event's kind and API version, a list does not: ids derived from them would differ.
      remove: ["metadata:managedFields", "kind", "apiVersion"],
      rename: ["message log", "source reporter"],
      add: "source events",
    },
    nest({ operation: "nest", wildcard: "metadata:*", nest_under: "metadata", remove_prefix: "metadata:" }),
    ...redactFilters(pipeline.processing, dirname(script), { match: MATCH, alias: "redact_events", keys: EVENT_KEYS }),
    ...fieldFilters(pipeline.processing, MATCH),
  ];
}
