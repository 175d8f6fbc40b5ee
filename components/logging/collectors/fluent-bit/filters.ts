import { dirname } from "node:path";
import type { ApplicationPod } from "../../../kubernetes/container.ts";
import { NO_VALUE } from "../../indexing/index-format.ts";
import { hasIndex, type LogPipeline, MAX_FIELDS_BYTES, NODE_VARIABLE, SPLIT_KEY } from "../../pipeline.ts";
import { lineFilters, recordFilters } from "./line-filters.ts";
import { stackTraceFilters } from "./multiline.ts";
import { splitByScript } from "./outputs.ts";
import { namespaceMatch } from "./selection.ts";
import type { Section } from "./service.ts";

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

/** Names the team of namespaces that do not tell it. */
function teamFilters(pipeline: LogPipeline): Section[] {
  const named = Object.entries(pipeline.teamNames);
  const teams = [...new Set(named.map(([, team]) => team))].sort();
  return teams.map((team) => ({
    name: "modify",
    ...namespaceMatch([named.flatMap(([namespace, of]) => (of === team ? namespace : []))]),
    set: [`team ${team}`, ...(splitByTeam(pipeline) ? [`${SPLIT_KEY} ${team}`] : [])],
  }));
}

/** What {@link tagFilter} and {@link podFilter} share. */
const KUBERNETES: Section = { name: "kubernetes", match: "kube.*", kube_tag_prefix: "kube." };

/** How a line that is a JSON object becomes fields: values stay as they are, line breaks at their end too. */
function jsonOptions({ parseJson }: Pick<LogPipeline, "parseJson">): Section {
  return parseJson
    ? { merge_log: "on", merge_log_key: "fields", merge_log_trim: "off", keep_log: "on" }
    : { merge_log: "off" };
}

/** Namespace, pod and container from the tag alone. @see https://docs.fluentbit.io/manual/data-pipeline/filters/kubernetes */
function tagFilter(options: Section): Section {
  return { ...KUBERNETES, regex_parser: "container", use_tag_for_meta: "on", ...options };
}

/** Everything that a DaemonSet adds to a line. @param script Path of the script, where there is one. */
export function nodeFilters(pipeline: LogPipeline, script: string): Section[] {
  const folder = dirname(script);
  return [
    ...stackTraceFilters(pipeline, "log"),
    ...lineFilters(pipeline, folder),
    // Also for pods that the API server does not know any more, or while it is away: the filter for pods then adds no names.
    tagFilter({ merge_log: "off" }),
    {
      name: "parser",
      // Lines of other namespaces need not be looked at. Measured: a tenth of the work for each.
      match_regex: "^kube\\.[^_]+-team_",
      key_name: "$kubernetes['namespace_name']",
      parser: "team",
      reserve_data: "on",
      preserve_key: "on",
    },
    ...teamFilters(pipeline),
    // After those that need no labels: they write each record anew, and it is short until here. It parses JSON without an answer too.
    podFilter(pipeline),
    ...Object.entries(pipeline.labels).map(([key, value]) => ({
      name: "grep",
      match: "kube.*",
      regex: `$kubernetes['labels']['${key}'] ^${value.replaceAll(/[.\\+*?[^\]$(){}|]/g, "\\$&")}$`,
    })),
    ...recordFilters(pipeline, folder),
    ...withoutLongFields(pipeline),
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
    ...jsonOptions(pipeline),
  };
}

/** What the destination asks of a record that is complete: no fields too long for it, and what its indices are split by. */
export function destinationFilters(pipeline: LogPipeline, script: string): Section[] {
  const copies = splitByTeam(pipeline) ? [{ name: "modify", match: "kube.*", copy: `team ${SPLIT_KEY}` }] : [];
  return [...withoutLongFields(pipeline), ...copies, ...splitFilters(pipeline, script)];
}

/** Gives each record the value that its index is split by, where it may have none. */
function splitFilters(pipeline: LogPipeline, script: string): Section[] {
  if (splitByScript(pipeline)) return [{ name: "lua", match: "kube.*", script, call: "app_of_record" }];
  if (!splitByTeam(pipeline)) return [];
  const condition = `Key_does_not_exist ${SPLIT_KEY}`;
  return [{ name: "modify", match: "kube.*", condition, add: `${SPLIT_KEY} ${NO_VALUE}` }];
}

function splitByTeam({ index, destination }: LogPipeline): boolean {
  return hasIndex(destination) && index.splitBy === "team";
}

/** Whether records need the pod's labels, whatever is kept of them. */
export function usesLabels(pipeline: LogPipeline): boolean {
  return (
    Object.keys(pipeline.labels).length > 0 ||
    splitByScript(pipeline) ||
    pipeline.processing.thin.some(({ labels }) => labels !== undefined)
  );
}

/**
 * Turns lines into the records that a DaemonSet sends: the line, what its JSON says, and the pod, which is known when this is
 * rendered. No script does it, since Lua keeps neither the order of keys nor a null, an empty list or a large number.
 */
export function applicationFilters(pipeline: LogPipeline, { team, app }: ApplicationPod, script: string): Section[] {
  const folder = dirname(script);
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
    ...lineFilters(pipeline, folder),
    tagFilter(jsonOptions(pipeline)),
    ...recordFilters(pipeline, folder),
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

/**
 * Longest JSON line that becomes `fields` on its way to CloudWatch Logs, in bytes. A quotation mark is four there in `log` and two in
 * `fields`, and of a record that is then more than 1 MB Fluent Bit sends nothing at all.
 */
const MAX_EVENT_FIELDS_BYTES = 100_000;

/**
 * Matches JSON that is too long for fields; in characters, which have up to four bytes where one of them is not ASCII. It ends in a
 * literal, so a line shorter than a quarter of the limit is refused by its length alone.
 */
function tooLong(bytes: number): string {
  return `\\A(?m:(?:.{${bytes}}|(?=[\\x00-\\x7F]*[^\\x00-\\x7F]).{${bytes / 4}}).*\\})`;
}

/**
 * A filter that takes the fields from a line too long for its destination to have them.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/modify
 */
function withoutLongFields({ parseJson, destination: { kind } }: LogPipeline): Section[] {
  if (!parseJson || (kind !== "opensearch" && kind !== "cloudwatch")) return [];
  const bytes = kind === "opensearch" ? MAX_FIELDS_BYTES : MAX_EVENT_FIELDS_BYTES;
  return [{ name: "modify", match: "kube.*", condition: `key_value_matches log ${tooLong(bytes)}`, remove: "fields" }];
}
