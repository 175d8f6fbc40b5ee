import type { ApplicationPod } from "../../../kubernetes/container.ts";
import { NO_VALUE } from "../../indexing/index-format.ts";
import { hasIndex, type LogPipeline, MAX_FIELDS_BYTES, NODE_VARIABLE, SPLIT_KEY } from "../../pipeline.ts";
import { literalPattern } from "../../processing/pattern-text.ts";
import { lineFilters, namespaceMatch, recordFilters } from "./line-filters.ts";
import { stackTraceFilters } from "./multiline.ts";
import { splitByScript } from "./outputs.ts";
import { CONFIG_FOLDER, type Section } from "./service.ts";

/** Namespace, pod and container from a line's tag. */
export const TAG_PARSER: Section = {
  name: "container",
  format: "regex",
  regex: "^(?<namespace_name>[^_]+)_(?<pod_name>[^_]+)_[^_]+_(?<container_name>[^_]+)$",
};

/**
 * The same, with the pod's UID as the container id, by which the filter distinguishes pods: a new pod with an old name is looked up again.
 */
export const POD_PARSER: Section = {
  ...TAG_PARSER,
  name: "pod",
  regex: String(TAG_PARSER.regex).replace("_[^_]+_", "_(?<docker_id>[^_]+)_"),
};

/** The team of a namespace; captured twice if indices are split by it. */
export function teamParser(pipeline: LogPipeline): Section {
  return {
    name: "team",
    format: "regex",
    regex: `^(?<team>${splitByTeam(pipeline) ? `(?<${SPLIT_KEY}>.+)` : ".+"})-team$`,
  };
}

/** Sets the team for namespaces whose name does not contain it. */
function teamFilters(pipeline: LogPipeline): Section[] {
  const named = Object.entries(pipeline.teamNames);
  const teams = [...new Set(named.map(([, team]) => team))].sort();
  return teams.map((team) => ({
    name: "modify",
    ...namespaceMatch([named.flatMap(([namespace, of]) => (of === team ? namespace : []))]),
    set: [`team ${team}`, ...(splitByTeam(pipeline) ? [`${SPLIT_KEY} ${team}`] : [])],
  }));
}

/** Common options of {@link tagFilter} and {@link podFilter}. */
const KUBERNETES: Section = { name: "kubernetes", match: "kube.*", kube_tag_prefix: "kube." };

/** How a JSON object in a line becomes fields: values stay unchanged, including trailing line breaks. */
function jsonOptions({ parseJson }: Pick<LogPipeline, "parseJson">): Section {
  return parseJson
    ? { merge_log: "on", merge_log_key: "fields", merge_log_trim: "off", keep_log: "on" }
    : { merge_log: "off" };
}

/** Namespace, pod and container from the tag alone. @see https://docs.fluentbit.io/manual/data-pipeline/filters/kubernetes */
function tagFilter(options: Section): Section {
  return { ...KUBERNETES, regex_parser: "container", use_tag_for_meta: "on", ...options };
}

/** All filters of a DaemonSet for pods' lines. */
export function nodeFilters(pipeline: LogPipeline): Section[] {
  if (!pipeline.sources.includes("pods")) return [];
  return [
    ...stackTraceFilters(pipeline),
    ...lineFilters(pipeline.processing),
    // Works for deleted pods and without the API server, where the filter for pods adds no names. Measured: an eighth of the work per line,
    // but the other filter cannot take the names from the tag, and a processor's condition never holds for a missing key.
    // See https://github.com/fluent/fluent-bit/issues/7379
    tagFilter({ merge_log: "off" }),
    {
      name: "parser",
      // Skips lines of other namespaces. Measured: saves a tenth of the work per line.
      match_regex: "^kube\\.[^_]+-team_",
      key_name: "$kubernetes['namespace_name']",
      parser: "team",
      reserve_data: "on",
      preserve_key: "on",
    },
    ...teamFilters(pipeline),
    // After filters that need no labels: those rewrite each record, which is short until here. It parses JSON without an API answer too.
    podFilter(pipeline),
    ...Object.entries(pipeline.labels).map(([key, value]) => ({
      name: "grep",
      match: "kube.*",
      regex: `$kubernetes['labels']['${key}'] ^${literalPattern(value)}$`,
    })),
    ...recordFilters(pipeline.processing),
    ...withoutLongFields(pipeline),
    ...splitFilters(pipeline),
  ];
}

/** Adds the pod's metadata from the API server, as a second key `kubernetes`: of two equal keys the last one is sent. */
function podFilter(pipeline: LogPipeline): Section {
  return {
    ...KUBERNETES,
    regex_parser: "pod",
    buffer_size: 0,
    cache_use_docker_id: "on",
    // While it waits for DNS it reads nothing, and fails its probes: by default 30 s, six times.
    dns_retries: 5,
    dns_wait_time: 1,
    labels: pipeline.metadata.labels || usesLabels(pipeline) ? "on" : "off",
    annotations: pipeline.metadata.annotations ? "on" : "off",
    // The pod's annotation fluentbit.io/exclude.
    "k8s-logging.exclude": "on",
    ...jsonOptions(pipeline),
  };
}

/** Adapts complete records to the destination: no fields that are too long for it, and the value that indices are split by. */
export function destinationFilters(pipeline: LogPipeline): Section[] {
  const copies = splitByTeam(pipeline) ? [{ name: "modify", match: "kube.*", copy: `team ${SPLIT_KEY}` }] : [];
  return [...withoutLongFields(pipeline), ...copies, ...splitFilters(pipeline)];
}

/** Sets the value that the index is split by on records without one. */
function splitFilters(pipeline: LogPipeline): Section[] {
  const script = `${CONFIG_FOLDER}/index.lua`;
  if (splitByScript(pipeline)) return [{ name: "lua", match: "kube.*", script, call: "app_of_record" }];
  if (!splitByTeam(pipeline)) return [];
  const condition = `Key_does_not_exist ${SPLIT_KEY}`;
  return [{ name: "modify", match: "kube.*", condition, add: `${SPLIT_KEY} ${NO_VALUE}` }];
}

function splitByTeam({ index, destination }: LogPipeline): boolean {
  return hasIndex(destination) && index.splitBy === "team";
}

/** Whether records need the pod's labels, even if they are not sent. */
export function usesLabels(pipeline: LogPipeline): boolean {
  return (
    Object.keys(pipeline.labels).length > 0 ||
    splitByScript(pipeline) ||
    pipeline.processing.thin.some(({ labels }) => labels !== undefined)
  );
}

/**
 * Turns lines into the records that a DaemonSet sends: the line, its JSON fields, and the pod, which is known at rendering. Not done by a
 * script, since Lua keeps neither the order of keys nor nulls, empty lists or large numbers.
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
    // The input removes the carriage return that ends a line, but not one that is the whole line.
    { name: "modify", ...every, condition: "key_value_matches log \\A\\r\\z", set: 'log ""' },
    ...stackTraceFilters(pipeline),
    ...lineFilters(pipeline.processing),
    tagFilter(jsonOptions(pipeline)),
    ...recordFilters(pipeline.processing),
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
 * Longest JSON line that becomes `fields` for CloudWatch Logs, in bytes. A quotation mark is four bytes in `log` and two in `fields`, and
 * Fluent Bit sends nothing at all of a record above 1 MB.
 */
const MAX_EVENT_FIELDS_BYTES = 100_000;

/**
 * Matches JSON that is too long for fields; in characters, which have up to four bytes if one of them is not ASCII. It ends in a literal,
 * so a line shorter than a quarter of the limit is rejected by its length alone.
 */
function tooLong(bytes: number): string {
  return `\\A(?m:(?:.{${bytes}}|(?=[\\x00-\\x7F]*[^\\x00-\\x7F]).{${bytes / 4}}).*\\})`;
}

/**
 * Removes the fields from lines that are too long for the destination to have them.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/modify
 */
function withoutLongFields({ parseJson, destination: { kind } }: LogPipeline): Section[] {
  if (!parseJson || (kind !== "opensearch" && kind !== "cloudwatch")) return [];
  const bytes = kind === "opensearch" ? MAX_FIELDS_BYTES : MAX_EVENT_FIELDS_BYTES;
  return [{ name: "modify", match: "kube.*", condition: `key_value_matches log ${tooLong(bytes)}`, remove: "fields" }];
}
