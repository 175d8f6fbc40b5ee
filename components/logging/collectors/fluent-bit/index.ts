import type { ApplicationPod } from "../../../kubernetes/container.ts";
import { amount } from "../../../schema/values.ts";
import { APPLICATION_LOGS, destinationPipelines, type LogPipeline, podLogFiles } from "../../pipeline.ts";
import {
  type Collector,
  everyDestination,
  everyStep,
  onlyUtc,
  readScript,
  type Unsupported,
  unless,
  verbatimOnly,
} from "../collector.ts";
import { yamlText } from "../yaml-text.ts";
import {
  applicationFilters,
  destinationFilters,
  nodeFilters,
  POD_PARSER,
  TAG_PARSER,
  teamParser,
  usesLabels,
} from "./filters.ts";
import { processingScripts, routeFilters, tagMatch } from "./line-filters.ts";
import { CRI_PARTS, criLine, criParts, firstLineParsers, stackTraceParsers } from "./multiline.ts";
import { outputs, splitByScript } from "./outputs.ts";
import {
  aliveInput,
  bufferInput,
  CONFIG_FOLDER,
  GRACE_SECONDS,
  OWN_PORTS,
  type Ports,
  probesAt,
  type Section,
  STATE_FOLDER,
  service,
} from "./service.ts";
import { eventFilters, eventInputs, journalFilters, journalInputs, sourceOutputs } from "./source-sections.ts";

/**
 * Lines are read up to 50 MB at a time, and wait on disk until they are sent. Measured at 5 MB/s from twenty containers with a destination
 * that answers immediately: with 32Mi it dropped 83,000 of 142,000 lines, with 64Mi none.
 */
const MIN_DROPPING_BUFFER = "64Mi";

/** The Lua filter that finds a record's app. */
const APP_SCRIPT = readScript(import.meta.url, "app-index.lua");

/**
 * Fluent Bit, with options that prevent losses of its defaults. Measurements are the reason for each: docs/measurements/log-delivery.md.
 * @see https://docs.fluentbit.io/manual
 */
export const fluentBit: Collector = {
  id: "fluent-bit",
  title: "Fluent Bit",
  image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
  documentation: "https://docs.fluentbit.io/manual",
  modes: ["daemonset", "sidecar"],
  destinations: everyDestination(true),
  authenticates: {
    http: ["token", "headers"],
    opensearch: ["sigv4"],
    loki: ["token", "headers"],
    otlp: ["token", "headers"],
    splunk: ["token"],
  },
  routes: true,
  journal: {},
  processing: everyStep(true),
  about: {
    parsing: [
      "stack traces of Java, Python, Go, Node.js, .NET, Ruby, PHP and Rust, in pieces if the other stream interleaves",
      "no other indented lines",
      "the empty line after a trace of Python or Go as a line break",
      "no long line that a rotation divides",
      "JSON up to 62 levels deep (one of 63 or 64 is lost, with what its container writes after it in that second), fractions to 16 digits, also with control characters or text after it",
      "a replacement character for each byte of a cut one",
      "text in OTLP only up to a NUL",
    ],
    buffer: "files on the node",
    index: "date in UTC",
    maintenance: "maintained (CNCF)",
    ownCode: "Lua, for splitBy app, processing.redact and limit",
    losses: "none at 30 MB/s for a minute, and at 40 MB/s for 15 s",
    cpu: 1,
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  command: ["/fluent-bit/bin/fluent-bit"],
  graceSeconds: GRACE_SECONDS,
  ...probesAt(OWN_PORTS),
  // Measured: 55 to 100 MB at 20 to 40 MB/s, and 370 MB while sending a backlog of 50 busy containers.
  resources: { cpu: "50m", memory: "64Mi", memoryLimit: "512Mi" },
  // The filter reads pods from the API server. Reading them from the kubelet would need nodes/proxy, which can exec in any pod.
  apiRules: [{ apiGroups: [""], resources: ["namespaces", "pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: {
      "fluent-bit.yaml": yamlText(configuration(pipeline)),
      ...Object.fromEntries(
        pipeline.branches.map((branch, index) => [senderFile(branch), yamlText(senderConfiguration(branch, index))]),
      ),
      ...(destinationPipelines(pipeline).some(splitByScript) ? { "index.lua": APP_SCRIPT } : {}),
      ...processingScripts(pipeline.processing),
    },
    args: ["--config", `${CONFIG_FOLDER}/fluent-bit.yaml`],
    senders: pipeline.branches.map((branch, index) => ({
      name: branch.name ?? "",
      args: ["--config", `${CONFIG_FOLDER}/${senderFile(branch)}`],
      ...probesAt(senderPorts(index)),
    })),
  }),
};

function unsupported(pipeline: LogPipeline): Unsupported[] {
  const { size, whenFull } = pipeline.buffer;
  return [
    ...unless(
      whenFull !== "drop-oldest" || amount(size) >= amount(MIN_DROPPING_BUFFER),
      "buffer.size",
      `must be at least ${MIN_DROPPING_BUFFER} with Fluent Bit and whenFull drop-oldest, or lines are dropped while they are sent`,
      size,
    ),
    ...onlyUtc("Fluent Bit", pipeline),
    ...verbatimOnly(pipeline, /\$\{/, "'${' with Fluent Bit, which reads it as a variable"),
  ];
}

/** The configuration of the only process, or of the reader if there are several destinations. @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml */
function configuration(whole: LogPipeline): object {
  const pipeline = whole.branches.length === 0 ? whole : readerOf(whole);
  const { source, branches } = pipeline;
  const node = source.kind === "node";
  // In this order: a parser without a parser of its own inherits that of the one before it.
  const joining = [...stackTraceParsers(pipeline), ...firstLineParsers(pipeline), ...(node ? [criParts] : [])];
  return {
    service: service(pipeline, OWN_PORTS),
    parsers: [TAG_PARSER, ...(node ? [POD_PARSER, teamParser(pipeline), criLine] : [])],
    multiline_parsers: joining.length === 0 ? undefined : joining,
    pipeline: {
      inputs: [
        ...(node ? nodeInputs(pipeline) : [applicationInput(pipeline, source.pod)]),
        ...journalInputs(pipeline),
        ...eventInputs(pipeline),
        aliveInput(pipeline, OWN_PORTS),
      ],
      filters: [
        ...(node ? nodeFilters(pipeline) : applicationFilters(pipeline, source.pod)),
        ...journalFilters(pipeline),
        ...eventFilters(pipeline),
      ],
      outputs: branches.length === 0 ? allOutputs(pipeline) : branches.map(toSender),
    },
  };
}

/**
 * Reads the pods' files and rotated files that are not compressed yet, so that a rotation while Fluent Bit is stopped loses nothing.
 * A rotated file stays watched until the kubelet deletes it: if it were forgotten sooner, the next scan of the folder would take it for a
 * new file and read it again.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
 */
function nodeInputs(pipeline: LogPipeline): Section[] {
  if (!pipeline.sources.includes("pods")) return [];
  const { include, exclude } = pipeline.namespaces;
  return [
    {
      name: "tail",
      tag: "kube.<namespace>_<pod>_<uid>_<container>",
      tag_regex: "^/var/log/pods/(?<namespace>[^_/]+)_(?<pod>[^_/]+)_(?<uid>[^_/]+)/(?<container>[^/]+)/",
      path: podLogFiles(include.length === 0 ? ["*"] : include).join(","),
      exclude_path: podLogFiles(exclude).join(","),
      "multiline.parser": CRI_PARTS,
      ...reading(pipeline, 86_400),
    },
  ];
}

/** Common options for reading files of the runtime and of applications. */
const reading = (pipeline: LogPipeline, rotate_wait: number): Section => ({
  db: `${STATE_FOLDER}/positions.db`,
  // No other process opens it. Locking at each read took a quarter of the system calls at a low rate.
  "db.locking": "on",
  // Else, before each read, the kernel starts writing the whole file to disk, and evicts written pages from its cache: at 1 MB/s a third of the CPU time.
  file_cache_advise: "off",
  ...bufferInput(pipeline),
  read_from_head: "on",
  // Also the delay until a new file is seen: at 4 MB/s a file is rotated away after two and a half seconds.
  refresh_interval: 1,
  rotate_wait,
  buffer_chunk_size: "256k",
  buffer_max_size: "2M",
  skip_long_lines: "on",
  threaded: "off",
});

/**
 * Reads every file that the application writes, unparsed. A rotated file is read to its end.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
 */
function applicationInput(pipeline: LogPipeline, of: ApplicationPod): Section {
  return {
    name: "tail",
    // As on a node, except that a pod's UID is not known in advance.
    tag: `kube.${of.namespace}_${of.pod}_-_${of.container}`,
    path: `${APPLICATION_LOGS}/*.log`,
    key: "log",
    ...reading(pipeline, 60),
  };
}

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
function senderPorts(index: number): Ports {
  return { http: OWN_PORTS.http + 2 * (index + 1), alive: OWN_PORTS.alive + 2 * (index + 1) };
}

/** Name of a sender's configuration file. */
function senderFile({ name }: Pick<LogPipeline, "name">): string {
  return `sender-${name}.yaml`;
}

/** The reader's pipeline: records without anything specific to a destination, with labels if a sender needs them. */
function readerOf(pipeline: LogPipeline): LogPipeline {
  const labels =
    pipeline.metadata.labels ||
    pipeline.branches.some((branch) => usesLabels(branch) || branch.selections.some((selection) => selection.labels));
  return { ...pipeline, destination: { kind: "stdout" }, metadata: { ...pipeline.metadata, labels } };
}

/** Passes records to a sender, which acknowledges them once they are on its disk, even while its destination is down. */
function toSender(branch: LogPipeline, index: number): Section {
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
function senderConfiguration(branch: LogPipeline, index: number): object {
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
function allOutputs(pipeline: LogPipeline): Section[] {
  return [...(pipeline.sources.includes("pods") ? outputs(pipeline) : []), ...sourceOutputs(pipeline)];
}
