import { indexPrefix, notation } from "../../indexing/index-format.ts";
import {
  APPLICATION_LOGS,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  NODE_VARIABLE,
  OPT_OUT_ANNOTATION,
  podFields,
} from "../../pipeline.ts";
import { scriptRules } from "../../processing/processing.ts";
import { continuationPattern } from "../stack-traces.ts";
import { type Options, quoted, type Section, STATE_FOLDER, variable } from "./directives.ts";

/** Tags of lines from files: `kubernetes.` and the path of the file. */
export const LINES = "kubernetes.**";

/** Common options for reading files. @see https://docs.fluentd.org/input/tail */
const TAIL: Options = {
  "@type": "pod_files",
  "@id": "files",
  tag: "kubernetes.*",
  pos_file: `${STATE_FOLDER}/positions`,
  read_from_head: true,
  follow_inodes: true,
  refresh_interval: 1,
  // The first scan would read before anything else starts: with a full buffer, or without an API server, Fluentd would neither answer
  // its probes nor react to SIGTERM.
  skip_refresh_on_startup: true,
  rotate_wait: 0,
  // Per file, so that no file starves the others until they are deleted unread: at 20 MB/s, four times what it could send, 4m lost half
  // of all lines and 1m none. With a limit, a rotated file is also read to its end, however long that takes.
  read_bytes_limit_per_second: "1m",
  max_line_size: "2m",
};

/** Reads the pods' files and the rotated files that are not compressed yet. */
export function nodeSource(pipeline: LogPipeline): Section {
  const { include, exclude } = pipeline.namespaces;
  const places = include.length === 0 ? ["*"] : include.map((namespace) => `${namespace}_*`);
  const paths = places.flatMap((place) => ["*.log", "*.log.*"].map((file) => `/var/log/pods/${place}/*/${file}`));
  const without = exclude.map((namespace) => `/var/log/pods/${namespace}_*/*/*`);
  return {
    name: "source",
    options: {
      ...TAIL,
      path: paths.join(","),
      exclude_path: JSON.stringify([...without, "/var/log/pods/*/*/*.gz", "/var/log/pods/*/*/*.tmp"]),
    },
    sections: [
      {
        name: "parse",
        options: {
          "@type": "regexp",
          expression: "/^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]+) (?<log>.*)$/",
          // The first format is seven times as fast. The fallback reads full seconds, which a runtime may write without a fraction.
          time_type: "mixed",
          time_format: "%Y-%m-%dT%H:%M:%S.%N%z",
          time_format_fallbacks: "%iso8601",
        },
      },
    ],
  };
}

/** Reads every file that the application writes, line by line. */
export const APPLICATION_SOURCE: Section = {
  name: "source",
  options: { ...TAIL, path: `${APPLICATION_LOGS}/*.log` },
  sections: [{ name: "parse", options: { "@type": "none", message_key: "log" } }],
};

/**
 * Joins the parts of a line, and then the lines of a stack trace or record; lines that wait too long for the rest go to the label.
 * Empty if there is nothing to join.
 */
export function joins({ multiline, source, processing }: LogPipeline, label: string): Section[] {
  const traces = continuationPattern(multiline);
  const { firstLines } = scriptRules(processing, "onigmo") ?? {};
  if (traces === undefined && source.kind === "application") return [];
  return [
    {
      name: "filter",
      of: LINES,
      options: {
        "@type": "pod_lines",
        label,
        journal: `${STATE_FOLDER}/held`,
        continuation: traces === undefined ? undefined : quoted(`/${traces}/`),
        first_lines: firstLines === undefined ? undefined : quoted(JSON.stringify(firstLines)),
      },
    },
  ];
}

/** The filter that builds the record: `filter_pod_record.rb` with the pipeline's parameters. */
export function record(pipeline: LogPipeline): Section {
  const { source, labels, metadata, parseJson, destination, teamNames } = pipeline;
  const { firstLines: _, ...rules } = scriptRules(pipeline.processing, "onigmo") ?? {};
  return {
    name: "filter",
    of: LINES,
    options: {
      "@type": "pod_record",
      node: variable(NODE_VARIABLE),
      opt_out: OPT_OUT_ANNOTATION,
      labels: metadata.labels,
      annotations: metadata.annotations,
      parse_json: parseJson,
      fields_bytes: destination.kind === "opensearch" ? MAX_FIELDS_BYTES : undefined,
      ...(source.kind === "application"
        ? {
            application: quoted(JSON.stringify({ kubernetes: podFields(pipeline, source.pod), team: source.pod.team })),
          }
        : {
            required_labels: quoted(JSON.stringify(labels)),
            teams: Object.keys(teamNames).length === 0 ? undefined : quoted(JSON.stringify(teamNames)),
          }),
      rules: Object.keys(rules).length === 0 ? undefined : quoted(JSON.stringify(rules)),
      stream: destination.kind === "cloudwatch" ? true : undefined,
      ...index(pipeline),
    },
  };
}

function index({ destination, index: format, source }: LogPipeline): Options {
  if (!hasIndex(destination)) return {};
  const node = source.kind === "node";
  return {
    index_prefix: quoted(node ? format.prefix : indexPrefix(format, source.pod)),
    index_separator: quoted(format.separator),
    index_date: quoted(notation(format.datePattern, "strftime")),
    index_zone: quoted(format.timeZone),
    index_split: node ? format.splitBy : "none",
  };
}
