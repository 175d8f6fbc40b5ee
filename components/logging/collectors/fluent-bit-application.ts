import { APPLICATION_LOGS, type ApplicationPod, type LogPipeline, NODE_VARIABLE } from "../pipeline.ts";
import { bufferInput } from "./fluent-bit-buffer.ts";
import type { Section } from "./fluent-bit-outputs.ts";

/** Key of a line until the script makes a record of it: one that no application's JSON has. */
export const LINE_KEY = "_line";
/** Name of the function that the filter calls. */
export const RECORD_FUNCTION = "application_record";
/** Name of the parser that turns a line into fields. */
export const JSON_PARSER = "json_line";

/**
 * Reads every file that the application writes, as it is. A file that was rotated away is read to its end.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
 */
export function applicationInput(pipeline: LogPipeline, stateFolder: string): Section {
  return {
    name: "tail",
    tag: "kube.application",
    path: `${APPLICATION_LOGS}/*.log`,
    key: LINE_KEY,
    db: `${stateFolder}/positions.db`,
    ...bufferInput(pipeline),
    read_from_head: "on",
    refresh_interval: 1,
    rotate_wait: 60,
    buffer_chunk_size: "256k",
    buffer_max_size: "2M",
    skip_long_lines: "on",
    threaded: "off",
  };
}

/** Turns lines into the records that a DaemonSet sends. @param script Path of the script. */
export function applicationFilters({ parseJson }: LogPipeline, script: string): Section[] {
  const parse: Section = {
    name: "parser",
    match: "kube.*",
    key_name: LINE_KEY,
    parser: JSON_PARSER,
    preserve_key: "on",
    reserve_data: "on",
  };
  return [...(parseJson ? [parse] : []), { name: "lua", match: "kube.*", script, call: RECORD_FUNCTION }];
}

/**
 * A Lua filter that makes the record: the line, what its JSON says, and the pod, which is known when this is rendered.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/lua
 */
export function applicationScript(
  { namespace, pod, container, team, app }: ApplicationPod,
  { metadata }: Pick<LogPipeline, "metadata">,
): string {
  const labels =
    app === undefined || !metadata.labels ? "" : `, labels = { ["app_kubernetes_io/name"] = ${JSON.stringify(app)} }`;
  return `function ${RECORD_FUNCTION}(tag, timestamp, record)
  local line = record["${LINE_KEY}"]
  record["${LINE_KEY}"] = nil
  local fields = nil
  if next(record) ~= nil then fields = record end
  local kubernetes = {
    namespace_name = ${JSON.stringify(namespace)},
    pod_name = ${JSON.stringify(pod)},
    container_name = ${JSON.stringify(container)},
    host = os.getenv("${NODE_VARIABLE}")${labels}
  }
  return 2, timestamp, { log = line, fields = fields, kubernetes = kubernetes, team = ${team === undefined ? "nil" : JSON.stringify(team)} }
end
`;
}
