import { APPLICATION_LOGS, type LogPipeline } from "../../pipeline.ts";
import { continuationPattern } from "../stack-traces.ts";

/** Options of a part of Filebeat's YAML configuration. */
export type Options = Readonly<Record<string, unknown>>;

/**
 * The inputs. Where traces are joined, each stream has an input of its own, which reads all files and keeps the lines of its stream: else a
 * trace would take in what the other stream writes meanwhile.
 */
export function inputs(pipeline: LogPipeline): Options[] {
  if (pipeline.source.kind === "application") return [input(pipeline, "application")];
  if (pipeline.multiline.length === 0) return [input(pipeline, "pods", "all")];
  return ["stdout", "stderr"].map((stream) => input(pipeline, `pods-${stream}`, stream));
}

/**
 * Files are identified by inode, not by fingerprint, which would leave files below 1 KiB unread. So a file is followed through a
 * rotation; rotated files that are not compressed yet are read too.
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
    // A new file is found within this time.
    "prospector.scanner.check_interval": "1s",
    "prospector.scanner.fingerprint.enabled": false,
    ...(node ? { "prospector.scanner.exclude_files": exclude.map((name) => `^/var/log/pods/${name}_`) } : {}),
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
      ...(pattern === undefined
        ? []
        : [{ multiline: { type: "pattern", pattern, negate: false, match: "after", max_lines: 1000, timeout: "1s" } }]),
    ],
  };
}
