import { Scalar } from "yaml";
import { folderOf } from "../../../aws/names.ts";
import {
  credentialsFolder,
  loginOf,
  PASSWORD_FILE_NAME,
  TOKEN_FILE_NAME,
  tlsOf,
  USER_FILE_NAME,
} from "../../destinations/destination-secrets.ts";
import type { DestinationOf } from "../../destinations/destination-settings.ts";
import { plainHeaders, secretHeaders } from "../../destinations/http-settings.ts";
import { type Sigv4, signingOf, takesIds } from "../../destinations/search/search-settings.ts";
import { bucketName, type LogPipeline, logGroupName, searchUrl, withName } from "../../pipeline.ts";
import { bufferBytes, type Options } from "../collector.ts";
import { ID_FIELD, indexTemplate, placeTemplate, TEAM_LABELS } from "./records.ts";

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
  return withName("destination", name);
}

/**
 * The pipeline's sink. Retries are unlimited, so an hour's outage of the destination loses nothing; unsent lines are on disk.
 * @see https://vector.dev/docs/reference/configuration/sinks/
 */
export function sink(pipeline: LogPipeline): Options {
  const whenFull = pipeline.buffer.whenFull === "block" ? "block" : "drop_newest";
  return {
    ...destinationOptions(pipeline),
    ...tls(pipeline),
    // Only the file source uses acknowledgements: its position advances when a line is buffered, that of kubernetes_logs when it is read.
    ...(pipeline.source.kind === "application" && { acknowledgements: acknowledgements(pipeline.destination) }),
    buffer: [{ type: "disk", max_size: bufferBytes(pipeline), when_full: whenFull }],
  };
}

/** Enabled. Splunk's own are off unless the token enables them: its response counts. */
export function acknowledgements({ kind }: LogPipeline["destination"]): Options {
  return { enabled: true, indexer_acknowledgements_enabled: kind === "splunk" ? false : undefined };
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
    request: { ...REQUEST, ...headers(pipeline) },
    retry_strategy: { type: "custom", status_codes: RETRYABLE_STATUS },
    ...auth(pipeline),
  };
}

function search(pipeline: LogPipeline, destination: DestinationOf<"opensearch" | "elasticsearch">): Options {
  return {
    type: "elasticsearch",
    endpoints: [searchUrl(destination)],
    // "auto" sends the type, which both reject since their last major versions.
    api_version: "v8",
    mode: "bulk",
    // A line that is sent again replaces itself: creating it again would count as an error.
    bulk: { action: "index", index: indexTemplate(pipeline) },
    ...(takesIds(destination) ? { id_key: ID_FIELD } : { encoding: { except_fields: [ID_FIELD] } }),
    // Without it documents rejected temporarily, by 429 or 5xx, are dropped.
    request_retry_partial: true,
    request: { ...REQUEST, ...headers(pipeline) },
    ...auth(pipeline),
    ...(destination.kind === "opensearch" && destination.sigv4 && signing(destination.sigv4)),
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
  const { cluster, region = "" } = pipeline.context;
  return {
    type: "aws_s3",
    region,
    bucket: bucketName(destination, cluster, region, pipeline.suffix),
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
    sasl: credentials && {
      enabled: true,
      mechanism,
      username: secretOf(pipeline, USER_FILE_NAME),
      password: secretOf(pipeline, PASSWORD_FILE_NAME),
    },
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
      stream: pipeline.source.kind === "node" ? "{{ stream }}" : undefined,
      // Expands the object's keys: a separate template would be an error for each line of no team.
      "*": `{{ ${TEAM_LABELS} }}`,
    },
    encoding: JSON_CODEC,
    compression: "gzip",
    out_of_order_action: "accept",
    remove_timestamp: false,
    request: REQUEST,
    tenant_id: destination.tenant,
    ...auth(pipeline),
    ...(destination.token && { auth: { strategy: "bearer", token: token(pipeline) } }),
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
  const settings = tlsOf(destination, name);
  if (settings === undefined) return {};
  const { verify, caFile } = settings;
  const enabled = destination.kind === "kafka" ? true : undefined;
  return { tls: { enabled, verify_certificate: verify, verify_hostname: verify, ca_file: caFile } };
}

/** Secret stores for user, password, token and headers: folders with files of these names. */
export function secrets(pipelines: readonly LogPipeline[]): Options {
  const folders = pipelines
    .filter(({ destination }) => {
      const { credentials, token } = loginOf(destination);
      return (credentials ?? token) !== undefined || secretHeaders(destination).length > 0;
    })
    .map(({ name }) => [secretStore(name), { type: "directory", path: credentialsFolder(name) }]);
  return { secret: folders.length === 0 ? undefined : Object.fromEntries(folders) };
}

/** Declares the indentation of these blocks, which is otherwise guessed: a leading blank of a secret would be lost. */
export function withIndentation(yaml: string): string {
  return yaml.replaceAll(/\|-(?=\n +SECRET\[)/g, "|2-");
}

/**
 * A secret of a destination, by its file. Vector substitutes the file's text before it parses the YAML: in a block scalar none of its
 * characters are special.
 */
function secretOf({ name }: LogPipeline, file: string, before = ""): Scalar {
  const scalar = new Scalar(`${before}SECRET[${secretStore(name)}.${file}]`);
  scalar.type = Scalar.BLOCK_LITERAL;
  return scalar;
}

/** User and password, if the destination requires them. */
function auth(pipeline: LogPipeline): Options {
  if (loginOf(pipeline.destination).credentials === undefined) return {};
  const [user, password] = [secretOf(pipeline, USER_FILE_NAME), secretOf(pipeline, PASSWORD_FILE_NAME)];
  return { auth: { strategy: "basic", user, password } };
}

/** A destination's token, with a prefix. */
function token(pipeline: LogPipeline, before = ""): Scalar {
  return secretOf(pipeline, TOKEN_FILE_NAME, before);
}

/** The token's header, and the headers from the settings. */
function headers(pipeline: LogPipeline): Options {
  const { destination } = pipeline;
  const login = loginOf(destination).token;
  const all = [
    ...(login === undefined ? [] : [["Authorization", token(pipeline, `${login.scheme} `)]]),
    ...plainHeaders(destination),
    ...secretHeaders(destination).map((header) => [header.name, secretOf(pipeline, header.file)]),
  ];
  return { headers: all.length === 0 ? undefined : Object.fromEntries(all) };
}

/** Name of a destination's secret store: only letters, digits and '_'. */
function secretStore(name: string | undefined): string {
  return withName("credentials", name).replaceAll("-", "_");
}
