import { readFileSync } from "node:fs";
import type { ApplicationPod } from "../../../kubernetes/container.ts";
import { amount } from "../../../schema/values.ts";
import { plainHeaders } from "../../destinations/headers.ts";
import { APPLICATION_LOGS, hasIndex, type LogPipeline, podLogFiles } from "../../pipeline.ts";
import type { Collector, Unsupported } from "../collector.ts";
import { yamlText } from "../yaml-text.ts";
import { eventFilters, eventInputs } from "./event-sections.ts";
import { applicationFilters, nodeFilters, POD_PARSER, TAG_PARSER, teamParser } from "./filters.ts";
import { journalFilters, journalInputs } from "./journal-sections.ts";
import { processingScripts } from "./line-filters.ts";
import { CRI_PARTS, criLine, criParts, firstLineParsers, stackTraceParsers } from "./multiline.ts";
import {
  allOutputs,
  needsScript,
  readerOf,
  senderConfiguration,
  senderFile,
  senderPorts,
  toSender,
} from "./senders.ts";
import {
  aliveInput,
  bufferInput,
  GRACE_SECONDS,
  OWN_PORTS,
  probesAt,
  type Section,
  STATE_FOLDER,
  service,
} from "./service.ts";

const CONFIG_FOLDER = "/fluent-bit/etc/conf";
const SCRIPT = `${CONFIG_FOLDER}/index.lua`;
/**
 * Lines are read up to 50 MB at a time, and wait on disk until their turn to be sent comes. Measured at 5 MB/s of twenty containers with a
 * destination that answers at once: with 32Mi it dropped 83,000 of 142,000 lines, with 64Mi none.
 */
const MIN_DROPPING_BUFFER = "64Mi";

/** The Lua filter that finds the app of a record. */
const APP_SCRIPT = readFileSync(new URL("./app-index.lua", import.meta.url), "utf8");

/**
 * Fluent Bit, with the options that lose nothing where its defaults do. Why each is set was measured: docs/measurements/log-delivery.md.
 * @see https://docs.fluentbit.io/manual
 */
export const fluentBit: Collector = {
  id: "fluent-bit",
  title: "Fluent Bit",
  image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
  documentation: "https://docs.fluentbit.io/manual",
  modes: ["daemonset", "sidecar"],
  destinations: {
    stdout: true,
    file: true,
    http: true,
    opensearch: true,
    elasticsearch: true,
    cloudwatch: true,
    s3: true,
    loki: true,
    otlp: true,
    splunk: true,
    firehose: true,
    kafka: true,
  },
  authenticates: {
    http: ["token", "headers"],
    opensearch: ["sigv4"],
    loki: ["token", "headers"],
    otlp: ["token", "headers"],
    splunk: ["token"],
  },
  routes: true,
  sources: { journal: true },
  processing: { redact: true, drop: true, sample: true, limit: true, firstLines: true, fields: true },
  about: {
    parsing:
      "stack traces of Java, Python, Go, Node.js, .NET, Ruby, PHP and Rust, in pieces if the other stream interleaves; no other indented lines; the empty line after a trace of Python or Go as a line break; no long line that a rotation divides; JSON up to 62 levels deep (one of 63 or 64 is lost, with what its container writes after it in that second), fractions to 16 digits, also with control characters or text after it",
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
  // Measured: 55 to 100 MB at 20 to 40 MB/s, and 370 MB while a backlog of 50 busy containers is sent.
  resources: { cpu: "50m", memory: "64Mi", memoryLimit: "512Mi" },
  // The filter reads pods from the API server. Reading them from the kubelet would need nodes/proxy, which can exec in any pod.
  apiRules: [{ apiGroups: [""], resources: ["namespaces", "pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: {
      "fluent-bit.yaml": yamlText(configuration(pipeline)),
      ...Object.fromEntries(
        pipeline.branches.map((branch, at) => [senderFile(branch), yamlText(senderConfiguration(branch, at, SCRIPT))]),
      ),
      ...(needsScript(pipeline) ? { "index.lua": APP_SCRIPT } : {}),
      ...processingScripts(pipeline),
    },
    args: ["--config", `${CONFIG_FOLDER}/fluent-bit.yaml`],
    ...(pipeline.branches.length === 0
      ? {}
      : {
          senders: pipeline.branches.map((branch, at) => ({
            name: branch.name ?? "",
            args: ["--config", `${CONFIG_FOLDER}/${senderFile(branch)}`],
            ...probesAt(senderPorts(at)),
          })),
        }),
  }),
};

function unsupported({ index, destination, buffer }: LogPipeline): Unsupported[] {
  const found: Unsupported[] = [];
  if (buffer.whenFull === "drop-oldest" && amount(buffer.size) < amount(MIN_DROPPING_BUFFER)) {
    const message = `must be at least ${MIN_DROPPING_BUFFER} with Fluent Bit and whenFull drop-oldest, or lines are dropped while they are sent`;
    found.push({ path: ["buffer", "size"], message, value: buffer.size });
  }
  if (hasIndex(destination) && index.timeZone !== "UTC") {
    const message = "must be UTC with Fluent Bit, which dates indices in UTC";
    found.push({ path: ["index", "timeZone"], message, value: index.timeZone });
  }
  if (destination.kind === "http" && destination.url.includes("${")) {
    const message = `must be a URL without '\${' with Fluent Bit, which reads it as a variable`;
    found.push({ path: ["destination", "url"], message, value: destination.url });
  }
  for (const [name, value] of plainHeaders(destination)) {
    if (!value.includes("${")) continue;
    const message = `must be a text without '\${' with Fluent Bit, which reads it as a variable`;
    found.push({ path: ["destination", "headers", name], message, value });
  }
  return found;
}

/** The whole configuration; with several destinations, that of what reads, without what sends. @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml */
function configuration(whole: LogPipeline): object {
  const pipeline = whole.branches.length === 0 ? whole : readerOf(whole);
  const { source, branches } = pipeline;
  const node = source.kind === "node";
  // In this order: Fluent Bit gives the parser of one to those after it that name none.
  const joining = [...stackTraceParsers(pipeline), ...firstLineParsers(pipeline), ...(node ? [criParts] : [])];
  return {
    service: service(pipeline, OWN_PORTS),
    parsers: [TAG_PARSER, ...(node ? [POD_PARSER, teamParser(pipeline), criLine] : [])],
    ...(joining.length === 0 ? {} : { multiline_parsers: joining }),
    pipeline: {
      inputs: [
        ...(node ? nodeInputs(pipeline) : [applicationInput(pipeline, source.pod)]),
        ...journalInputs(pipeline),
        ...eventInputs(pipeline),
        aliveInput(pipeline, OWN_PORTS),
      ],
      filters: [
        ...(node ? podFilters(pipeline) : applicationFilters(pipeline, source.pod, SCRIPT)),
        ...journalFilters(pipeline, SCRIPT),
        ...eventFilters(pipeline, SCRIPT),
      ],
      outputs: branches.length === 0 ? allOutputs(pipeline) : branches.map(toSender),
    },
  };
}

/**
 * Reads the pods' files and what was rotated away from them but is not compressed yet, so that a rotation while Fluent Bit is
 * stopped loses nothing. A rotated file stays watched until the kubelet deletes it: were it forgotten after a while, the next
 * look at the folder would take it for a new one and read it again.
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
      ...READING,
      ...bufferInput(pipeline),
      read_from_head: "on",
      // Also how long a new file may go unseen: at 4 MB/s a file is rotated away after two and a half seconds.
      refresh_interval: 1,
      rotate_wait: 86_400,
      buffer_chunk_size: "256k",
      buffer_max_size: "2M",
      skip_long_lines: "on",
      threaded: "off",
    },
  ];
}

function podFilters(pipeline: LogPipeline): Section[] {
  return pipeline.sources.includes("pods") ? nodeFilters(pipeline, SCRIPT) : [];
}

/** How files are read: those of the runtime, and those that an application writes. */
const READING: Section = {
  db: `${STATE_FOLDER}/positions.db`,
  // Nobody else opens it. Locked and unlocked at each read, it took a quarter of the system calls at a low rate.
  "db.locking": "on",
  // Else the kernel begins to write the whole file to disk before each read, and drops what is written from its cache: at 1 MB/s a third of the CPU time.
  file_cache_advise: "off",
};

/**
 * Reads every file that the application writes, as it is. A file that was rotated away is read to its end.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
 */
function applicationInput(pipeline: LogPipeline, of: ApplicationPod): Section {
  return {
    name: "tail",
    // As on a node, but that a pod's UID is not known before it is there.
    tag: `kube.${of.namespace}_${of.pod}_-_${of.container}`,
    path: `${APPLICATION_LOGS}/*.log`,
    key: "log",
    ...READING,
    ...bufferInput(pipeline),
    read_from_head: "on",
    refresh_interval: 1,
    rotate_wait: 60,
    buffer_chunk_size: "256k",
    buffer_max_size: "2M",
    skip_long_lines: "on",
    threaded: "off",
  };
}
