import type { IndexFormat } from "../indexing/index-format.ts";
import { folderOf } from "../indexing/team-places.ts";

/** What can be collected: pods' files, and parts of the node's journal. */
export const SOURCES = ["pods", "kubelet", "containerd", "kernel", "auth"] as const;
export type Source = (typeof SOURCES)[number];
export type JournalSource = Exclude<Source, "pods">;

/** Folder of the journal on a node that keeps it across restarts, as those of EKS do. */
export const JOURNAL_FOLDER = "/var/log/journal";

/** Stands before the source in the names of its indices and objects. */
export const NODE_PART = "node";

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

/** Names of a source's own indices: those of the pods with `node` and the source after the prefix. */
export function sourceIndex(index: IndexFormat, source: JournalSource): IndexFormat {
  return { ...index, prefix: [index.prefix, NODE_PART, source].join(index.separator), splitBy: "none" };
}

/** First part of the keys of a source's objects in S3. */
export function sourcePlace(prefix: string, source: JournalSource): string {
  return `${folderOf(prefix)}${NODE_PART}/${source}`;
}
