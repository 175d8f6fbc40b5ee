import type { ApplicationPod } from "../../../kubernetes/container.ts";
import { PASSWORD_VARIABLE, tlsOf, USER_VARIABLE } from "../../destinations/destination-secrets.ts";
import type { DestinationOf } from "../../destinations/destination-settings.ts";
import { type IndexFormat, notation } from "../../indexing/index-format.ts";
import {
  APPLICATION_LOGS,
  hasIndex,
  type LogPipeline,
  NODE_VARIABLE,
  OPT_OUT_ANNOTATION,
  podLogFiles,
  searchUrl,
} from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import { type FirstLine, scriptRules } from "../../processing/processing.ts";
import { type Collector, everyDestination, type Options, readScript } from "../collector.ts";
import { continuationPattern } from "../stack-traces.ts";

/** Files with the same multiline rule. */
interface Place {
  readonly id: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Pattern of the first line of a record. */
  readonly firstLine?: FirstLine["pattern"];
}

/**
 * The inputs. To join lines, each stream has its own input, which reads all files but keeps only that stream's lines: else a record would
 * include what the other stream writes meanwhile.
 */
export function inputs(pipeline: LogPipeline): Options[] {
  if (pipeline.source.kind === "application") return [input(pipeline, { id: "application", include: [], exclude: [] })];
  return places(pipeline).flatMap((place) =>
    pipeline.multiline.length === 0 && place.firstLine === undefined
      ? [input(pipeline, place, "all")]
      : ["stdout", "stderr"].map((stream) => input(pipeline, { ...place, id: `${place.id}-${stream}` }, stream)),
  );
}

/** Groups namespaces by the first rule for the first line that applies. */
function places({ namespaces, processing }: LogPipeline): Place[] {
  const groups: Place[] = [];
  let { include, exclude } = namespaces;
  for (const [index, rule] of processing.firstLines.entries()) {
    const remaining = rule.namespaces?.filter(
      (name) => !exclude.includes(name) && (namespaces.include.length === 0 || include.includes(name)),
    );
    if (remaining?.length === 0) continue;
    groups.push({ id: `pods-first-${index}`, include: remaining ?? include, exclude, firstLine: rule.pattern });
    if (remaining === undefined) return groups;
    exclude = [...exclude, ...remaining];
    include = include.filter((name) => !remaining.includes(name));
    if (namespaces.include.length > 0 && include.length === 0) return groups;
  }
  return [...groups, { id: "pods", include, exclude }];
}

/**
 * Identifies files by inode, not by fingerprint, which would leave files below 1 KiB unread. A file is thus followed through a rotation;
 * rotated files that are not compressed yet are read too.
 * @see https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream
 */
function input({ source, multiline }: LogPipeline, place: Place, stream?: string): Options {
  const { id, include, exclude, firstLine } = place;
  const continues = continuationPattern(multiline);
  const join =
    firstLine === undefined
      ? { pattern: continues, negate: false }
      : { pattern: patternText(firstLine, "re2"), negate: true };
  const node = source.kind === "node";
  return {
    type: "filestream",
    id,
    paths: node ? podLogFiles(include.length === 0 ? ["*"] : include) : [`${APPLICATION_LOGS}/*.log`],
    // Longest time until a new file is found.
    "prospector.scanner.check_interval": "1s",
    "prospector.scanner.fingerprint.enabled": false,
    "prospector.scanner.exclude_files": node ? exclude.map((name) => `^/var/log/pods/${name}_`) : undefined,
    file_identity: { native: null },
    // Else reading stops in the middle of a file that the kubelet deletes. Its position is still removed (`clean_removed`), since the inode
    // may be reused.
    "close.on_state_change.removed": false,
    // Pause at the end of a file. Default: up to 10 s, in which it could be rotated away unread.
    "backoff.init": "1s",
    "backoff.max": "1s",
    buffer_size: 262_144,
    parsers: [
      ...(stream === undefined ? [] : [{ container: { stream, format: "cri" } }]),
      ...(join.pattern === undefined
        ? []
        : [{ multiline: { type: "pattern", ...join, match: "after", max_lines: 1000, timeout: "1s" } }]),
    ],
  };
}

/** Where `record.js` stores the value that an index is split by. */
const SPLIT_FIELD = "@metadata.split";
/** Where `record.js` finds the node name: a variable in the script itself would be parsed as a value, not as text. */
const NODE_FIELD = "node_name";
const withoutComments = (text: string) => text.replaceAll(/^\s*(\/\/.*|\/\*\*[\s\S]*?\*\/)\n/gm, "");
const SCRIPT = withoutComments(readScript(import.meta.url, "record.js"));
/** Shared with Logagent. */
const RULES_SCRIPT = withoutComments(readScript(import.meta.url, "../logagent/processing.cjs"));

/** The processors that build the record, in order. @see https://www.elastic.co/docs/reference/beats/filebeat/defining-processors */
export function processors(pipeline: LogPipeline): Options[] {
  const { source, parseJson, processing } = pipeline;
  return [
    // First, so that masked text is neither in the id nor in the parsed JSON.
    ...(processing.redact.length === 0 ? [] : [script(redactScript(pipeline))]),
    ...(source.kind === "node" ? [{ add_kubernetes_metadata: KUBERNETES_METADATA }] : []),
    // A line that is read again after a restart gets the same id, so a search engine stores it once.
    {
      fingerprint: {
        fields: ["log.file.device_id", "log.file.inode", "log.offset", "message", "@timestamp"],
        target_field: "@metadata._id",
        method: "sha256",
        ignore_missing: true,
      },
    },
    ...(parseJson ? [{ decode_json_fields: JSON_FIELDS }] : []),
    { add_fields: { target: "", fields: { [NODE_FIELD]: `\${${NODE_VARIABLE}}` } } },
    script(recordScript(pipeline)),
    ...processing.limit.map(({ namespaces, linesPerSecond }) => ({
      rate_limit: {
        limit: `${linesPerSecond}/s`,
        fields: ["kubernetes.namespace_name", "kubernetes.pod_name"],
        when: namespaces && { or: namespaces.map((name) => ({ equals: { "kubernetes.namespace_name": name } })) },
      },
    })),
    {
      drop_fields: {
        fields: ["message", "agent", "ecs", "host", "input", "event", "container", "orchestrator"],
        ignore_missing: true,
      },
    },
  ];
}

function script(source: string): Options {
  return { script: { lang: "javascript", source } };
}

/** The program that masks secrets in the line. */
export function redactScript({ processing }: Pick<LogPipeline, "processing">): string {
  const { redact } = scriptRules(processing, "ecmascript") ?? {};
  return `var settings = ${literal({ redact })};\n${RULES_SCRIPT}${SCRIPT}`;
}

/** The program that builds the record: the pipeline's settings and `record.js`. */
export function recordScript(pipeline: LogPipeline): string {
  const { source, labels, metadata, parseJson, destination, index, teamNames } = pipeline;
  const search = hasIndex(destination);
  const { thin, fields } = scriptRules(pipeline.processing, "ecmascript") ?? {};
  const settings = {
    pod: source.kind === "node" ? null : podSettings(source.pod),
    optOut: withoutDots(OPT_OUT_ANNOTATION),
    required: Object.entries(labels).map(([key, value]) => ({ key: withoutDots(key), value })),
    teams: Object.entries(teamNames),
    keepLabels: metadata.labels,
    safeNames: parseJson && search,
    splitBy: search && index.splitBy !== "none" ? index.splitBy : null,
    thin: thin?.map(({ labels = {}, ...rule }) => ({
      ...rule,
      labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [withoutDots(key), value])),
    })),
    added: fields,
  };
  return `var settings = ${literal(settings)};\n${thin === undefined ? "" : RULES_SCRIPT}${SCRIPT}`;
}

/** An ECMAScript 5 literal: there, unlike in JSON, strings must not contain U+2028 and U+2029. */
function literal(value: object): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function podSettings({ namespace, pod: name, container, team = "", app = "" }: ApplicationPod): object {
  return { namespace, name, container, team, app };
}

/** Filebeat replaces dots in the keys of labels and annotations. */
function withoutDots(key: string): string {
  return key.replaceAll(".", "_");
}

const KUBERNETES_METADATA: Options = {
  host: `\${${NODE_VARIABLE}}`,
  node: `\${${NODE_VARIABLE}}`,
  scope: "node",
  default_indexers: { enabled: false },
  default_matchers: { enabled: false },
  indexers: [{ pod_uid: null }],
  matchers: [{ logs_path: { logs_path: "/var/log/pods/", resource_type: "pod" } }],
  // Resources other than pods would need more permissions.
  add_resource_metadata: {
    namespace: { enabled: false },
    node: { enabled: false },
    deployment: false,
    cronjob: false,
  },
  "labels.dedot": true,
  "annotations.dedot": true,
  include_annotations: [OPT_OUT_ANNOTATION],
};

const JSON_FIELDS: Options = {
  fields: ["message"],
  target: "fields",
  // A greater depth would also decode strings that contain JSON.
  max_depth: 1,
  process_array: false,
  add_error_key: false,
  when: { regexp: { message: "^\\{" } },
};

export const DESTINATIONS: Collector["destinations"] = {
  ...everyDestination("Filebeat has no such output"),
  stdout: true,
  file: true,
  opensearch: "Filebeat requires an Elasticsearch license, which OpenSearch does not report",
  elasticsearch: true,
  kafka: "Kafka from Filebeat is not tested here",
};

const CODEC = { "codec.json": { pretty: false, escape_html: false } };

/** The pipeline's output. @see https://www.elastic.co/docs/reference/beats/filebeat/configuring-output */
export function output(pipeline: LogPipeline): Options {
  const { destination } = pipeline;
  switch (destination.kind) {
    case "stdout":
      return { "output.console": CODEC };
    case "file":
      // The maximum number of files: beyond 100 GB the oldest are overwritten.
      return {
        "output.file": {
          path: destination.path,
          filename: "pods",
          rotate_every_kb: 102_400,
          number_of_files: 1024,
          ...CODEC,
        },
      };
    case "elasticsearch":
      return { "output.elasticsearch": elasticsearch(destination, pipeline.index) };
    default:
      throw new Error(`destination ${destination.kind}: ${DESTINATIONS[destination.kind]}`);
  }
}

/** Permanently rejected documents are dropped and logged; everything else is retried indefinitely. */
function elasticsearch(destination: DestinationOf<"elasticsearch">, index: IndexFormat): object {
  const tls = tlsOf(destination);
  const parts = [
    index.prefix,
    ...(index.splitBy === "none" ? [] : [`%{[${SPLIT_FIELD}]}`]),
    `%{+${notation(index.datePattern, "joda")}}`,
  ];
  return {
    hosts: [searchUrl(destination)],
    index: parts.join(index.separator),
    preset: "custom",
    bulk_max_size: 1600,
    worker: 2,
    max_retries: -1,
    "backoff.max": "30s",
    ...(destination.credentials && { username: quoted(USER_VARIABLE), password: quoted(PASSWORD_VARIABLE) }),
    ssl: tls && {
      verification_mode: tls.verify ? "full" : "none",
      certificate_authorities: tls.caFile && [tls.caFile],
    },
  };
}

/**
 * Filebeat parses the value of a variable: a comma or a bracket makes it a list, digits a number. In quotes it stays text, which must not
 * contain a single quote.
 * @see https://github.com/elastic/go-ucfg/blob/main/parse/parse.go
 */
function quoted(variable: string): string {
  return `'\${${variable}}'`;
}
