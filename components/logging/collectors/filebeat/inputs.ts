import { APPLICATION_LOGS, type LogPipeline } from "../../pipeline.ts";
import { continuationPattern } from "../stack-traces.ts";

/** Options of a part of Filebeat, as they stand in the YAML configuration. */
export type Options = Readonly<Record<string, unknown>>;

/**
 * Where traces are joined, one input for each stream of the containers: a trace would take in what the other stream writes meanwhile.
 * Each reads all files, and takes its own lines from them.
 */
export function filebeatInputs(pipeline: LogPipeline): Options[] {
  if (pipeline.source.kind === "application") return [input(pipeline, "application")];
  if (pipeline.multiline.length === 0) return [input(pipeline, "pods", "all")];
  return ["stdout", "stderr"].map((stream) => input(pipeline, `pods-${stream}`, stream));
}

/**
 * A file is known by its inode and not by how it begins, since that would leave files below 1 KiB unread; so it is followed through
 * a rotation. What was rotated away and is not compressed yet is read too.
 * @see https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream
 */
function input({ namespaces, source, multiline }: LogPipeline, id: string, stream?: string): Options {
  const { include, exclude } = namespaces;
  const files = (namespace: string) => [
    `/var/log/pods/${namespace}_*/*/*.log`,
    `/var/log/pods/${namespace}_*/*/*.log.20??????-??????`,
  ];
  const pattern = continuationPattern(multiline);
  const node = source.kind === "node";
  return {
    type: "filestream",
    id,
    paths: node ? (include.length === 0 ? ["*"] : include).flatMap(files) : [`${APPLICATION_LOGS}/*.log`],
    // Also how long a new file may go unseen.
    "prospector.scanner.check_interval": "1s",
    "prospector.scanner.fingerprint.enabled": false,
    ...(node ? { "prospector.scanner.exclude_files": exclude.map((name) => `^/var/log/pods/${name}_`) } : {}),
    file_identity: { native: null },
    // Else a file that the kubelet deletes is left where the reading stands. Its place is still cleaned up (`clean_removed`): nobody can
    // open it again, and the inode may be given to another file.
    "close.on_state_change.removed": false,
    // How long a file at its end is left alone: by default up to 10 s, in which it could be rotated away unread.
    "backoff.init": "1s",
    "backoff.max": "1s",
    buffer_size: 262_144,
    parsers: [
      ...(stream === undefined ? [] : [{ container: { stream, format: "cri" } }]),
      ...(pattern === undefined
        ? []
        : [{ multiline: { type: "pattern", pattern, negate: false, match: "after", max_lines: 1000, timeout: "1s" } }]),
    ],
  };
}
