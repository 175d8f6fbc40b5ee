import { APPLICATION_LOGS, type LogPipeline } from "../../pipeline.ts";
import { continuationPattern } from "../stack-traces.ts";
import { FILES_SOURCE } from "./files.ts";
import { LINES_FILTER } from "./lines.ts";
import { quoted, type Section } from "./text.ts";

/** Begins the tag of what was read from a file; the rest is the file's path. */
export const LINES = "kubernetes.**";

/** What all files are read by. @see https://docs.fluentd.org/input/tail */
function tail(stateFolder: string) {
  return {
    "@type": FILES_SOURCE,
    "@id": "files",
    tag: "kubernetes.*",
    pos_file: `${stateFolder}/positions`,
    read_from_head: true,
    follow_inodes: true,
    refresh_interval: 1,
    // Its first look would read before anything else starts: with a full buffer, or without an API server, it would never answer its
    // probes, and not end when it is told to.
    skip_refresh_on_startup: true,
    rotate_wait: 0,
    // Of each file at a time, so that none keeps the others waiting until they are deleted unseen: at 20 MB/s, four times as much as it
    // could send, 4m lost half of all lines and this none. It also has a rotated file read to its end, however long that takes.
    read_bytes_limit_per_second: "1m",
    max_line_size: "2m",
  };
}

/** Reads the pods' files, and what was rotated away from them but is not compressed yet. */
export function nodeSource(pipeline: LogPipeline, stateFolder: string): Section {
  const { include, exclude } = pipeline.namespaces;
  const places = include.length === 0 ? ["*"] : include.map((namespace) => `${namespace}_*`);
  const paths = places.flatMap((place) => ["*.log", "*.log.*"].map((file) => `/var/log/pods/${place}/*/${file}`));
  const without = exclude.map((namespace) => `/var/log/pods/${namespace}_*/*/*`);
  return {
    name: "source",
    options: {
      ...tail(stateFolder),
      path: paths.join(","),
      exclude_path: JSON.stringify([...without, "/var/log/pods/*/*/*.gz", "/var/log/pods/*/*/*.tmp"]),
    },
    sections: [
      {
        name: "parse",
        options: {
          "@type": "regexp",
          expression: "/^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]+) (?<log>.*)$/",
          // The first is seven times as fast; a runtime that leaves out zeros writes no parts of a full second.
          time_type: "mixed",
          time_format: "%Y-%m-%dT%H:%M:%S.%N%z",
          time_format_fallbacks: "%iso8601",
        },
      },
    ],
  };
}

/** Reads every file that the application writes, as it is. */
export function applicationSource(stateFolder: string): Section {
  return {
    name: "source",
    options: { ...tail(stateFolder), path: `${APPLICATION_LOGS}/*.log` },
    sections: [{ name: "parse", options: { "@type": "none", message_key: "log" } }],
  };
}

/**
 * Joins the parts of a line, and then the lines of a stack trace. What waits too long for the rest goes on by the label.
 * None where lines stand as they are.
 */
export function joins({ multiline, source }: LogPipeline, label: string, stateFolder: string): Section[] {
  const traces = continuationPattern(multiline);
  if (traces === undefined && source.kind === "application") return [];
  return [
    {
      name: "filter",
      of: LINES,
      options: {
        "@type": LINES_FILTER,
        label,
        journal: `${stateFolder}/held`,
        continuation: traces === undefined ? undefined : quoted(`/${traces}/`),
      },
    },
  ];
}
