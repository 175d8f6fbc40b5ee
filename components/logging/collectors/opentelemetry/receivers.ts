import { anyEndpoint } from "../../../kubernetes/ip-family.ts";
import { APPLICATION_LOGS, type LogPipeline, podLogFiles } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import type { Options } from "../collector.ts";
import { continuationPattern, firstLinePattern } from "../stack-traces.ts";
import { redactOperators } from "./redact-steps.ts";

export const POSITION_STORAGE = "file_storage/positions";
export const GRPC_PORT = 4317;
export const HTTP_PORT = 4318;
/** Longest line in a file, and longest line joined from parts. */
const MAX_LINE = "2MiB";
const MAX_JOINED = "16MiB";

/** Receivers, by name. @see https://opentelemetry.io/docs/collector/components/receiver/ */
export function receivers(pipeline: LogPipeline): Readonly<Record<string, Options>> {
  if (pipeline.source.kind === "application") return { file_log: applicationFiles(pipeline) };
  return {
    file_log: podFiles(pipeline),
    // For applications that send their own lines.
    otlp: {
      protocols: {
        grpc: { endpoint: anyEndpoint(pipeline.context.ipFamily, GRPC_PORT) },
        http: { endpoint: anyEndpoint(pipeline.context.ipFamily, HTTP_PORT) },
      },
    },
  };
}

/**
 * The pods' files and rotated files that are not compressed yet, so that a rotation while it is stopped loses nothing: a file is identified
 * by its beginning, not by its name.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/receiver/filelogreceiver
 */
function podFiles(pipeline: LogPipeline): Options {
  const { include, exclude } = pipeline.namespaces;
  return {
    include: podLogFiles(include.length === 0 ? ["*"] : include),
    exclude: podLogFiles(exclude),
    ...reading(pipeline),
    // A runtime cuts long lines at 16 KiB, even within a character: the bytes must stay until the parts are joined.
    encoding: "utf-8-raw",
    include_file_path: true,
    include_file_record_offset: true,
    operators: [
      ...containerLines(),
      ...unreadLines(),
      VALID_TEXT,
      ...joining(pipeline),
      ...redactOperators(pipeline),
      ...parsing(pipeline),
    ],
  };
}

/**
 * Replaces invalid UTF-8, as reading does by default: OTLP strings must be valid. Go's expressions match each such byte as U+FFFD, and its
 * JSON has U+FFFD in its place.
 */
const VALID_TEXT: Options = {
  type: "add",
  id: "text",
  if: 'body matches "\\uFFFD"',
  field: "body",
  value: "EXPR(fromJSON(toJSON(body)))",
};

/**
 * Parses the runtime's lines and joins the parts of long ones. A single operator would end a line of stdout with the next one of stderr,
 * since it tracks parts by file only; so each stream has one, and the second parses what the first ignored.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/stanza/docs/operators/container.md
 */
function containerLines(): Options[] {
  // Quiet: else a line in another format is logged in full.
  const container = { type: "container", max_log_size: MAX_JOINED, on_error: "send_quiet" };
  return [
    { ...container, id: "stdout", if: 'body matches "^[^ ]+ stdout "' },
    { ...container, id: "stderr", if: 'attributes["log.iostream"] == nil' },
  ];
}

/**
 * Gives lines in no runtime's format, which have no pod, the pod of their file: else those of all pods would be one stream of no namespace,
 * and those of a pod that opts out would be sent. One condition leads all other lines past these steps.
 */
function unreadLines(): Options[] {
  // NAMESPACE_POD_UID/CONTAINER/FILE
  const folder = (at: number) => `split(attributes["log.file.path"], "/")[${at}]`;
  const values = {
    "k8s.namespace.name": `split(${folder(-3)}, "_")[0]`,
    "k8s.pod.name": `split(${folder(-3)}, "_")[1]`,
    "k8s.pod.uid": `split(${folder(-3)}, "_")[2]`,
    "k8s.container.name": folder(-2),
  };
  const steps = Object.entries(values).map(([name, value]) => ({
    type: "add",
    id: name,
    field: `resource["${name}"]`,
    value: `EXPR(${value})`,
  }));
  const [first] = Object.keys(values);
  const isUnread = { expr: 'resource["k8s.pod.name"] == nil', output: first };
  return [{ type: "router", routes: [isUnread], default: VALID_TEXT.id }, ...steps];
}

/** Removes the last line break, and carriage returns before each. */
const LINE_ENDS: Options = { type: "regex_replace", field: "body", regex: "(?m)\\r$|\\n\\z", replace_with: "" };

/** All files that the application writes, line by line, and the last rotated one of each. */
function applicationFiles({ multiline, ...pipeline }: LogPipeline): Options {
  const start = firstLinePattern(multiline);
  return {
    include: [`${APPLICATION_LOGS}/*.log`, `${APPLICATION_LOGS}/*.log.1`],
    ...reading(pipeline),
    // Files that begin alike are taken for one file; by default the first 1,000 bytes count, which a banner may fill.
    fingerprint_size: "16KiB",
    include_file_path: true,
    // Joined by the reader: its position advances only with what it passes on, so that a kill loses nothing. Each line keeps its line
    // break at first, since the reader passes on no empty text.
    multiline: start === undefined ? { line_end_pattern: "\\n" } : { line_start_pattern: start },
    operators: [LINE_ENDS, ...redactOperators(pipeline), ...parsing(pipeline)],
  };
}

function reading({ buffer }: Pick<LogPipeline, "buffer">): Options {
  return {
    start_at: "beginning",
    storage: POSITION_STORAGE,
    max_log_size: MAX_LINE,
    // Unchanged: a line may begin and end with blanks.
    preserve_leading_whitespaces: true,
    preserve_trailing_whitespaces: true,
    ...offeringAgain(buffer),
  };
}

/** Retries lines that the queue rejects, indefinitely. With several queues, a full one would duplicate the lines of the others. */
export function offeringAgain({ whenFull }: LogPipeline["buffer"]): Options {
  const retry = { enabled: true, initial_interval: "500ms", max_interval: "10s", max_elapsed_time: 0 };
  return { retry_on_failure: whenFull === "block" ? retry : { enabled: false } };
}

/**
 * Joins consecutive lines of a trace. It holds the last line of each stream until it knows what follows, and loses it when it is killed.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/stanza/docs/operators/recombine.md
 */
function joining(pipeline: LogPipeline): Options[] {
  const first = firstLineExpression(pipeline);
  if (first === undefined) return [];
  // A record never continues in the other stream.
  const stream = 'EXPR(attributes["log.file.path"] + (attributes["log.iostream"] ?? ""))';
  const limits = { max_batch_size: 1000, max_log_size: MAX_JOINED, max_sources: 10_000 };
  return [
    { type: "add", field: "attributes.source", value: stream },
    {
      type: "recombine",
      combine_field: "body",
      is_first_entry: first,
      source_identifier: "attributes.source",
      force_flush_period: "500ms",
      ...limits,
    },
  ];
}

/** Condition for the first line of a record; undefined if each line is a record. */
function firstLineExpression({ multiline, processing: { firstLines } }: LogPipeline): string | undefined {
  const pattern = continuationPattern(multiline);
  if (pattern === undefined && firstLines.length === 0) return undefined;
  return firstLines.reduceRight(
    (otherwise, { namespaces, pattern: own }) => {
      const first = `body matches ${JSON.stringify(patternText(own, "re2"))}`;
      if (namespaces === undefined) return first;
      const place = JSON.stringify(`/(${namespaces.join("|")})_[^/]+/[^/]+/[^/]+$`);
      return `attributes["log.file.path"] matches ${place} ? ${first} : ${otherwise}`;
    },
    pattern === undefined ? "true" : `not (body matches ${JSON.stringify(pattern)})`,
  );
}

/** @see https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/stanza/docs/operators/json_parser.md */
function parsing({ parseJson }: Pick<LogPipeline, "parseJson">): Options[] {
  if (!parseJson) return [];
  const options = { parse_to: "attributes.fields", parse_ints: true, on_error: "send_quiet" };
  return [{ type: "json_parser", if: 'body startsWith "{"', ...options }];
}
