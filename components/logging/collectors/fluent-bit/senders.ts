import { amount } from "../../../schema/values.ts";
import type { LogPipeline } from "../../pipeline.ts";
import type { Selection } from "../../routing/routes.ts";
import { destinationFilters, usesLabels } from "./filters.ts";
import { sourceOutputs } from "./journal-sections.ts";
import { outputs, splitByScript } from "./outputs.ts";
import { conditions, tagMatch } from "./selection.ts";
import { aliveInput, bufferInput, OWN_PORTS, type Ports, type Section, service } from "./service.ts";

/**
 * Several destinations: one process reads the files and makes the records, and one for each destination takes those that are routed
 * there into a buffer of its own and sends them. In one process a destination that does not answer would stop the others: all outputs
 * share the chunks in memory (64) and the tasks (16,384), and a chunk that waits for one of them holds both.
 */

/** First of the ports at which senders take records from their reader, within their pod. */
const FORWARD_PORT = 24_224;
/** Longest message from the reader: a chunk is closed at 2 MB, but the last line in it may be long. */
const MAX_MESSAGE = "64M";
/** The reader has gathered a second of a container's lines already; gathered again they would only come later, in as many requests. */
const FLUSH_SECONDS = 0.2;
/** Outputs that send in two threads, by default or for a single destination. */
const IN_TWO_THREADS: readonly Section[string][] = ["http", "opensearch", "splunk"];
/** Key of a record that one of the routes leads on. */
const ROUTED = "routed";

/** Ports of a sender, after those of the reader. */
export function senderPorts(at: number): Ports {
  return { http: OWN_PORTS.http + 2 * (at + 1), alive: OWN_PORTS.alive + 2 * (at + 1) };
}

/** File with the configuration of a sender. */
export function senderFile({ name }: Pick<LogPipeline, "name">): string {
  return `sender-${name}.yaml`;
}

/** The pipeline of what reads: records without anything that one destination alone asks for, with labels if a sender needs them. */
export function readerOf(pipeline: LogPipeline): LogPipeline {
  const labels =
    pipeline.metadata.labels ||
    pipeline.branches.some((branch) => usesLabels(branch) || branch.selections.some((selection) => selection.labels));
  return { ...pipeline, destination: { kind: "stdout" }, metadata: { ...pipeline.metadata, labels } };
}

/** Hands records to a sender, which says when they are on its disk. It takes them whether its destination is there or not. */
export function toSender(branch: LogPipeline, at: number): Section {
  return {
    name: "forward",
    // Decides by the tag what it can.
    ...tagMatch(branch),
    host: "127.0.0.1",
    port: FORWARD_PORT + at,
    require_ack_response: "on",
    retry_limit: "no_limits",
    "storage.total_limit_size": amount(branch.buffer.size),
    "net.io_timeout": "90s",
  };
}

/** The configuration of what sends to one destination. @see https://docs.fluentbit.io/manual/data-pipeline/inputs/forward */
export function senderConfiguration(branch: LogPipeline, at: number, script: string): object {
  const ports = senderPorts(at);
  return {
    service: { ...service(branch, ports), flush: FLUSH_SECONDS },
    pipeline: {
      inputs: [
        {
          name: "forward",
          listen: "127.0.0.1",
          port: FORWARD_PORT + at,
          buffer_max_size: MAX_MESSAGE,
          ...bufferInput(branch),
        },
        aliveInput(branch, ports),
      ],
      filters: [...routeFilters(branch.selections), ...destinationFilters(branch, script)],
      outputs: allOutputs(branch).map(inOneThread),
    },
  };
}

/**
 * With one thread a sender works off its backlog as fast, and leaves the other cores to the reader and to other senders: measured on
 * two, 99 % of their lines then arrive within 3 seconds, and else within 14.
 */
function inOneThread(output: Section): Section {
  return IN_TWO_THREADS.includes(output.name ?? "") ? { ...output, workers: 1 } : output;
}

/** What sends the lines of all sources that go to a destination. */
export function allOutputs(pipeline: LogPipeline): Section[] {
  return [...(pipeline.sources.includes("pods") ? outputs(pipeline) : []), ...sourceOutputs(pipeline)];
}

/** Drops what no route leads here of the pods' lines, as far as the tag does not tell: a record that meets all conditions of a route is marked. */
function routeFilters(selections: readonly Selection[]): Section[] {
  if (selections.every(({ labels, streams, levels }) => !labels && !streams && !levels)) return [];
  const every = { match: "kube.*" };
  return [
    ...selections.flatMap((selection) =>
      conditions(selection).map((condition) => ({ name: "modify", ...every, condition, set: `${ROUTED} yes` })),
    ),
    { name: "grep", ...every, regex: `${ROUTED} ^yes$` },
    { name: "modify", ...every, remove: ROUTED },
  ];
}

/** Whether a sender needs the script that finds the app of a record. */
export function needsScript({ branches, ...only }: LogPipeline): boolean {
  return branches.length === 0 ? splitByScript({ ...only, branches }) : branches.some(splitByScript);
}
