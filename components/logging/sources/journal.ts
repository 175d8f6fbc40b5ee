import type { SettingsIssue } from "../../schema/errors.ts";
import type { IndexFormat } from "../indexing/index-format.ts";

/** What can be collected: pods' files, and parts of the node's journal. */
export const SOURCES = ["pods", "kubelet", "containerd", "kernel", "auth"] as const;
type Source = (typeof SOURCES)[number];
export type JournalSource = Exclude<Source, "pods">;

/** Folder of the journal on a node that keeps it across restarts, as those of EKS do. */
export const JOURNAL_FOLDER = "/var/log/journal";

/** Fields of an entry, one of which it must have. @see https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html */
export const JOURNAL_FIELDS: Readonly<Record<JournalSource, readonly string[]>> = {
  kubelet: ["_SYSTEMD_UNIT=kubelet.service"],
  containerd: ["_SYSTEMD_UNIT=containerd.service"],
  kernel: ["_TRANSPORT=kernel"],
  // The facilities auth and authpriv of syslog.
  auth: ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"],
};

/** The parts of the journal among the sources, each once, in a fixed order. */
export function journalSources(sources: readonly Source[]): JournalSource[] {
  return SOURCES.filter((source): source is JournalSource => source !== "pods" && sources.includes(source));
}

/** First part of the names of a source's own indices. */
export function journalPrefix({ prefix, separator }: Pick<IndexFormat, "prefix" | "separator">, source: JournalSource) {
  return [prefix, "node", source].join(separator);
}

/** Settings that decide whether the journal can be collected. */
interface JournalSettings {
  readonly sources: readonly Source[];
  readonly mode: "daemonset" | "sidecar";
  readonly destinations?: object | undefined;
  /** Whether lines are changed or dropped on their way. */
  readonly processes: boolean;
}

/** Why the sources cannot be collected as they are set. Paths are below `logging`. */
export function sourceIssues(
  { sources, mode, destinations, processes }: JournalSettings,
  { title, readsJournal = false }: { readonly title: string; readonly readsJournal?: boolean },
): SettingsIssue[] {
  const path = ["sources"];
  if (!sources.includes("pods")) return [{ path, message: "must contain pods", value: sources }];
  if (journalSources(sources).length === 0) return [];
  const only = (reason: string): SettingsIssue[] => [{ path, message: `must be only pods ${reason}`, value: sources }];
  if (!readsJournal) return only(`with ${title}, which does not read the journal here: set collector Fluent Bit`);
  if (mode === "sidecar") return only("with mode sidecar, which reads no files of the node");
  if (destinations !== undefined) return only("with destinations: set destination");
  if (processes) return only("with processing, which is for the lines of pods");
  return [];
}
