import { folderOf } from "../../../aws/names.ts";
import { amount } from "../../../schema/values.ts";
import {
  loginOf,
  PASSWORD_VARIABLE,
  TOKEN_VARIABLE,
  tlsOf,
  USER_VARIABLE,
} from "../../destinations/destination-secrets.ts";
import type { Destination, DestinationOf } from "../../destinations/destination-settings.ts";
import { otlpPath, plainHeaders, secretHeaders } from "../../destinations/http-settings.ts";
import {
  type KafkaDestination,
  LIBRDKAFKA_KBYTES,
  LIBRDKAFKA_MESSAGE_BYTES,
} from "../../destinations/kafka-settings.ts";
import { signingOf, takesIds } from "../../destinations/search/search-settings.ts";
import { addressOf } from "../../destinations/transport.ts";
import { indexPrefix, notation } from "../../indexing/index-format.ts";
import {
  bucketName,
  hasIndex,
  ID_KEY,
  type LogPipeline,
  logGroupName,
  NODE_VARIABLE,
  SPLIT_KEY,
  searchHost,
  withName,
} from "../../pipeline.ts";
import { placeName } from "../../routing/routes.ts";
import { type Section, STATE_FOLDER } from "./service.ts";

/**
 * Retries of a chunk if the destination cannot reject it permanently: with the waits of `scheduler.cap` they take about three and a half
 * hours. A bulk request with one always rejected document fails as a whole; without a limit it would be retried indefinitely, and
 * each further one would leave less room for others. Measured: docs/explanation/delivery.md.
 */
const RETRIES = 50;
/** For S3's output, which treats "no limit" as five and then drops the object: outlasts any outage. */
const S3_RETRIES = 1_000_000;

/**
 * Makes a search engine report only each document's status and error: parsing an answer with six fields per document is a twentieth of a
 * line's cost. The output appends `/_bulk` to the path, which here becomes the name of one more field that no answer has. Not with
 * signed requests: measured, the signature does not match a path with this query.
 * @see https://docs.opensearch.org/latest/api-reference/common-parameters/
 */
const SHORT_ANSWER = "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,";

/** Retries of an output, and the size above which its oldest chunks are dropped. */
function bufferOutput({ buffer, destination }: LogPipeline): Section {
  const max = destination.kind === "s3" ? storeSize(buffer) : amount(buffer.size);
  return {
    retry_limit: retryLimit(destination),
    "storage.total_limit_size": buffer.whenFull === "drop-oldest" ? max : undefined,
  };
}

function retryLimit(destination: LogPipeline["destination"]): number | "no_limits" {
  if (hasIndex(destination)) return RETRIES;
  return destination.kind === "s3" ? S3_RETRIES : "no_limits";
}

/** Bytes of the files in which objects are gathered: half of the buffer, since the overflow waits beside them. */
function storeSize({ size }: LogPipeline["buffer"]): number {
  return amount(size) / 2;
}

/** Whether a script finds the value that indices are split by; it sees every record, so only for app. */
export function splitByScript({ index, destination, source }: LogPipeline): boolean {
  return source.kind === "node" && hasIndex(destination) && index.splitBy === "app";
}

/** The pipeline's outputs: one, or one for each team with its own place, and one for the rest. */
export function outputs(pipeline: LogPipeline): Section[] {
  const { places, buffer, destination } = pipeline;
  if (places.length === 0) return [output(pipeline)];
  // Each output has its own limit; together they stay within the destination's.
  const size = String(Math.floor(amount(buffer.size) / places.length));
  return places.map(({ team, namespaces }) => {
    const options = output({ ...pipeline, buffer: { ...buffer, size } });
    const names = namespaces.join("|");
    const place: Section =
      destination.kind === "s3"
        ? {
            s3_key_format: keyFormat(placeName(destination.prefix, team)),
            store_dir: placeName(`${STATE_FOLDER}/${withName("s3", pipeline.name)}`, team ?? "-"),
          }
        : { log_group_name: placeName(String(options.log_group_name), team) };
    const match_regex = `^kube\\.${team === undefined ? `(?!(${names})_)` : `(${names})_`}`;
    return { ...options, ...place, match: undefined, match_regex };
  });
}

/** Object name for the output `s3`, below a prefix. */
export function keyFormat(prefix: string): string {
  return `/${folderOf(prefix)}%Y/%m/%d/%H/$UUID.gz`;
}

/** The pipeline's output. @see https://docs.fluentbit.io/manual/data-pipeline/outputs */
export function output(pipeline: LogPipeline): Section {
  return {
    ...destinationOptions(pipeline),
    match: "kube.*",
    ...bufferOutput(pipeline),
    ...networkOptions(pipeline),
    ...tlsOptions(pipeline),
  };
}

function destinationOptions(pipeline: LogPipeline): Section {
  const { destination } = pipeline;
  switch (destination.kind) {
    case "stdout":
      return { name: "stdout", format: "json_lines", json_date_key: "@timestamp", json_date_format: "iso8601" };
    case "file":
      return { name: "file", path: destination.path, mkdir: "on", format: "plain", file: "pods.log" };
    case "http":
      return http(destination);
    case "opensearch":
    case "elasticsearch":
      return search(pipeline, destination);
    case "cloudwatch":
      return cloudwatch(pipeline, destination);
    case "s3":
      return s3(pipeline, destination);
    case "otlp":
      return otlp(destination);
    case "splunk":
      return splunk(destination);
    case "kafka":
      return kafka(pipeline, destination);
    case "firehose":
      return firehose(pipeline, destination);
    case "loki":
      return loki(destination);
  }
}

function http(destination: DestinationOf<"http">): Section {
  const { pathname, search } = new URL(destination.url);
  return {
    name: "http",
    ...addressOf(destination.url),
    uri: `${pathname}${search}`,
    format: destination.body === "array" ? "json" : "json_lines",
    json_date_key: "@timestamp",
    json_date_format: "iso8601",
    compress: "gzip",
    ...authentication(destination),
  };
}

function cloudwatch(pipeline: LogPipeline, destination: DestinationOf<"cloudwatch">): Section {
  return {
    name: "cloudwatch_logs",
    region: pipeline.context.region ?? "",
    log_group_name: logGroupName(destination, pipeline.context.cluster, pipeline.suffix),
    // One stream per container; the prefix is for records without metadata.
    log_stream_template: "$kubernetes['namespace_name'].$kubernetes['pod_name'].$kubernetes['container_name']",
    log_stream_prefix: "unknown-",
    auto_create_group: "off",
  };
}

function s3(pipeline: LogPipeline, destination: DestinationOf<"s3">): Section {
  const { cluster, region = "" } = pipeline.context;
  return {
    name: "s3",
    region,
    bucket: bucketName(destination, cluster, region, pipeline.suffix),
    s3_key_format: keyFormat(destination.prefix),
    store_dir: withName(`${STATE_FOLDER}/s3`, pipeline.name),
    store_dir_limit_size: storeSize(pipeline.buffer),
    total_file_size: "50M",
    upload_timeout: "5m",
    use_put_object: "on",
    compression: "gzip",
    json_date_key: "@timestamp",
    json_date_format: "iso8601",
  };
}

function otlp(destination: DestinationOf<"otlp">): Section {
  return {
    name: "opentelemetry",
    ...addressOf(destination.url),
    ...(destination.protocol === "grpc"
      ? { grpc: "on" }
      : { logs_uri: `${otlpPath(destination.url)}/v1/logs`, compress: "gzip" }),
    // A key that no record has: the body is then the whole record, as at other destinations, not only its line.
    logs_body_key: "$whole_record",
    // A chunk in one request: of several, by default of 1,000 records, only the last one's failure counts, and the others' records are lost.
    batch_size: 100_000,
    ...authentication(destination),
  };
}

function splunk(destination: DestinationOf<"splunk">): Section {
  return {
    name: "splunk",
    ...addressOf(destination.url),
    splunk_token: `\${${TOKEN_VARIABLE}}`,
    event_sourcetype: "_json",
    event_host: `\${${NODE_VARIABLE}}`,
    compress: "gzip",
  };
}

function firehose(pipeline: LogPipeline, destination: DestinationOf<"firehose">): Section {
  return {
    name: "kinesis_firehose",
    region: pipeline.context.region ?? "",
    delivery_stream: destination.stream,
    time_key: "@timestamp",
    time_key_format: "%Y-%m-%dT%H:%M:%S.%3NZ",
    // Fluent Bit resends records that the stream temporarily rejects, with increasing waits.
    auto_retry_requests: "on",
  };
}

function loki(destination: DestinationOf<"loki">): Section {
  return {
    name: "loki",
    ...addressOf(destination.url),
    // Labels with few values; all else stays in the line. Labels without a value, such as team for lines of no team, are omitted.
    labels:
      "job=eks-dns-logging, namespace=$kubernetes['namespace_name'], pod=$kubernetes['pod_name'], container=$kubernetes['container_name'], stream=$stream, team=$team",
    line_format: "json",
    tenant_id: destination.tenant,
    ...authentication(destination),
  };
}

/**
 * Lines count as sent once they are in librdkafka's memory, which is kept small and waits for a broker indefinitely.
 * @see https://docs.fluentbit.io/manual/data-pipeline/outputs/kafka
 */
function kafka({ name }: LogPipeline, destination: KafkaDestination): Section {
  const { brokers, topic, credentials, mechanism, mskArn } = destination;
  const tls = tlsOf(destination, name);
  return {
    name: "kafka",
    brokers: brokers.join(","),
    topics: topic,
    format: "json",
    timestamp_key: "@timestamp",
    timestamp_format: "iso8601_ns",
    queue_full_retries: 0,
    "rdkafka.queue.buffering.max.kbytes": LIBRDKAFKA_KBYTES,
    "rdkafka.message.max.bytes": LIBRDKAFKA_MESSAGE_BYTES,
    "rdkafka.message.timeout.ms": 0,
    "rdkafka.enable.idempotence": "true",
    "rdkafka.compression.codec": "gzip",
    "rdkafka.security.protocol": `${(credentials ?? mskArn) ? "SASL_" : ""}${tls === undefined ? "PLAINTEXT" : "SSL"}`,
    "rdkafka.enable.ssl.certificate.verification": tls && String(tls.verify),
    "rdkafka.ssl.ca.location": tls?.caFile,
    ...(credentials && {
      "rdkafka.sasl.mechanism": mechanism,
      "rdkafka.sasl.username": `\${${USER_VARIABLE}}`,
      "rdkafka.sasl.password": `\${${PASSWORD_VARIABLE}}`,
    }),
    ...(mskArn && { aws_msk_iam: "on", aws_msk_iam_cluster_arn: mskArn }),
  };
}

/**
 * Options for OpenSearch and Elasticsearch whose defaults lose or duplicate lines: the type, rejected since their last major versions;
 * a response buffer too small for a bulk answer; documents without an id, which a retried chunk duplicates.
 *
 * The output `opensearch` serves Elasticsearch too: both outputs of Fluent Bit 5.1.1 POST the same NDJSON to `/_bulk`, with the same
 * headers, action lines and basic authentication, and neither queries the product or version. They differ in reading the answer.
 * `es` counts a bulk with one success as delivered, so that documents rejected beside it are lost, and retries a bulk whose
 * documents all exist (409) up to the limit; `opensearch` retries until every document is stored.
 * @see https://docs.fluentbit.io/manual/data-pipeline/outputs/opensearch
 * @see https://github.com/fluent/fluent-bit/blob/v5.1.1/plugins/out_es/es.c elasticsearch_error_check, cb_es_flush
 * @see https://github.com/fluent/fluent-bit/blob/v5.1.1/plugins/out_opensearch/opensearch.c opensearch_error_check
 */
function search(pipeline: LogPipeline, destination: DestinationOf<"opensearch" | "elasticsearch">): Section {
  const { index, source } = pipeline;
  const sigv4 = destination.kind === "opensearch" ? destination.sigv4 : undefined;
  const signing = sigv4 && signingOf(sigv4);
  return {
    name: "opensearch",
    ...searchHost(destination),
    logstash_format: "on",
    logstash_prefix: source.kind === "node" ? index.prefix : indexPrefix(index, source.pod),
    logstash_prefix_separator: index.separator,
    logstash_prefix_key: source.kind === "node" && index.splitBy !== "none" ? splitPrefix(index) : undefined,
    logstash_dateformat: notation(index.datePattern, "strftime"),
    time_key: "@timestamp",
    time_key_nanos: "on",
    suppress_type_name: "on",
    replace_dots: "on",
    // An id from a script's key, or that Fluent Bit derives from the record.
    ...(takesIds(destination) && (splitByScript(pipeline) ? { id_key: ID_KEY } : { generate_id: "on" })),
    path: signing === undefined ? SHORT_ANSWER : undefined,
    // A chunk of empty lines has 16,000 documents, and the answer is 5 MB if all of them already exist.
    buffer_size: "16M",
    workers: 2,
    trace_error: "on",
    ...authentication(destination),
    // @see https://docs.fluentbit.io/manual/data-pipeline/outputs/opensearch#fluent-bit--amazon-opensearch-serverless
    ...(signing && { aws_auth: "on", aws_region: signing.region, aws_service_name: signing.service }),
  };
}

/**
 * The part of a record's index before the date. The option accepts only a key, which must come first, or text that begins with one:
 * so it begins with a part of the tag that no tag has.
 * @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode/record-accessor
 */
function splitPrefix({ prefix, separator, splitBy }: LogPipeline["index"]): string {
  const value = splitBy === "namespace" ? "$kubernetes['namespace_name']" : `$${SPLIT_KEY}`;
  return `$TAG[999]${prefix}${separator}${value}`;
}

/**
 * An answer may take a minute, as long as a search engine waits for its shards. By default there is no timeout: what was sent to a
 * server that then became silent waits until Fluent Bit restarts, and a buffer that blocks stays full.
 * @see https://docs.fluentbit.io/manual/administration/networking
 */
function networkOptions({ destination: { kind } }: LogPipeline): Section {
  if (kind === "stdout" || kind === "file" || kind === "kafka") return {};
  // S3's output would repeat a late request on the same connection, and take each answer for the one to the previous request.
  return { "net.io_timeout": "90s", "net.keepalive": kind === "s3" ? "off" : undefined };
}

/** TLS of a connection; Kafka's output has its own options. */
function tlsOptions({ destination, name }: LogPipeline): Section {
  const tls = destination.kind === "kafka" ? undefined : tlsOf(destination, name);
  if (tls === undefined) return {};
  const verify = tls.verify ? "on" : "off";
  return { tls: "on", "tls.verify": verify, "tls.verify_hostname": verify, "tls.ca_file": tls.caFile };
}

/** Credentials for the destination: user and password, or headers as name, blank and value; secrets are variables. */
function authentication(destination: Destination): Section {
  const { credentials, token } = loginOf(destination);
  const headers = [
    ...(token === undefined ? [] : [`Authorization ${token.scheme} \${${TOKEN_VARIABLE}}`]),
    ...plainHeaders(destination).map(([name, value]) => `${name} ${value}`),
    ...secretHeaders(destination).map(({ name, variable }) => `${name} \${${variable}}`),
  ];
  return {
    ...(credentials && { http_user: `\${${USER_VARIABLE}}`, http_passwd: `\${${PASSWORD_VARIABLE}}` }),
    header: headers.length > 1 ? headers : headers[0],
  };
}
