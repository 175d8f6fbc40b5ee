import { isCleanPrefix } from "../../../aws/names.ts";
import { anyAddress, anyEndpoint } from "../../../kubernetes/ip-family.ts";
import { destinationPipelines, hasIndex, type LogPipeline } from "../../pipeline.ts";
import {
  bufferOf,
  type Collector,
  neverOldest,
  type Options,
  onlyUtc,
  type Unsupported,
  unless,
} from "../collector.ts";
import { BY_INDENTATION } from "../stack-traces.ts";
import { yamlText } from "../yaml-text.ts";
import {
  authenticatorOf,
  authName,
  componentName,
  DESTINATIONS,
  exporter,
  partsOf,
  QUEUE_STORAGE,
} from "./exporters.ts";
import { branchProcessors, processors } from "./processors.ts";
import { GRPC_PORT, HTTP_PORT, journalParts, POSITION_STORAGE, PROGRAM_FOLDERS, receivers } from "./receivers.ts";

const CONFIG_FOLDER = "/etc/otelcol-contrib";
const STATE_FOLDER = "/var/lib/otelcol";
const HEALTH_PORT = 13_133;
const METRICS_PORT = 8888;
/** Passes each record to the pipelines of all destinations. */
const FORK = "forward";
const OTLP_PORTS = { "otlp-grpc": GRPC_PORT, "otlp-http": HTTP_PORT };

/**
 * OpenTelemetry Collector, in the distribution with all components. It reads files like the others, and on each node it receives what
 * applications send by OTLP.
 * @see https://opentelemetry.io/docs/collector/
 */
export const opentelemetry: Collector = {
  id: "opentelemetry",
  title: "OpenTelemetry Collector",
  image: "docker.io/otel/opentelemetry-collector-contrib:0.156.0",
  documentation: "https://opentelemetry.io/docs/collector/",
  modes: ["daemonset", "sidecar"],
  destinations: DESTINATIONS,
  authenticates: { elasticsearch: ["token"], loki: ["token", "headers"], otlp: ["token", "headers"] },
  journal: { nodeFolders: PROGRAM_FOLDERS },
  routes: true,
  processing: {
    redact: true,
    drop: true,
    sample: true,
    limit: "which has no component that counts lines by pod",
    firstLines: true,
    fields: true,
  },
  about: {
    parsing: [
      BY_INDENTATION,
      "no long line that a rotation divides",
      "a line in two pieces if its end is written half a second later, and above 3 MiB in pieces of that size",
      "no JSON fields of lines above 1.1 MB, in CloudWatch above 100 kB, but all in Elasticsearch and S3",
      "a replacement character for each byte of a cut one",
      "JSON also with control characters, leading zeros or text after it",
      "dots in keys below the first level stay, of `a_b` and `a.b` the first",
      "no labels without a value",
      "OTLP from applications",
    ],
    buffer: "a queue on the node, up to half of buffer.size, then it stops reading, or drops the newest",
    index: "date in UTC, without weeks",
    maintenance: "maintained (CNCF)",
    ownCode: "OTTL for the record",
    losses:
      "the pending line of each stream and source in a kill; after an outage at 10 MB/s on two busy cores; what Elasticsearch leaves open for 24 h, or answers with 403, 404 or no JSON; what Loki and OTLP answer with 4xx other than 429; what is above 256 KiB in CloudWatch, or 1 MB in Kafka",
    cpu: 5,
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  // Short, since unsent lines are on disk: while the destination is down it waits until it is killed.
  graceSeconds: 2,
  liveness: { path: "/", port: HEALTH_PORT },
  readiness: { path: "/", port: HEALTH_PORT },
  ports: { metrics: METRICS_PORT, ...OTLP_PORTS },
  receives: OTLP_PORTS,
  readsCredentials: "files",
  // It uploads a large object in parts, which S3 decrypts to join them.
  bucketKeyActions: ["kms:Decrypt"],
  // Measured: 70 MB at rest, 400 MB while catching up at 10 MB/s.
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "768Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: { "config.yaml": yamlText(configuration(pipeline), "yaml-1.1") },
    // Without the gate it stores the position of lines before handing them over, and loses them when it is killed.
    args: ["--config", `${CONFIG_FOLDER}/config.yaml`, "--feature-gates", "stanza.synchronousLogEmitter"],
  }),
};

function unsupported(pipeline: LogPipeline): Unsupported[] {
  const { destination, index } = pipeline;
  return [
    ...neverOldest("the OpenTelemetry Collector", pipeline),
    // Some batches of each sender.
    ...bufferOf("64Mi", "the OpenTelemetry Collector, whose queue holds half of it", pipeline),
    // The role may write below the prefix exactly as in the settings.
    ...(destination.kind === "s3"
      ? unless(
          isCleanPrefix(destination.prefix),
          "destination.prefix",
          "must have no '.' or '..' between slashes with the OpenTelemetry Collector, which removes them from keys",
          destination.prefix,
        )
      : []),
    ...onlyUtc("the OpenTelemetry Collector", pipeline),
    ...unless(
      !hasIndex(destination) || !/ww|xxxx/.test(index.datePattern),
      "index.datePattern",
      "must not use xxxx and ww, which the OpenTelemetry Collector does not support",
      index.datePattern,
    ),
  ];
}

/** @see https://opentelemetry.io/docs/collector/configuration/ */
function configuration(pipeline: LogPipeline): Options {
  const parts = destinationPipelines(pipeline)
    .filter(({ sources }) => sources.includes("pods"))
    .flatMap(partsOf);
  const journal = journalParts(pipeline);
  const forks = pipeline.branches.length > 0 || parts.length > 1;
  const [inputs, steps, helpers] = [receivers(pipeline), processors(pipeline, forks), extensions(pipeline)];
  const exporters = parts.map((part) => exporter(part.pipeline));
  const branches = forks
    ? parts.map((part) => ({ part, steps: branchProcessors(part), exporter: exporter(part.pipeline) }))
    : [];
  const first = { receivers: Object.keys(inputs), processors: Object.keys(steps) };
  return {
    extensions: helpers,
    receivers: { ...inputs, ...journal.receivers },
    processors: Object.assign({}, steps, ...branches.map((branch) => branch.steps), journal.processors),
    exporters: { ...Object.fromEntries(exporters.map(({ name, options }) => [name, options])), ...journal.exporters },
    ...(forks ? { connectors: { [FORK]: {}, ...journal.connectors } } : {}),
    service: {
      telemetry: {
        logs: { level: "info", encoding: "json" },
        metrics: {
          readers: [
            { pull: { exporter: { prometheus: { host: anyAddress(pipeline.context.ipFamily), port: METRICS_PORT } } } },
          ],
        },
      },
      extensions: Object.keys(helpers),
      pipelines: {
        logs: { ...first, exporters: forks ? [FORK] : exporters.map(({ name }) => name) },
        ...Object.fromEntries(
          branches.map((branch) => [
            componentName("logs", branch.part.pipeline),
            { receivers: [FORK], processors: Object.keys(branch.steps), exporters: [branch.exporter.name] },
          ]),
        ),
        ...journal.pipelines,
      },
    },
  };
}

/** @see https://opentelemetry.io/docs/collector/components/extension/ */
function extensions(pipeline: LogPipeline): Readonly<Record<string, Options>> {
  const storage = (folder: string) => ({
    directory: `${STATE_FOLDER}/${folder}`,
    create_directory: true,
    // A file corrupted by a node's power loss is set aside and recreated.
    recreate: true,
    compaction: { directory: `${STATE_FOLDER}/${folder}`, on_start: true, on_rebound: true, cleanup_on_start: true },
  });
  const authenticators = destinationPipelines(pipeline).flatMap((branch) => {
    const options = authenticatorOf(branch);
    return options === undefined ? [] : [[authName(branch), options] as const];
  });
  return {
    health_check: { endpoint: anyEndpoint(pipeline.context.ipFamily, HEALTH_PORT) },
    [POSITION_STORAGE]: storage("positions"),
    [QUEUE_STORAGE]: storage("queue"),
    ...Object.fromEntries(authenticators),
  };
}
