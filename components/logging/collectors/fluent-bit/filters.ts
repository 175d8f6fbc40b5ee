import { NO_VALUE } from "../../index-format.ts";
import { hasIndex, type LogPipeline } from "../../pipeline.ts";
import { withoutLongFields } from "./fields.ts";
import { stackTraceFilters } from "./multiline.ts";
import { type Section, SPLIT_KEY, splitByScript } from "./outputs.ts";
import { APP_FUNCTION } from "./script.ts";

/** What the tag of a line says of its container. */
export const TAG_PARSER: Section = {
  name: "container",
  format: "regex",
  regex: "^(?<namespace_name>[^_]+)_(?<pod_name>[^_]+)_[^_]+_(?<container_name>[^_]+)$",
};

/**
 * The same, with the pod's UID in the place of a container's id, which the filter tells pods apart by: a new pod of an old name is
 * looked up again.
 */
export const POD_PARSER: Section = {
  ...TAG_PARSER,
  name: "pod",
  regex: String(TAG_PARSER.regex).replace("_[^_]+_", "_(?<docker_id>[^_]+)_"),
};

/** The team that a namespace belongs to, a second time where indices are split by it. */
export function teamParser(pipeline: LogPipeline): Section {
  return {
    name: "team",
    format: "regex",
    regex: `^(?<team>${splitByTeam(pipeline) ? `(?<${SPLIT_KEY}>.+)` : ".+"})-team$`,
  };
}

/** What {@link tagFilter} and {@link podFilter} share. */
const KUBERNETES: Section = { name: "kubernetes", match: "kube.*", kube_tag_prefix: "kube." };

/** How a line that is a JSON object becomes fields: values stay as they are, line breaks at their end too. */
export function jsonOptions({ parseJson }: Pick<LogPipeline, "parseJson">): Section {
  return parseJson
    ? { merge_log: "on", merge_log_key: "fields", merge_log_trim: "off", keep_log: "on" }
    : { merge_log: "off" };
}

/** Namespace, pod and container from the tag alone. @see https://docs.fluentbit.io/manual/data-pipeline/filters/kubernetes */
export function tagFilter(options: Section): Section {
  return { ...KUBERNETES, regex_parser: "container", use_tag_for_meta: "on", ...options };
}

/** Everything that a DaemonSet adds to a line. @param script Path of the script, where there is one. */
export function nodeFilters(pipeline: LogPipeline, script: string): Section[] {
  return [
    ...stackTraceFilters(pipeline, "log"),
    // Also for pods that the API server does not know any more, or while it is away: the filter for pods then adds nothing.
    tagFilter(jsonOptions(pipeline)),
    ...withoutLongFields(pipeline),
    {
      name: "parser",
      // Lines of other namespaces need not be looked at. Measured: a tenth of the work for each.
      match_regex: "^kube\\.[^_]+-team_",
      key_name: "$kubernetes['namespace_name']",
      parser: "team",
      reserve_data: "on",
      preserve_key: "on",
    },
    // After those that need no labels: they write each record anew, and it is short until here. Measured: 7 % less CPU for a backlog.
    podFilter(pipeline),
    ...Object.entries(pipeline.labels).map(([key, value]) => ({
      name: "grep",
      match: "kube.*",
      regex: `$kubernetes['labels']['${key}'] ^${value.replaceAll(/[.\\+*?[^\]$(){}|]/g, "\\$&")}$`,
    })),
    ...splitFilters(pipeline, script),
  ];
}

/** Adds what the API server knows of a pod, once more under the key `kubernetes`: of two equal keys the last one is sent. */
function podFilter(pipeline: LogPipeline): Section {
  return {
    ...KUBERNETES,
    regex_parser: "pod",
    buffer_size: 0,
    cache_use_docker_id: "on",
    // While it waits for a DNS that is not there yet it reads nothing, and fails its probes: 30 s six times by default.
    dns_retries: 5,
    dns_wait_time: 1,
    labels: pipeline.metadata.labels || usesLabels(pipeline) ? "on" : "off",
    annotations: pipeline.metadata.annotations ? "on" : "off",
    // The pod's annotation fluentbit.io/exclude.
    "k8s-logging.exclude": "on",
    merge_log: "off",
  };
}

/** Gives each record the value that its index is split by, where it may have none. */
function splitFilters(pipeline: LogPipeline, script: string): Section[] {
  if (splitByScript(pipeline)) return [{ name: "lua", match: "kube.*", script, call: APP_FUNCTION }];
  if (!splitByTeam(pipeline)) return [];
  const condition = `Key_does_not_exist ${SPLIT_KEY}`;
  return [{ name: "modify", match: "kube.*", condition, add: `${SPLIT_KEY} ${NO_VALUE}` }];
}

function splitByTeam({ index, destination }: LogPipeline): boolean {
  return hasIndex(destination) && index.splitBy === "team";
}

function usesLabels(pipeline: LogPipeline): boolean {
  return Object.keys(pipeline.labels).length > 0 || splitByScript(pipeline);
}
