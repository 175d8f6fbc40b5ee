import { folderOf } from "../../../aws/names.ts";
import { amount } from "../../../schema/values.ts";
import { PASSWORD_FILE_NAME, tlsOf, USER_FILE_NAME } from "../../destinations/destination-secrets.ts";
import type { DestinationOf } from "../../destinations/destination-settings.ts";
import { type Sigv4, signingOf, takesIds } from "../../destinations/search/search-settings.ts";
import { type LogPipeline, logGroupName, searchHost } from "../../pipeline.ts";
import type { Options } from "../collector.ts";
import { ID_FIELD, indexTemplate, placeTemplate, TEAM_LABELS } from "./records.ts";
import { auth, headers, secretOf, token } from "./secrets.ts";

/** Minimum size of a disk buffer: two of its files and their ledger. */
export const MIN_BUFFER_BYTES = 268_435_488;
/** Kept free beside a sidecar's buffer for read positions, since a volume over its limit evicts the pod. */
const SIDECAR_RESERVE = 32 * 2 ** 20;
/** Unlimited in effect: the largest exact integer of JavaScript. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Status codes that do not reject the lines, but the credentials, the address or the moment. Vector's own are 408, 429 and 5xx: it would
 * drop lines that are sent while a password changes.
 */
const RETRYABLE_STATUS: readonly number[] = [
  ...[301, 302, 303, 307, 308],
  ...[401, 403, 404, 405, 407, 408, 421, 425, 429],
  ...[500, 501, 502, 503, 504, 507, 508, 511],
  // From proxies.
  ...[520, 521, 522, 523, 524, 525, 526, 527, 529, 530],
];

/** Names in templates are Kubernetes names and never from a line's text, so the check for a literal beginning can be disabled. */
const TRUSTED_TEMPLATES: Options = { dangerously_allow_unconfined_template_resolution: true };
const JSON_CODEC: Options = { codec: "json" };
const LINES: Options = { method: "newline_delimited" };
const REQUEST: Options = { retry_attempts: UNLIMITED, retry_max_duration_secs: 30 };

/** Sink name; includes the destination's name if there are several. */
export function sinkName(name: string | undefined): string {
  return name === undefined ? "destination" : `destination-${name}`;
}

/** Maximum bytes waiting on disk. */
export function bufferBytes({ buffer, source }: LogPipeline): number {
  return amount(buffer.size) - (source.kind === "application" ? SIDECAR_RESERVE : 0);
}

/**
 * The pipeline's sink. Retries are unlimited, so an hour's outage of the destination loses nothing; unsent lines are on disk.
 * @see https://vector.dev/docs/reference/configuration/sinks/
 */
export function sink(pipeline: LogPipeline): Options {
  return {
    ...destinationOptions(pipeline),
    ...tls(pipeline),
    // Only the file source uses acknowledgements: its position advances when a line is buffered, that of kubernetes_logs when it is read.
    ...(pipeline.source.kind === "application"
      ? { acknowledgements: { enabled: true, ...indexerAcknowledgements(pipeline) } }
      : {}),
    buffer: [
      {
        type: "disk",
        max_size: bufferBytes(pipeline),
        when_full: pipeline.buffer.whenFull === "block" ? "block" : "drop_newest",
      },
    ],
  };
}

/** Splunk's acknowledgements are off unless the token enables them: its response counts. */
function indexerAcknowledgements({ destination }: LogPipeline): Options {
  return destination.kind === "splunk" ? { indexer_acknowledgements_enabled: false } : {};
}

function destinationOptions(pipeline: LogPipeline): Options {
  const { destination } = pipeline;
  switch (destination.kind) {
    case "stdout":
      return { type: "console", target: "stdout", encoding: JSON_CODEC, framing: LINES };
    case "file":
      return { type: "file", path: `${destination.path}/pods.log`, encoding: JSON_CODEC, framing: LINES };
    case "http":
      return http(pipeline, destination);
    case "opensearch":
    case "elasticsearch":
      return search(pipeline, destination);
    case "cloudwatch":
      return cloudwatch(pipeline, destination);
    case "s3":
      return s3(pipeline, destination);
    case "splunk":
      return splunk(pipeline, destination);
    case "kafka":
      return kafka(pipeline, destination);
    case "firehose":
      return firehose(pipeline, destination);
    case "loki":
      return loki(pipeline, destination);
    case "otlp":
      throw new Error("destination otlp passed the settings");
  }
}

function http(pipeline: LogPipeline, destination: DestinationOf<"http">): Options {
  return {
    type: "http",
    uri: destination.url,
    method: "post",
    encoding: JSON_CODEC,
    ...bodyOf(destination.body),
    compression: "gzip",
    request: { ...REQUEST, ...headers(pipeline, destination.token) },
    retry_strategy: { type: "custom", status_codes: RETRYABLE_STATUS },
    ...auth(pipeline),
  };
}

function search(pipeline: LogPipeline, destination: DestinationOf<"opensearch" | "elasticsearch">): Options {
  const { host, port } = searchHost(destination);
  return {
    type: "elasticsearch",
    endpoints: [`${tlsOf(destination) === undefined ? "http" : "https"}://${host}:${port}`],
    // "auto" sends the type, which both reject since their last major versions.
    api_version: "v8",
    mode: "bulk",
    // A line that is sent again replaces itself: creating it again would count as an error.
    bulk: { action: "index", index: indexTemplate(pipeline) },
    ...(takesIds(destination) ? { id_key: ID_FIELD } : { encoding: { except_fields: [ID_FIELD] } }),
    // Without it documents rejected temporarily, by 429 or 5xx, are dropped.
    request_retry_partial: true,
    request: { ...REQUEST, ...headers(pipeline, destination.token) },
    ...auth(pipeline),
    ...(destination.kind === "opensearch" && destination.sigv4 ? signing(destination.sigv4) : {}),
  };
}

function cloudwatch(pipeline: LogPipeline, destination: DestinationOf<"cloudwatch">): Options {
  return {
    type: "aws_cloudwatch_logs",
    region: pipeline.context.region ?? "",
    group_name: placeTemplate(logGroupName(destination, pipeline.context.cluster, pipeline.suffix), pipeline),
    stream_name: "{{ kubernetes.namespace_name }}.{{ kubernetes.pod_name }}.{{ kubernetes.container_name }}",
    create_missing_group: false,
    create_missing_stream: true,
    encoding: JSON_CODEC,
    request: REQUEST,
    // It would list log groups, which the role forbids.
    healthcheck: { enabled: false },
    ...TRUSTED_TEMPLATES,
  };
}

function s3(pipeline: LogPipeline, destination: DestinationOf<"s3">): Options {
  return {
    type: "aws_s3",
    region: pipeline.context.region ?? "",
    bucket: pipeline.context.bucket ?? "",
    key_prefix: `${folderOf(placeTemplate(destination.prefix, pipeline))}%Y/%m/%d/%H/`,
    compression: "gzip",
    encoding: JSON_CODEC,
    framing: LINES,
    batch: { max_bytes: 50_000_000, timeout_secs: 300 },
    request: REQUEST,
    // No object is rejected for its content; requests of a new role are, for some seconds.
    retry_strategy: { type: "all" },
    // It would list the bucket, which the role forbids.
    healthcheck: { enabled: false },
    // An empty prefix begins with the team's.
    ...(pipeline.places.length === 0 ? {} : TRUSTED_TEMPLATES),
  };
}

function splunk(pipeline: LogPipeline, destination: DestinationOf<"splunk">): Options {
  return {
    type: "splunk_hec_logs",
    endpoint: new URL(destination.url).origin,
    default_token: token(pipeline),
    sourcetype: "_json",
    timestamp_key: "@timestamp",
    encoding: JSON_CODEC,
    compression: "gzip",
    request: REQUEST,
  };
}

function kafka(pipeline: LogPipeline, destination: DestinationOf<"kafka">): Options {
  const { brokers, topic, credentials, mechanism } = destination;
  return {
    type: "kafka",
    bootstrap_servers: brokers.join(","),
    topic,
    encoding: JSON_CODEC,
    compression: "gzip",
    // It retries for this time and then drops: the option's maximum.
    message_timeout_ms: MAX_INT32,
    ...(credentials === undefined
      ? {}
      : {
          sasl: {
            enabled: true,
            mechanism,
            username: secretOf(pipeline, USER_FILE_NAME),
            password: secretOf(pipeline, PASSWORD_FILE_NAME),
          },
        }),
  };
}

function firehose(pipeline: LogPipeline, destination: DestinationOf<"firehose">): Options {
  return {
    type: "aws_kinesis_firehose",
    region: pipeline.context.region ?? "",
    stream_name: destination.stream,
    encoding: JSON_CODEC,
    request: REQUEST,
    request_retry_partial: true,
    // It would describe the stream, which the role forbids.
    healthcheck: { enabled: false },
  };
}

function loki(pipeline: LogPipeline, destination: DestinationOf<"loki">): Options {
  return {
    type: "loki",
    endpoint: new URL(destination.url).origin,
    // Labels with few values; all else stays in the line.
    labels: {
      job: "eks-dns-logging",
      namespace: "{{ kubernetes.namespace_name }}",
      pod: "{{ kubernetes.pod_name }}",
      container: "{{ kubernetes.container_name }}",
      ...(pipeline.source.kind === "node" ? { stream: "{{ stream }}" } : {}),
      // Expands the object's keys: a separate template would be an error for each line of no team.
      "*": `{{ ${TEAM_LABELS} }}`,
    },
    encoding: JSON_CODEC,
    compression: "gzip",
    out_of_order_action: "accept",
    remove_timestamp: false,
    request: REQUEST,
    ...(destination.tenant === undefined ? {} : { tenant_id: destination.tenant }),
    ...auth(pipeline),
    ...(destination.token === undefined ? {} : { auth: { strategy: "bearer", token: token(pipeline) } }),
    ...TRUSTED_TEMPLATES,
  };
}

/**
 * The health check would read the cluster's state, which the role forbids. A collection accepts no version but "auto".
 * @see https://vector.dev/docs/reference/configuration/sinks/elasticsearch/#opensearch_service_type
 */
function signing(sigv4: Sigv4): Options {
  const { service, region } = signingOf(sigv4);
  return {
    auth: { strategy: "aws" },
    aws: { region },
    healthcheck: { enabled: false },
    ...(service === "aoss" ? { opensearch_service_type: "serverless", api_version: "auto" } : {}),
  };
}

/** The records of a JSON array are separated by commas. Few per request, as required by services that accept no lines. */
function bodyOf(body: "lines" | "array"): Options {
  if (body === "lines") return { framing: LINES };
  return {
    framing: { method: "character_delimited", character_delimited: { delimiter: "," } },
    batch: { max_events: 1000, max_bytes: 1_000_000 },
  };
}

function tls({ destination, name }: LogPipeline): Options {
  const enabled = destination.kind === "kafka" ? { enabled: true } : {};
  const settings = tlsOf(destination, name);
  if (settings === undefined) return {};
  const { verify, caFile } = settings;
  return {
    tls: {
      ...enabled,
      verify_certificate: verify,
      verify_hostname: verify,
      ...(caFile === undefined ? {} : { ca_file: caFile }),
    },
  };
}
