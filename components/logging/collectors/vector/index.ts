import { anyEndpoint } from "../../../kubernetes/ip-family.ts";
import { notation } from "../../indexing/index-format.ts";
import { destinationPipelines, hasIndex, type LogPipeline, NODE_VARIABLE } from "../../pipeline.ts";
import {
  JOURNAL_FIELDS,
  JOURNAL_FOLDER,
  type JournalSource,
  journalSources,
  sourceIndex,
  sourcePlace,
} from "../../sources/source.ts";
import {
  bufferOf,
  type Collector,
  everyDestination,
  everyStep,
  neverOldest,
  type Options,
  type Unsupported,
  unless,
  verbatimOnly,
} from "../collector.ts";
import { BY_INDENTATION } from "../stack-traces.ts";
import { yamlText } from "../yaml-text.ts";
import { fieldsProgram, limits, redactProgram, routeCondition } from "./line-program.ts";
import {
  applicationSource,
  destinationProgram,
  joining,
  nodeSource,
  program,
  recordProgram,
  recordSection,
} from "./records.ts";
import { acknowledgements, secrets, sink, sinkName, withIndentation } from "./sinks.ts";

const CONFIG_FOLDER = "/etc/vector";
const STATE_FOLDER = "/var/lib/vector";
const METRICS_PORT = 9598;
/** The transform that builds the record. */
const RECORDS = "records";
/** The same, before pod limits. */
const UNLIMITED_RECORDS = "made";
/** The transform that copies each record to the destinations of its routes. */
const ROUTES = "routes";
/** Enough to write lines in memory to the disk buffer; unsent lines wait there. */
const GRACE_SECONDS = 5;
/**
 * Lines per batch. It bounds the lines on their way to the buffer, and so the losses of a kill on a node, where positions are stored when
 * lines are read: measured, 4,400 lines with Vector's default of 1000, 270 with 100, 9 with this.
 */
const CHUNK = 20;

/**
 * Hides messages that quote a line: one that no runtime wrote, or that came before its node or pod was known. Its metrics count them.
 * @see https://vector.dev/docs/administration/monitoring/
 */
const LOG_LEVELS = "info,vector::internal_events::kubernetes_logs=off,vector::internal_events::parser=off";

/**
 * Vector: reads the files of all pods or of one application, buffers on disk, and retries indefinitely.
 * @see https://vector.dev/docs/
 */
export const vector: Collector = {
  id: "vector",
  title: "Vector",
  image: "docker.io/timberio/vector:0.57.0-distroless-static",
  documentation: "https://vector.dev/docs/",
  modes: ["daemonset", "sidecar"],
  destinations: { ...everyDestination(true), otlp: "OTLP from Vector is not tested here" },
  authenticates: {
    http: ["token", "headers"],
    opensearch: ["sigv4", "token"],
    elasticsearch: ["token"],
    loki: ["token"],
    splunk: ["token"],
  },
  journal: { image: "docker.io/timberio/vector:0.57.0-debian" },
  routes: true,
  processing: everyStep(true),
  about: {
    parsing: [BY_INDENTATION, "JSON up to 31 levels deep, of `a_b` and `a.b` the first"],
    buffer:
      "files that must fit on the node's disk together; when full, it stops reading or drops the newest; a single line may wait for the next two",
    index: "date in any time zone",
    maintenance: "maintained (Datadog)",
    ownCode: "VRL for the record",
    losses: "up to 9 lines in a kill, and what is answered with 4xx, except by http and s3",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  graceSeconds: GRACE_SECONDS,
  liveness: { path: "/metrics", port: METRICS_PORT },
  readiness: { path: "/metrics", port: METRICS_PORT },
  ports: { metrics: METRICS_PORT },
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  // Since 0.57 it substitutes no variables, unless an option enables it.
  readsCredentials: "files",
  // It looks for a stream before creating it, and drops the lines if it may not.
  logGroupActions: ["logs:DescribeLogStreams"],
  // It also watches its own node, whatever metadata is used.
  apiRules: [{ apiGroups: [""], resources: ["nodes", "pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: { "vector.yaml": withIndentation(yamlText(configuration(pipeline), "yaml-1.1")) },
    args: [
      "--config",
      `${CONFIG_FOLDER}/vector.yaml`,
      "--graceful-shutdown-limit-secs",
      String(GRACE_SECONDS),
      "--chunk-size-events",
      String(CHUNK),
    ],
    // Kubernetes replaces `$(NODE_NAME)` by the variable's value.
    ...(pipeline.source.kind === "node"
      ? { environment: { VECTOR_SELF_NODE_NAME: `$(${NODE_VARIABLE})`, VECTOR_LOG: LOG_LEVELS } }
      : {}),
  }),
};

function unsupported(pipeline: LogPipeline): Unsupported[] {
  const { destination, source, index } = pipeline;
  // Two files and their ledger, and beside an application the reserve.
  const least = source.kind === "node" ? "257Mi" : "289Mi";
  return [
    ...neverOldest("Vector", pipeline),
    ...bufferOf(least, "Vector, whose buffer has files of 128Mi", pipeline),
    ...unless(
      destination.kind !== "s3" || destination.prefix !== "" || index.splitBy !== "team",
      "destination.prefix",
      "must not be empty with Vector and index.splitBy team, whose keys must begin with a fixed string",
      "",
    ),
    ...verbatimOnly(
      pipeline,
      /%|\{\{|SECRET\[/,
      "'%', '{{' and 'SECRET[' with Vector, which reads them as a date, a field or a secret",
    ),
  ];
}

/** The whole configuration. @see https://vector.dev/docs/reference/configuration/ */
function configuration(pipeline: LogPipeline): Options {
  const joined = joining(pipeline);
  const routed = routing(pipeline.branches);
  const journal = journalParts(pipeline);
  const pipelines = destinationPipelines(pipeline);
  return {
    data_dir: STATE_FOLDER,
    log_schema: { timestamp_key: "@timestamp" },
    expire_metrics_secs: 300,
    ...secrets(pipelines),
    sources: {
      logs: pipeline.source.kind === "node" ? nodeSource(pipeline) : applicationSource(),
      ...journal.sources,
      internal: { type: "internal_metrics" },
    },
    transforms: {
      ...joined,
      [pipeline.processing.limit.length === 0 ? RECORDS : UNLIMITED_RECORDS]: {
        type: "remap",
        inputs: [Object.keys(joined).at(-1) ?? "logs"],
        source: recordProgram(pipeline),
        drop_on_error: false,
        drop_on_abort: true,
      },
      ...limits(pipeline.processing, UNLIMITED_RECORDS, RECORDS),
      ...routed.transforms,
      ...journal.transforms,
    },
    sinks: {
      ...Object.fromEntries(
        pipelines
          .filter((branch) => branch.sources.includes("pods"))
          .map((branch) => [
            sinkName(branch.name),
            { inputs: [routed.inputs[sinkName(branch.name)] ?? RECORDS], ...sink(branch) },
          ]),
      ),
      ...journal.sinks,
      metrics: {
        type: "prometheus_exporter",
        inputs: ["internal"],
        address: anyEndpoint(pipeline.context.ipFamily, METRICS_PORT),
      },
    },
  };
}

/**
 * The transforms between the record and the sinks of several destinations, and each sink's input. A destination without routes gets all
 * records.
 * @see https://vector.dev/docs/reference/configuration/transforms/route/
 */
function routing(branches: readonly LogPipeline[]) {
  const route: Record<string, Options> = {};
  const transforms: Record<string, Options> = {};
  const inputs: Record<string, string> = {};
  for (const branch of branches.filter(({ sources }) => sources.includes("pods"))) {
    const name = sinkName(branch.name);
    const source = routeCondition(branch.selections);
    if (source !== undefined) route[name] = { type: "vrl", source };
    inputs[name] = source === undefined ? RECORDS : `${ROUTES}.${name}`;
    const adapting = destinationProgram(branch);
    if (adapting === undefined) continue;
    const step = `record-${branch.name}`;
    transforms[step] = { type: "remap", inputs: [inputs[name]], source: adapting, drop_on_error: false };
    inputs[name] = step;
  }
  const routes = { type: "route", inputs: [RECORDS], reroute_unmatched: false, route };
  return { inputs, transforms: { ...(Object.keys(route).length === 0 ? {} : { [ROUTES]: routes }), ...transforms } };
}

/** Components by name. */
interface Parts {
  readonly sources: Readonly<Record<string, Options>>;
  readonly transforms: Readonly<Record<string, Options>>;
  readonly sinks: Readonly<Record<string, Options>>;
}

/**
 * Components that read each part of the journal for each destination, build records and send them. The journal is the buffer: its position
 * advances when the destination accepts a line. A disk buffer loses lines in a kill, since it accepts them shortly before writing them.
 * @see https://vector.dev/docs/reference/configuration/sources/journald/
 */
function journalParts(pipeline: LogPipeline): Parts {
  const all = destinationPipelines(pipeline).flatMap((branch) =>
    journalSources(branch.sources).map((source) => ({
      branch,
      source,
      name: `journal-${source}-${sinkName(branch.name)}`,
    })),
  );
  return {
    sources: Object.fromEntries(all.map(({ source, name }) => [name, journal(source)])),
    transforms: Object.fromEntries(
      all.map(({ branch, source, name }) => [
        `${name}-record`,
        { type: "remap", inputs: [name], source: journalProgram(branch, source), drop_on_error: false },
      ]),
    ),
    sinks: Object.fromEntries(
      all.map(({ branch, source, name }) => [
        `${name}-sink`,
        { inputs: [`${name}-record`], ...journalSink(branch, source) },
      ]),
    ),
  };
}

/** Reads a part of the journal from its beginning, or from the stored position. */
function journal(source: JournalSource): Options {
  return {
    type: "journald",
    journal_directory: JOURNAL_FOLDER,
    // Vector rejects false with this version of journalctl, which follows no other boot. But with --merge it does.
    current_boot_only: true,
    // Without --no-tail it shows ten lines after a restart, and the rest only with the next entry. Vector's option for fields would read all
    // entries and discard the others.
    extra_args: ["--merge", "--no-tail", ...JOURNAL_FIELDS[source]],
    emit_cursor: true,
  };
}

function journalProgram({ processing, destination, index }: LogPipeline, source: JournalSource): string {
  const date_format = notation(index.datePattern, "strftime");
  const search = hasIndex(destination);
  return program({ source, ...(search ? { date_format, time_zone: index.timeZone } : {}) }, [
    recordSection("journal-line"),
    ...(search ? [recordSection("journal-cursor")] : []),
    redactProgram(processing),
    recordSection("journal-record"),
    fieldsProgram(processing),
    ...(search ? [recordSection("journal-index")] : []),
  ]);
}

/** The destination's sink, with the source's own names. */
function journalSink(branch: LogPipeline, source: JournalSource): Options {
  const destination =
    branch.destination.kind === "s3"
      ? { ...branch.destination, prefix: sourcePlace(branch.destination.prefix, source) }
      : branch.destination;
  const ofSource = { ...branch, destination, index: sourceIndex(branch.index, source), places: [] };
  return {
    ...sink(ofSource),
    ...ownNames(ofSource, source),
    acknowledgements: acknowledgements(destination),
    buffer: [{ type: "memory", max_events: 500, when_full: "block" }],
  };
}

function ownNames({ destination }: LogPipeline, source: JournalSource): Options {
  switch (destination.kind) {
    case "cloudwatch":
      return { stream_name: `{{ node }}.${source}` };
    case "file":
      return { path: `${destination.path}/${source}.log` };
    case "loki":
      return { labels: { job: "eks-dns-logging", source, node: "{{ node }}" } };
    // Lines that wait for an object are in memory.
    case "s3":
      return { batch: { max_bytes: 10_000_000, timeout_secs: 300 } };
    default:
      return {};
  }
}
