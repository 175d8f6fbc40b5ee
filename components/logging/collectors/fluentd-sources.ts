import { APPLICATION_LOGS, type LogPipeline } from "../pipeline.ts";
import { LINES_FILTER } from "./fluentd-lines.ts";
import { quoted, type Section } from "./fluentd-text.ts";
import { continuationPattern } from "./stack-traces.ts";

/** Begins the tag of what was read from a file; the rest is the file's path. */
export const LINES = "kubernetes.**";

/** What all files are read by. @see https://docs.fluentd.org/input/tail */
function tail(stateFolder: string) {
  return {
    "@type": "tail",
    "@id": "files",
    tag: "kubernetes.*",
    pos_file: `${stateFolder}/positions`,
    read_from_head: true,
    follow_inodes: true,
    refresh_interval: 1,
    rotate_wait: 0,
    max_line_size: "2m",
  };
}

/** Reads the pods' files, and what was rotated away from them but is not compressed yet. */
export function nodeSource({ namespaces: { include, exclude } }: LogPipeline, stateFolder: string): Section {
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
          // Runtimes leave out zeros at the end of a second's parts.
          time_format: "%iso8601",
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
