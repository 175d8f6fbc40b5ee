import { amount } from "../../../schema/values.ts";
import { hasIndex, type LogPipeline, logGroupName, PASSWORD_VARIABLE, tlsOf, USER_VARIABLE } from "../../pipeline.ts";
import { BUFFER } from "./buffer.ts";
import { PLACE_FIELD } from "./filter.ts";
import { searchOutput } from "./search.ts";
import { type Options, quoted, type Section, variable } from "./text.ts";

const JSON_LINES: Section = { name: "format", options: { "@type": "json" } };
/** Codes that say "not now". All others are final, so that one refusal never holds up the rest. */
const NOT_NOW = [408, 425, 429, 500, 502, 503, 504];
/** Kept free beside a sidecar's buffer, since a volume that is over its limit ends the pod. */
const SIDECAR_RESERVE = 32 * 2 ** 20;
/** The largest chunk: a record that is larger is dropped, and its line has to be shorter by what else the record holds. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Two of them at once have to fit into the /tmp that S3's are compressed in. */
const S3_CHUNK_BYTES = 2 * CHUNK_BYTES;
/** The smallest buffer that leaves room for some chunks, also beside the reserve. */
export const MIN_BUFFER = "128Mi";
/** Characters that CloudWatch Logs takes of an event: 1 MiB, even if each were of four bytes. */
const CLOUDWATCH_CHARACTERS = 256_000;

/** What differs between destinations. */
interface Output {
  readonly options: Options;
  readonly sections?: readonly Section[];
  /** What a chunk has in common. Default: nothing. */
  readonly chunkKey?: string;
  readonly buffer?: Options;
}

/**
 * The output of a pipeline. Retries never end, so a destination that is away for an hour loses nothing; what waits is on disk.
 * @see https://docs.fluentd.org/output
 */
export function output(pipeline: LogPipeline, stateFolder: string): Section {
  const found = outputOf(pipeline);
  const { options, sections = [] } = found;
  return { name: "match", of: "**", options, sections: [...sections, buffer(pipeline, stateFolder, found)] };
}

/**
 * A buffer in files: what waits is sent after a restart. Chunks are small, so that a destination is not asked too much at once.
 * @see https://docs.fluentd.org/configuration/buffer-section
 */
function buffer(pipeline: LogPipeline, stateFolder: string, { chunkKey, buffer }: Output): Section {
  const { buffer: settings, destination, source } = pipeline;
  const { size, whenFull } = settings;
  return {
    name: "buffer",
    of: chunkKey ?? "[]",
    options: {
      "@type": BUFFER,
      path: `${stateFolder}/buffer`,
      // These two make their text when they send, and not before.
      of_text: !hasIndex(destination) && destination.kind !== "cloudwatch",
      // Fluentd's own would let everybody on the node read the lines.
      file_permission: "0600",
      dir_permission: "0700",
      total_limit_size: amount(size) - (source.kind === "application" ? SIDECAR_RESERVE : 0),
      chunk_limit_size: CHUNK_BYTES,
      overflow_action: whenFull === "block" ? "block" : "drop_oldest_chunk",
      flush_mode: "interval",
      flush_interval: "1s",
      flush_thread_count: 2,
      flush_at_shutdown: true,
      retry_forever: true,
      retry_wait: "1s",
      retry_max_interval: "30s",
      // A chunk that is refused for good would be kept in a folder that nobody looks into.
      disable_chunk_backup: true,
      ...buffer,
    },
  };
}

function outputOf(pipeline: LogPipeline): Output {
  const { destination, context } = pipeline;
  if (hasIndex(destination)) return { options: searchOutput(pipeline), chunkKey: PLACE_FIELD };
  switch (destination.kind) {
    case "file":
      return {
        options: { "@type": "file", path: quoted(`${destination.path}/pods`), append: true },
        sections: [JSON_LINES],
      };
    case "http":
      return http(pipeline, destination);
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
          // It would drop the lines after some tries.
          put_log_events_disable_retry_limit: true,
          log_rejected_request: true,
        },
      };
    case "s3":
      return {
        options: {
          "@type": "s3",
          s3_bucket: context.bucket ?? "",
          s3_region: context.region ?? "",
          path: quoted(`${destination.prefix}/%Y/%m/%d/%H/`),
          // Made from the chunk: sent again, it replaces itself.
          s3_object_key_format: quoted("%{path}%{time_slice}-%{hex_random}.%{file_extension}"),
          hex_random_length: 16,
          store_as: "gzip",
          // All of these would list the bucket, or read from it, which the role may not.
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

function http(pipeline: LogPipeline, destination: Extract<LogPipeline["destination"], { kind: "http" }>): Output {
  const tls = tlsOf(pipeline.destination);
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
      retryable_response_codes: NOT_NOW.join(","),
      ...(tls === undefined ? {} : { tls_verify_mode: tls.verify ? "peer" : "none", tls_ca_cert_path: tls.caFile }),
    },
    sections: destination.credentials === undefined ? [JSON_LINES] : [JSON_LINES, auth],
    // A chunk that is refused is lost as a whole: it is of one container.
    chunkKey: "tag",
  };
}
