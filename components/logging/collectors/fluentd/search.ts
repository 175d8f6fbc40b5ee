import { type LogPipeline, PASSWORD_VARIABLE, searchHost, tlsOf, USER_VARIABLE } from "../../pipeline.ts";
import { ID_FIELD, PLACE_FIELD } from "./filter.ts";
import { authorization, type Options, quoted } from "./text.ts";

/** Of a tag: records that the output sends again by itself are records already. */
const AGAIN = "again";

/**
 * Options of the plugins for OpenSearch and Elasticsearch, which share most.
 * @see https://github.com/fluent/fluent-plugin-opensearch
 * @see https://github.com/uken/fluent-plugin-elasticsearch
 */
export function searchOutput({ destination }: LogPipeline): Options {
  if (destination.kind !== "opensearch" && destination.kind !== "elasticsearch") return {};
  const { host, port } = searchHost(destination);
  const tls = tlsOf(destination);
  return {
    "@type": destination.kind,
    host: quoted(host),
    port,
    scheme: tls === undefined ? "http" : "https",
    ...(tls === undefined ? {} : { ssl_verify: tls.verify, ca_file: tls.caFile }),
    // Of the option `password` only what stands between "%{" and "}" would be sent, where these are in it.
    ...(destination.credentials === undefined
      ? {}
      : { custom_headers: authorization(USER_VARIABLE, PASSWORD_VARIABLE) }),
    // A line that comes again replaces itself.
    write_operation: "index",
    target_index_key: PLACE_FIELD,
    id_key: ID_FIELD,
    remove_keys: ID_FIELD,
    suppress_type_name: true,
    request_timeout: "60s",
    reload_connections: false,
    reconnect_on_error: true,
    // By default a search engine that is short of room for now has the whole chunk dropped.
    unrecoverable_error_types: '["out_of_memory_error"]',
    retry_tag: AGAIN,
    // It would not start while the destination is away.
    ...(destination.kind === "opensearch"
      ? { verify_os_version_at_startup: false, default_opensearch_version: 2, log_os_400_reason: true }
      : { verify_es_version_at_startup: false, default_elasticsearch_version: 8, log_es_400_reason: true }),
  };
}
