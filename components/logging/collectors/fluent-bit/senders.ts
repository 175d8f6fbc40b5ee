import { amount } from "../../../schema/values.ts";
import { destinationPipelines, type LogPipeline } from "../../pipeline.ts";
import { destinationFilters, usesLabels } from "./filters.ts";
import { routeFilters, tagMatch } from "./line-filters.ts";
import { outputs, splitByScript } from "./outputs.ts";
import { aliveInput, bufferInput, OWN_PORTS, type Ports, type Section, service } from "./service.ts";
import { sourceOutputs } from "./source-sections.ts";

/**
 * With several destinations, one process reads the files and builds the records, and one per destination receives those routed there into
 * its own buffer and sends them. In a single process, a destination that does not answer would stop the others: all outputs share the
 * chunks in memory (64) and the tasks (16,384), and a chunk that waits for one of them holds both.
 */

/** First of the ports on which senders receive records from the reader, within their pod. */
const FORWARD_PORT = 24_224;
/** Longest message from the reader: a chunk is closed at 2 MB, but its last line may be long. */
const MAX_MESSAGE = "64M";
/** The reader has already gathered lines for a second; gathering again would only delay them, in as many requests. */
const FLUSH_SECONDS = 0.2;
/** Outputs that send in two threads, by default or with a single destination. */
const IN_TWO_THREADS: readonly Section[string][] = ["http", "opensearch", "splunk"];

/** A sender's ports, after those of the reader. */
export function senderPorts(index: number): Ports {
  return { http: OWN_PORTS.http + 2 * (index + 1), alive: OWN_PORTS.alive + 2 * (index + 1) };
}

/** Name of a sender's configuration file. */
export function senderFile({ name }: Pick<LogPipeline, "name">): string {
  return `sender-${name}.yaml`;
}

/** The reader's pipeline: records without anything specific to a destination, with labels if a sender needs them. */
export function readerOf(pipeline: LogPipeline): LogPipeline {
  const labels =
    pipeline.metadata.labels ||
    pipeline.branches.some((branch) => usesLabels(branch) || branch.selections.some((selection) => selection.labels));
  return { ...pipeline, destination: { kind: "stdout" }, metadata: { ...pipeline.metadata, labels } };
}

/** Passes records to a sender, which acknowledges them once they are on its disk, even while its destination is down. */
export function toSender(branch: LogPipeline, index: number): Section {
  return {
    name: "forward",
    // Selects by tag as far as possible.
    ...tagMatch(branch),
    host: "127.0.0.1",
    port: FORWARD_PORT + index,
    require_ack_response: "on",
    retry_limit: "no_limits",
    "storage.total_limit_size": amount(branch.buffer.size),
    "net.io_timeout": "90s",
  };
}

/** A sender's configuration. @see https://docs.fluentbit.io/manual/data-pipeline/inputs/forward */
export function senderConfiguration(branch: LogPipeline, index: number): object {
  const ports = senderPorts(index);
  return {
    service: { ...service(branch, ports), flush: FLUSH_SECONDS },
    pipeline: {
      inputs: [
        {
          name: "forward",
          listen: "127.0.0.1",
          port: FORWARD_PORT + index,
          buffer_max_size: MAX_MESSAGE,
          ...bufferInput(branch),
        },
        aliveInput(branch, ports),
      ],
      filters: [...routeFilters(branch.selections), ...destinationFilters(branch)],
      outputs: allOutputs(branch).map(inOneThread),
    },
  };
}

/**
 * With one thread a sender catches up as fast, and leaves the other cores to the reader and the other senders: measured on two cores, 99 %
 * of their lines then arrive within 3 seconds, instead of 14.
 */
function inOneThread(output: Section): Section {
  return IN_TWO_THREADS.includes(output.name ?? "") ? { ...output, workers: 1 } : output;
}

/** The outputs for the lines of all sources of a destination. */
export function allOutputs(pipeline: LogPipeline): Section[] {
  return [...(pipeline.sources.includes("pods") ? outputs(pipeline) : []), ...sourceOutputs(pipeline)];
}

/** Whether a sender needs the script that finds a record's app. */
export function needsScript(pipeline: LogPipeline): boolean {
  return destinationPipelines(pipeline).some(splitByScript);
}
