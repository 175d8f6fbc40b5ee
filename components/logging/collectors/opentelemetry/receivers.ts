import { anyEndpoint } from "../../../kubernetes/ip-family.ts";
import { APPLICATION_LOGS, hasIndex, type LogPipeline, podLogFiles } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import {
  JOURNAL_FIELDS,
  JOURNAL_FOLDER,
  type JournalSource,
  journalSources,
  sourceIndex,
} from "../../sources/source.ts";
import type { Options } from "../collector.ts";
import { continuationPattern, firstLinePattern } from "../stack-traces.ts";
import { exporter, RETRY, sourcePart } from "./exporters.ts";
import { redactOperators, replaceStatements, resource, text } from "./line-statements.ts";
import {
  fieldStatements,
  indexStatement,
  memoryLimiter,
  type Statements,
  statements,
  timeStatements,
  transform,
} from "./processors.ts";

export const POSITION_STORAGE = "file_storage/positions";
export const GRPC_PORT = 4317;
export const HTTP_PORT = 4318;
/** Longest line in a file. */
const MAX_LINE = "2MiB";
/**
 * Longest line joined from parts, beyond which it is divided. With the last part and the pod's metadata it stays below the maximum size of a
 * batch: the exporters drop a longer record with all that follows it in its batch, lines of other pods too.
 */
const MAX_JOINED = "3MiB";
/** Size from which a stack trace is sent as it is: it may exceed this by one line. */
const MAX_TRACE = "512KiB";

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
function applicationFiles(pipeline: LogPipeline): Options {
  const start = firstLinePattern(pipeline.multiline);
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

function reading({ buffer }: LogPipeline): Options {
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
function offeringAgain({ whenFull }: LogPipeline["buffer"]): Options {
  return whenFull === "block" ? RETRY : { retry_on_failure: { enabled: false } };
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
  return [
    { type: "add", field: "attributes.source", value: stream },
    {
      type: "recombine",
      combine_field: "body",
      is_first_entry: first,
      source_identifier: "attributes.source",
      force_flush_period: "500ms",
      max_batch_size: 1000,
      max_log_size: MAX_TRACE,
      max_sources: 10_000,
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
function parsing({ parseJson }: LogPipeline): Options[] {
  if (!parseJson) return [];
  const options = { parse_to: "attributes.fields", parse_ints: true, on_error: "send_quiet" };
  return [{ type: "json_parser", if: 'body startsWith "{"', ...options }];
}

/** The node's folders with journalctl and its libraries: the image contains only the collector. Each is mounted at the same path. */
export const PROGRAM_FOLDERS = ["/usr", "/lib", "/lib64"];

/** Components by name, and the pipelines that connect them. */
type Parts = Record<
  "receivers" | "processors" | "exporters" | "connectors" | "pipelines",
  Readonly<Record<string, Options>>
>;

/**
 * Components that read each part of the journal and send it to its destinations. Their names begin with a dot, unlike those of
 * destinations and of teams' places.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/receiver/journaldreceiver
 */
export function journalParts(pipeline: LogPipeline): Parts {
  const all = journalSources(pipeline.sources).map((source) => partsOfSource(pipeline, source));
  const merged = (key: keyof Parts) => Object.assign({}, ...all.map((parts) => parts[key]));
  return {
    receivers: merged("receivers"),
    processors: merged("processors"),
    exporters: merged("exporters"),
    connectors: merged("connectors"),
    pipelines: merged("pipelines"),
  };
}

function partsOfSource(pipeline: LogPipeline, source: JournalSource): Parts {
  const name = `.journal.${source}`;
  const [receiver, fork] = [`journald/${source}`, `forward/${name}`];
  const record: Statements[] = [{ context: "log", statements: recordStatements(pipeline, source) }];
  const processors = [...Object.keys(memoryLimiter(pipeline)), `transform/${name}`];
  const receivers = { [receiver]: journal(pipeline, source) };
  if (pipeline.branches.length === 0) {
    const end = exporter(sourcePart(pipeline, source));
    return {
      receivers,
      processors: { [`transform/${name}`]: transform([...record, ...destinationStatements(pipeline, source)]) },
      exporters: { [end.name]: end.options },
      connectors: {},
      pipelines: { [`logs/${name}`]: { receivers: [receiver], processors, exporters: [end.name] } },
    };
  }
  const branches = pipeline.branches
    .filter(({ sources }) => sources.includes(source))
    .map((branch) => ({ branch, to: `${name}.${branch.name}`, end: exporter(sourcePart(branch, source)) }));
  return {
    receivers,
    processors: Object.fromEntries([
      [`transform/${name}`, transform(record)],
      ...branches.map(({ branch, to }) => [`transform/${to}`, transform(destinationStatements(branch, source))]),
    ]),
    exporters: Object.fromEntries(branches.map(({ end }) => [end.name, end.options])),
    connectors: { [fork]: {} },
    pipelines: Object.fromEntries([
      [`logs/${name}`, { receivers: [receiver], processors, exporters: [fork] }],
      ...branches.map(({ to, end }) => [
        `logs/${to}`,
        { receivers: [fork], processors: [`transform/${to}`], exporters: [end.name] },
      ]),
    ]),
  };
}

/** Reads a part of the journal from its beginning, or from the stored position. `merge` also reads entries from before the node started. */
function journal({ buffer }: LogPipeline, source: JournalSource): Options {
  return {
    journalctl_path: "/usr/bin/journalctl",
    directory: JOURNAL_FOLDER,
    start_at: "beginning",
    matches: JOURNAL_FIELDS[source].map((field) => Object.fromEntries([field.split("=", 2)])),
    priority: "debug",
    merge: true,
    // Without it fields of more than 4096 characters are omitted.
    all: true,
    convert_message_bytes: true,
    storage: POSITION_STORAGE,
    ...offeringAgain(buffer),
  };
}

/** Makes the body the record that all collectors send. Missing fields are omitted. */
function recordStatements({ processing }: LogPipeline, source: JournalSource): string[] {
  return [
    ...statements("journal-record"),
    `set(log.body["source"], ${text(source)})`,
    ...replaceStatements(processing, 'log.body["log"]'),
    ...fieldStatements(processing.fields),
  ];
}

/** What the destination needs: an index and an id, a stream, or attributes. */
function destinationStatements({ destination, index }: LogPipeline, source: JournalSource): Statements[] {
  const search = hasIndex(destination);
  return [
    {
      context: "log",
      statements: [
        ...(search ? [indexStatement(sourceIndex(index, source)), ...statements("journal-id")] : []),
        ...timeStatements(destination),
        ...statements("attributes"),
      ],
    },
    { context: "resource", statements: placeStatements(destination.kind, source) },
  ];
}

function placeStatements(kind: LogPipeline["destination"]["kind"], source: JournalSource): string[] {
  if (kind === "cloudwatch") return [`set(${resource("pod")}, "\${env:NODE_NAME}.${source}")`];
  if (kind !== "loki" && kind !== "otlp") return [];
  return [`set(${resource("service.namespace")}, ${text(source)})`, ...statements("journal-attributes")];
}
