import { bytes, type LogPipeline, PASSWORD_VARIABLE, searchHost, tlsOf, USER_VARIABLE } from "../pipeline.ts";
import { ID_FIELD, INDEX_FIELD } from "./fluentd-filter.ts";
import { type Options, quoted, type Section, variable } from "./fluentd-text.ts";

const JSON_LINES: Section = { name: "format", options: { "@type": "json" } };
/** Codes that say "not now". All others are final, so that one refusal never holds up the rest. */
const NOT_NOW = [408, 425, 429, 500, 502, 503, 504];
/** Kept free beside a sidecar's buffer, since a volume that is over its limit ends the pod. */
const SIDECAR_RESERVE = 32 * 2 ** 20;
/** Of a tag: records that the output sends again by itself are records already. */
export const AGAIN = "again";

/**
 * The output of a pipeline. Retries never end, so a destination that is away for an hour loses nothing; what waits is on disk.
 * @see https://docs.fluentd.org/output
 */
export function output(pipeline: LogPipeline, stateFolder: string): Section {
  const { options, sections = [] } = destinationOptions(pipeline);
  return { name: "match", of: "**", options, sections: [...sections, buffer(pipeline, stateFolder)] };
}

/**
 * A buffer in files: what waits is sent after a restart. Chunks are small, so that a destination is not asked too much at once.
 * @see https://docs.fluentd.org/configuration/buffer-section
 */
function buffer({ buffer: { size, whenFull }, source }: LogPipeline, stateFolder: string): Section {
  const room = bytes(size) - (source.kind === "application" ? SIDECAR_RESERVE : 0);
  return {
    name: "buffer",
    of: "[]",
    options: {
      "@type": "file",
      path: `${stateFolder}/buffer`,
      total_limit_size: Math.max(room, SIDECAR_RESERVE),
      chunk_limit_size: "4m",
      overflow_action: whenFull === "block" ? "block" : "drop_oldest_chunk",
      flush_mode: "interval",
      flush_interval: "1s",
      flush_thread_count: 2,
      flush_at_shutdown: true,
      retry_forever: true,
      retry_max_interval: "30s",
      // A chunk that is refused for good would be kept in a folder that nobody looks into.
      disable_chunk_backup: true,
    },
  };
}

function destinationOptions(pipeline: LogPipeline): { options: Options; sections?: Section[] } {
  const { destination } = pipeline;
  switch (destination.kind) {
    case "file":
      return {
        options: { "@type": "file", path: quoted(`${destination.path}/pods`), append: true },
        sections: [JSON_LINES],
      };
    case "http":
      return {
        options: {
          "@type": "http",
          endpoint: quoted(destination.url),
          content_type: "application/x-ndjson",
          compress: "gzip",
          open_timeout: 10,
          read_timeout: 60,
          retryable_response_codes: NOT_NOW.join(","),
          ...httpTls(pipeline),
        },
        sections: [
          JSON_LINES,
          ...(destination.credentials === undefined
            ? []
            : [
                {
                  name: "auth",
                  options: {
                    method: "basic",
                    username: variable(USER_VARIABLE),
                    password: variable(PASSWORD_VARIABLE),
                  },
                },
              ]),
        ],
      };
    case "opensearch":
      return { options: { "@type": "opensearch", ...openSearch(pipeline) } };
    default:
      return { options: { "@type": "stdout" }, sections: [JSON_LINES] };
  }
}

/** @see https://github.com/fluent/fluent-plugin-opensearch */
function openSearch({ destination }: LogPipeline): Options {
  if (destination.kind !== "opensearch") return {};
  const { host, port } = searchHost(destination);
  const tls = tlsOf(destination);
  return {
    host: quoted(host),
    port,
    scheme: tls === undefined ? "http" : "https",
    ...(tls === undefined ? {} : { ssl_verify: tls.verify, ca_file: tls.caFile }),
    ...(destination.credentials === undefined
      ? {}
      : { user: variable(USER_VARIABLE), password: variable(PASSWORD_VARIABLE) }),
    // A line that comes again replaces itself.
    write_operation: "index",
    target_index_key: INDEX_FIELD,
    id_key: ID_FIELD,
    remove_keys: ID_FIELD,
    suppress_type_name: true,
    request_timeout: "60s",
    reload_connections: false,
    reconnect_on_error: true,
    // It would not start while the destination is away.
    verify_os_version_at_startup: false,
    log_os_400_reason: true,
    retry_tag: AGAIN,
  };
}

function httpTls({ destination }: LogPipeline): Options {
  const tls = tlsOf(destination);
  if (tls === undefined) return {};
  return { tls_verify_mode: tls.verify ? "peer" : "none", tls_ca_cert_path: tls.caFile };
}
