import { folderOf } from "../../../aws/names.ts";
import { PASSWORD_VARIABLE, tlsOf, USER_VARIABLE } from "../../destinations/destination-secrets.ts";
import type { DestinationOf } from "../../destinations/destination-settings.ts";
import { bucketName, hasIndex, type LogPipeline, logGroupName, searchHost } from "../../pipeline.ts";
import { bufferBytes, RETRYABLE_STATUS } from "../collector.ts";
import { type Options, quoted, type Section, STATE_FOLDER, variable } from "./directives.ts";

/** Fields from `filter_pod_record.rb` with a record's index or stream and its id; an output removes them from the record. */
const PLACE_FIELD = "_index";
const ID_FIELD = "_document_id";
/** Tag of records that the output itself emits again: they are already complete. */
const RETRY_TAG = "again";

const JSON_LINES: Section = { name: "format", options: { "@type": "json" } };
/** Largest chunk in bytes. A larger record is dropped. */
const CHUNK_BYTES = 8 * 2 ** 20;
/**
 * Share of the largest chunk at which one is sent to a search engine: as JSON, records have up to a third more bytes, and small domains of
 * Amazon OpenSearch Service answer 413 to more than 10 MiB, which the plugin would send again without end.
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/limits.html#network-limits
 */
const FULL_SHARE = 0.5;
/** Largest chunk for S3. Two at once must fit into /tmp, where they are compressed. */
const S3_CHUNK_BYTES = 2 * CHUNK_BYTES;
/** Minimum buffer with room for several chunks, also beside a sidecar's reserve. */
export const MIN_BUFFER = "128Mi";
/** Longest event for CloudWatch Logs in characters: below its 1 MiB even at four bytes each. */
const CLOUDWATCH_CHARACTERS = 256_000;

/** Destination-specific options. */
interface Output {
  readonly options: Options;
  readonly sections?: readonly Section[];
  /** Key whose value all records of a chunk share. Default: none. */
  readonly chunkKey?: string;
  readonly buffer?: Options;
}

/**
 * The pipeline's output. It retries indefinitely, so an outage of the destination loses nothing; unsent lines are on disk.
 * @see https://docs.fluentd.org/output
 */
export function output(pipeline: LogPipeline): Section {
  const { options, sections = [], ...buffered } = outputOf(pipeline);
  return {
    name: "match",
    of: "**",
    // The label plugin_id of its metrics; by default a number that changes with each start.
    options: { "@id": pipeline.destination.kind, ...options },
    sections: [...sections, buffer(pipeline, buffered)],
  };
}

/**
 * A buffer in files, which survives a restart. Chunks are small, so that no request is too large for a destination.
 * @see https://docs.fluentd.org/configuration/buffer-section
 */
function buffer(pipeline: LogPipeline, own: Pick<Output, "chunkKey" | "buffer">): Section {
  const { destination } = pipeline;
  return {
    name: "buffer",
    of: own.chunkKey ?? "[]",
    options: {
      "@type": "pod_file",
      path: `${STATE_FOLDER}/buffer`,
      // These destinations format a chunk when it is sent; the others store formatted text.
      of_text: !hasIndex(destination) && destination.kind !== "cloudwatch",
      // By default every user on the node could read the lines.
      file_permission: "0600",
      dir_permission: "0700",
      total_limit_size: bufferBytes(pipeline),
      chunk_limit_size: CHUNK_BYTES,
      overflow_action: pipeline.buffer.whenFull === "block" ? "block" : "drop_oldest_chunk",
      flush_mode: "interval",
      flush_interval: "1s",
      flush_thread_count: 2,
      flush_at_shutdown: true,
      retry_forever: true,
      retry_wait: "1s",
      retry_max_interval: "30s",
      // A permanently rejected chunk would fill a folder that nobody checks.
      disable_chunk_backup: true,
      ...own.buffer,
    },
  };
}

function outputOf(pipeline: LogPipeline): Output {
  const { destination, context } = pipeline;
  if (hasIndex(destination))
    return { options: searchOutput(destination), chunkKey: PLACE_FIELD, buffer: { chunk_full_threshold: FULL_SHARE } };
  switch (destination.kind) {
    case "file":
      return {
        options: { "@type": "file", path: quoted(`${destination.path}/pods`), append: true },
        sections: [JSON_LINES],
      };
    case "http":
      return http(destination);
    case "cloudwatch":
      return {
        options: {
          "@type": "cloudwatch_logs",
          region: context.region ?? "",
          log_group_name: quoted(logGroupName(destination, context.cluster)),
          log_stream_name_key: PLACE_FIELD,
          remove_log_stream_name_key: true,
          auto_create_stream: true,
          max_message_length: CLOUDWATCH_CHARACTERS,
          // By default it drops the lines after some retries.
          put_log_events_disable_retry_limit: true,
          log_rejected_request: true,
        },
      };
    case "s3":
      return {
        options: {
          "@type": "s3",
          s3_bucket: bucketName(destination, context.cluster, context.region ?? ""),
          s3_region: context.region ?? "",
          path: quoted(`${folderOf(destination.prefix)}%Y/%m/%d/%H/`),
          // Derived from the chunk: when sent again, the object replaces itself.
          s3_object_key_format: quoted("%{path}%{time_slice}-%{hex_random}.%{file_extension}"),
          hex_random_length: 16,
          store_as: "gzip",
          // Each of these lists or reads the bucket, which the role does not allow.
          check_apikey_on_start: false,
          check_bucket: false,
          auto_create_bucket: false,
          check_object: false,
        },
        sections: [JSON_LINES],
        chunkKey: "time",
        buffer: { timekey: "1h", timekey_use_utc: true, flush_interval: "300s", chunk_limit_size: S3_CHUNK_BYTES },
      };
    default:
      return { options: { "@type": "stdout" }, sections: [JSON_LINES] };
  }
}

function http(destination: DestinationOf<"http">): Output {
  const tls = tlsOf(destination);
  const auth: Section = {
    name: "auth",
    options: { method: "basic", username: variable(USER_VARIABLE), password: variable(PASSWORD_VARIABLE) },
  };
  return {
    options: {
      "@type": "http",
      endpoint: quoted(destination.url),
      content_type: "application/x-ndjson",
      compress: "gzip",
      open_timeout: 10,
      read_timeout: 60,
      retryable_response_codes: RETRYABLE_STATUS.join(","),
      tls_verify_mode: tls && (tls.verify ? "peer" : "none"),
      tls_ca_cert_path: tls?.caFile,
    },
    sections: destination.credentials === undefined ? [JSON_LINES] : [JSON_LINES, auth],
    // A rejected chunk is lost as a whole, so each has the lines of one container only.
    chunkKey: "tag",
  };
}

/**
 * The Authorization header for user and password, as JSON.
 * @see https://www.rfc-editor.org/rfc/rfc7617
 */
const AUTHORIZATION = `"#{JSON.generate('Authorization' => 'Basic ' + [ENV['${USER_VARIABLE}'] + ':' + ENV['${PASSWORD_VARIABLE}']].pack('m0'))}"`;

/**
 * Options for OpenSearch and Elasticsearch, whose plugins share most of them.
 * @see https://github.com/fluent/fluent-plugin-opensearch
 * @see https://github.com/uken/fluent-plugin-elasticsearch
 */
function searchOutput(destination: DestinationOf<"opensearch" | "elasticsearch">): Options {
  const { host, port } = searchHost(destination);
  const tls = tlsOf(destination);
  return {
    "@type": destination.kind,
    host: quoted(host),
    port,
    scheme: tls === undefined ? "http" : "https",
    ssl_verify: tls?.verify,
    ca_file: tls?.caFile,
    // Of a password with "%{…}" only the part between the braces would be sent, so the whole header is set.
    custom_headers: destination.credentials && AUTHORIZATION,
    // A line that is sent twice replaces itself.
    write_operation: "index",
    target_index_key: PLACE_FIELD,
    id_key: ID_FIELD,
    remove_keys: ID_FIELD,
    suppress_type_name: true,
    request_timeout: "60s",
    reload_connections: false,
    reconnect_on_error: true,
    // By default a temporary shortage (a rejected execution) makes the plugin drop the whole chunk.
    unrecoverable_error_types: '["out_of_memory_error"]',
    retry_tag: RETRY_TAG,
    // Else Fluentd would not start while the destination is unreachable.
    ...(destination.kind === "opensearch"
      ? { verify_os_version_at_startup: false, default_opensearch_version: 2, log_os_400_reason: true }
      : { verify_es_version_at_startup: false, default_elasticsearch_version: 8, log_es_400_reason: true }),
  };
}
