import { amount } from "../../../schema/values.ts";
import {
  credentialsFolder,
  loginOf,
  PASSWORD_FILE_NAME,
  TOKEN_FILE_NAME,
  tlsOf,
  USER_FILE_NAME,
} from "../../destinations/destination-secrets.ts";
import type { DestinationKind, DestinationOf } from "../../destinations/destination-settings.ts";
import { otlpPath, plainHeaders, secretHeaders } from "../../destinations/http-settings.ts";
import { type KafkaDestination, mskRegion } from "../../destinations/kafka-settings.ts";
import { bucketName, type LogPipeline, logGroupName, searchUrl, withName } from "../../pipeline.ts";
import { placeName, type TeamPlace } from "../../routing/routes.ts";
import { type JournalSource, journalSources, sourcePlace } from "../../sources/source.ts";
import { type Options, RETRYABLE_STATUS } from "../collector.ts";

const ENVELOPES = "no exporter of the OpenTelemetry Collector writes one record per line";
export const DESTINATIONS: Readonly<Record<DestinationKind, true | string>> = {
  stdout: ENVELOPES,
  file: ENVELOPES,
  http: "the OpenTelemetry Collector posts OTLP, not JSON lines",
  opensearch:
    "the OpenTelemetry Collector's exporter for Elasticsearch rejects OpenSearch, and that for OpenSearch is not tested here",
  elasticsearch: true,
  cloudwatch: true,
  s3: true,
  loki: true,
  otlp: true,
  splunk: "its exporter for Splunk is not tested here",
  kafka: true,
  firehose: "the OpenTelemetry Collector has no exporter for Firehose",
};

/** The queue's storage; read positions have another, so that neither waits for the other. */
export const QUEUE_STORAGE = "file_storage/queue";
/** The queue's file has half-empty pages, and needs room for a copy of itself while it is compacted. */
const QUEUE_SHARE = 0.5;

/** A destination, or a team's place in one, with its own exporter. */
export interface Part {
  readonly pipeline: LogPipeline;
  readonly place?: TeamPlace | undefined;
}

/**
 * The exporters for a pipeline's pod lines: one for each team with its own place, since an exporter sends a batch to one log group, and
 * names objects by the batch's first record; together their queues are as large as the destination's.
 */
export function partsOf(pipeline: LogPipeline): Part[] {
  const { places, name } = pipeline;
  const buffer = sharedBuffer(pipeline);
  if (places.length === 0) return [{ pipeline: { ...pipeline, buffer } }];
  return places.map((place) => {
    const part = { ...pipeline, destination: placeOf(pipeline, place.team), buffer };
    // With a dot, which no destination name has.
    return { pipeline: { ...part, name: [name ?? "destination", place.team ?? []].flat().join(".") }, place };
  });
}

/** The destination with the prefix or log group of a team; of all other lines if undefined. */
function placeOf({ destination, context, suffix }: LogPipeline, team: string | undefined): LogPipeline["destination"] {
  switch (destination.kind) {
    case "s3":
      return { ...destination, prefix: placeName(destination.prefix, team) };
    case "cloudwatch":
      return { ...destination, logGroup: placeName(logGroupName(destination, context.cluster, suffix), team) };
    default:
      return destination;
  }
}

/** Exporter of a part of the journal: in S3 its own, whose options have the prefix; else that of lines of no team. */
export function sourcePart(pipeline: LogPipeline, source: JournalSource): LogPipeline {
  const { destination, name } = pipeline;
  if (destination.kind !== "s3") return partsOf(pipeline).at(-1)?.pipeline ?? pipeline;
  return {
    ...pipeline,
    name: ["journal", source, name ?? []].flat().join("."),
    destination: { ...destination, prefix: sourcePlace(destination.prefix, source) },
    buffer: sharedBuffer(pipeline),
  };
}

/** Each exporter's share of the buffer. */
function sharedBuffer({ destination, sources, places, buffer }: LogPipeline): LogPipeline["buffer"] {
  const ofPods = sources.includes("pods") ? Math.max(places.length, 1) : 0;
  const exporters = ofPods + (destination.kind === "s3" ? journalSources(sources).length : 0);
  return exporters < 2 ? buffer : { ...buffer, size: String(Math.floor(amount(buffer.size) / exporters)) };
}

/** The pipeline's exporter, and its name. @see https://opentelemetry.io/docs/collector/components/exporter/ */
export function exporter(pipeline: LogPipeline): { readonly name: string; readonly options: Options } {
  const { name, options } = exporterOf(pipeline);
  return { name: componentName(name, pipeline), options };
}

/** Name of a component, followed by the destination's name if there are several. */
export function componentName(type: string, { name }: Pick<LogPipeline, "name">): string {
  return name === undefined ? type : `${type}/${name}`;
}

/** Name of the extension with a destination's user and password, or its token. */
export function authName({ destination, name }: LogPipeline): string {
  const type = loginOf(destination).token === undefined ? "basicauth" : "bearertokenauth";
  return `${type}/${withName("destination", name)}`;
}

function exporterOf(pipeline: LogPipeline): { readonly name: string; readonly options: Options } {
  const { destination, context } = pipeline;
  switch (destination.kind) {
    case "elasticsearch":
      return {
        name: "elasticsearch",
        options: { ...elasticsearch(pipeline, destination), ...queue(pipeline, SEARCH) },
      };
    case "cloudwatch":
      return {
        name: "awscloudwatchlogs",
        options: {
          region: context.region ?? "",
          log_group_name: logGroupName(destination, context.cluster, pipeline.suffix),
          // One stream per container: the last processor puts its name into the resource attribute `pod`.
          log_stream_name: "{PodName}",
          raw_log: true,
          ...RETRY,
          ...queue(pipeline, SMALL),
        },
      };
    case "s3":
      return { name: "awss3", options: { ...s3(pipeline, destination), ...RETRY, ...queue(pipeline, LARGE) } };
    case "loki":
      return {
        name: "otlp_http",
        options: {
          endpoint: verbatim(new URL("/otlp", destination.url).href),
          ...tls(pipeline),
          ...headers(pipeline, destination.tenant && { "X-Scope-OrgID": destination.tenant }),
          ...authentication(pipeline),
          ...RETRY,
          ...queue(pipeline, SMALL),
        },
      };
    case "otlp":
      return {
        name: destination.protocol === "grpc" ? "otlp_grpc" : "otlp_http",
        options: {
          ...(destination.protocol === "grpc"
            ? grpcServer(pipeline, destination.url)
            : {
                endpoint: verbatim(`${new URL(destination.url).origin}${otlpPath(destination.url)}`),
                ...tls(pipeline),
              }),
          ...headers(pipeline),
          ...authentication(pipeline),
          ...RETRY,
          ...queue(pipeline, SMALL),
        },
      };
    case "kafka":
      return { name: "kafka", options: { ...kafka(pipeline, destination), ...RETRY, ...queue(pipeline, SMALL) } };
    default:
      throw new Error(`destination ${destination.kind}: ${DESTINATIONS[destination.kind]}`);
  }
}

/**
 * Documents are the unchanged bodies, each with the index and id that the record names: in other mapping modes the exporter requires a
 * data stream.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/elasticsearchexporter
 */
function elasticsearch(pipeline: LogPipeline, destination: DestinationOf<"elasticsearch">): Options {
  return {
    endpoint: searchUrl(destination),
    mapping: { allowed_modes: ["bodymap"] },
    logs_dynamic_id: { enabled: true },
    suppress_conflict_errors: true,
    ...authentication(pipeline),
    ...tls(pipeline),
    // For a request with all its retries, after which its documents are dropped: longer than any outage.
    timeout: "24h",
    // It has no unlimited retry; this is one in effect.
    retry: {
      enabled: true,
      max_retries: 1_000_000_000,
      initial_interval: "500ms",
      max_interval: "10s",
      retry_on_status: RETRYABLE_STATUS,
    },
  };
}

/** @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/awss3exporter */
function s3({ context, suffix }: LogPipeline, destination: DestinationOf<"s3">): Options {
  return {
    s3uploader: {
      region: context.region ?? "",
      s3_bucket: bucketName(destination, context.cluster, context.region ?? "", suffix),
      s3_prefix: destination.prefix,
      s3_partition_format: "%Y/%m/%d/%H",
      s3_partition_timezone: "UTC",
      unique_key_func_name: "uuidv7",
      compression: "gzip",
    },
    marshaler: "body",
    timeout: "60s",
  };
}

/**
 * A message is a record as JSON. User and password can only be given as variables, whose values the collector expands again: `$$` becomes
 * `$`, and `${…}` another variable's value.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/kafkaexporter
 */
function kafka(pipeline: LogPipeline, destination: KafkaDestination): Options {
  const { brokers, topic, credentials, mechanism, mskArn } = destination;
  const folder = credentialsFolder(pipeline.name);
  const sasl =
    mskArn !== undefined
      ? { mechanism: "AWS_MSK_IAM_OAUTHBEARER", aws_msk: { region: mskRegion(mskArn) } }
      : credentials && {
          mechanism,
          username: `\${file:${folder}/${USER_FILE_NAME}}`,
          password: `\${file:${folder}/${PASSWORD_FILE_NAME}}`,
        };
  return {
    brokers,
    logs: { topic: verbatim(topic), encoding: "raw" },
    producer: { required_acks: -1, compression: "gzip", allow_auto_topic_creation: false },
    auth: sasl && { sasl },
    ...tls(pipeline),
    timeout: "60s",
  };
}

const SMALL = { flush_timeout: "1s", min_size: 1_000_000, max_size: 4_000_000 };
/** The same, but the longest line's fields fit too: servers accept ten times as much. */
const SEARCH = { ...SMALL, max_size: 12_000_000 };
/** For objects: large enough to read efficiently, and none later than five minutes. */
const LARGE = { flush_timeout: "5m", min_size: 20_000_000, max_size: 25_000_000 };

/** Whether the longest record fits into a batch. */
export function hasLargeBatches(kind: DestinationKind): boolean {
  return kind === "elasticsearch" || kind === "s3";
}

/** @see https://github.com/open-telemetry/opentelemetry-collector/tree/main/exporter/exporterhelper */
function queue({ buffer }: LogPipeline, batch: Options): Options {
  return {
    sending_queue: {
      storage: QUEUE_STORAGE,
      sizer: "bytes",
      queue_size: Math.floor(amount(buffer.size) * QUEUE_SHARE),
      // Lines that do not fit stay in the files until there is room, or are dropped and counted as failed to be enqueued.
      block_on_overflow: buffer.whenFull === "block",
      num_consumers: 4,
      batch: { sizer: "bytes", ...batch },
    },
  };
}

/** Refers to the extension that authenticates, if the destination requires it. */
function authentication(pipeline: LogPipeline): Options {
  return { auth: authenticatorOf(pipeline) && { authenticator: authName(pipeline) } };
}

/**
 * The headers from the settings, with secret ones from files. In those the collector reads `$$` as `$`, and `${…}` as a variable.
 * @param others Further headers.
 */
function headers({ destination, name }: LogPipeline, others?: Readonly<Record<string, string>> | ""): Options {
  const all = {
    ...others,
    ...Object.fromEntries(plainHeaders(destination).map(([header, value]) => [header, verbatim(value)])),
    ...Object.fromEntries(
      secretHeaders(destination).map((header) => [header.name, `\${file:${credentialsFolder(name)}/${header.file}}`]),
    ),
  };
  return { headers: Object.keys(all).length === 0 ? undefined : all };
}

/** The extension that authenticates; undefined if the destination requires none. From files: in text, "$" would begin a variable. */
export function authenticatorOf({ destination, name }: LogPipeline): Options | undefined {
  const folder = credentialsFolder(name);
  const { credentials, token } = loginOf(destination);
  if (token !== undefined) return { scheme: token.scheme, filename: `${folder}/${TOKEN_FILE_NAME}` };
  // Kafka has its own authentication.
  if (destination.kind === "kafka" || credentials === undefined) return undefined;
  const user = { username_file: `${folder}/${USER_FILE_NAME}`, password_file: `${folder}/${PASSWORD_FILE_NAME}` };
  return { client_auth: user };
}

/** Retries indefinitely, with increasing waits. */
export const RETRY = {
  retry_on_failure: { enabled: true, initial_interval: "500ms", max_interval: "10s", max_elapsed_time: 0 },
};

function tls({ destination, name }: LogPipeline): Options {
  const settings = tlsOf(destination, name);
  return { tls: settings && { insecure_skip_verify: !settings.verify, ca_file: settings.caFile } };
}

/**
 * Address for gRPC, which requires a port, and uses TLS even with `http://` unless an option turns it off.
 * @see https://github.com/open-telemetry/opentelemetry-collector/tree/main/config/configgrpc#client-configuration
 */
function grpcServer(pipeline: LogPipeline, url: string): Options {
  const { protocol, hostname, port } = new URL(url);
  const isPlain = protocol === "http:";
  return {
    endpoint: `${protocol}//${hostname}:${port === "" ? (isPlain ? 80 : 443) : port}`,
    ...(isPlain ? { tls: { insecure: true } } : tls(pipeline)),
  };
}

/** Escapes `$`, which would begin a variable. */
function verbatim(value: string): string {
  return value.replaceAll("$", "$$$$");
}
