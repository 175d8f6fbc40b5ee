import { APPLICATION_LOGS, type ApplicationPod, type LogPipeline, NODE_VARIABLE } from "../../pipeline.ts";
import { bufferInput } from "./buffer.ts";
import { withoutLongFields } from "./fields.ts";
import { jsonOptions, tagFilter } from "./filters.ts";
import { stackTraceFilters } from "./multiline.ts";
import type { Section } from "./outputs.ts";

/**
 * Reads every file that the application writes, as it is. A file that was rotated away is read to its end.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
 */
export function applicationInput(pipeline: LogPipeline, of: ApplicationPod, stateFolder: string): Section {
  return {
    name: "tail",
    // As on a node, but that a pod's UID is not known before it is there.
    tag: `kube.${of.namespace}_${of.pod}_-_${of.container}`,
    path: `${APPLICATION_LOGS}/*.log`,
    key: "log",
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

/**
 * Turns lines into the records that a DaemonSet sends: the line, what its JSON says, and the pod, which is known when this is
 * rendered. No script does it, since Lua keeps neither the order of keys nor a null, an empty list or a large number.
 */
export function applicationFilters(pipeline: LogPipeline, { team, app }: ApplicationPod): Section[] {
  const every = { match: "kube.*" };
  const labels = app !== undefined && pipeline.metadata.labels;
  const nest = (wildcard: string, nest_under: string): Section => ({
    name: "nest",
    ...every,
    operation: "nest",
    wildcard: `${wildcard}*`,
    nest_under,
    remove_prefix: wildcard,
  });
  return [
    ...stackTraceFilters(pipeline, "log"),
    tagFilter(jsonOptions(pipeline)),
    ...withoutLongFields(pipeline),
    { name: "nest", ...every, operation: "lift", nested_under: "kubernetes", add_prefix: "kubernetes:" },
    {
      name: "record_modifier",
      ...every,
      record: [
        `kubernetes:host \${${NODE_VARIABLE}}`,
        ...(team === undefined ? [] : [`team ${team}`]),
        ...(labels ? [`label:app_kubernetes_io/name ${app}`] : []),
      ],
    },
    ...(labels ? [nest("label:", "kubernetes:labels")] : []),
    nest("kubernetes:", "kubernetes"),
  ];
}
