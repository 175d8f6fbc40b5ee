import { folderOf } from "../../aws/names.ts";
import type { IndexFormat } from "../indexing/index-format.ts";

/**
 * Sources of logs: pods' files, parts of the node's journal, events of the Kubernetes API, the audit log of an EKS control plane, and
 * the logs of EKS Auto Mode's components.
 */
export const SOURCES = ["pods", "kubelet", "containerd", "kernel", "auth", "events", "audit", "auto-mode"] as const;
export type Source = (typeof SOURCES)[number];
/** A source whose lines have their own names in each destination. */
export type OwnSource = Exclude<Source, "pods">;
/** A source that AWS delivers, so that no collector reads it. */
export type AwsSource = "audit" | "auto-mode";
export type JournalSource = Exclude<OwnSource, "events" | AwsSource>;

/** Folder of the journal on nodes that keep it across restarts, as EKS nodes do. */
export const JOURNAL_FOLDER = "/var/log/journal";

/** Origin of a source; precedes it in the names of its indices and objects. */
export function placeOfSource(source: OwnSource): "node" | "cluster" {
  return isJournal(source) ? "node" : "cluster";
}

/** Fields, one of which an entry must have. @see https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html */
export const JOURNAL_FIELDS: Readonly<Record<JournalSource, readonly string[]>> = {
  kubelet: ["_SYSTEMD_UNIT=kubelet.service"],
  containerd: ["_SYSTEMD_UNIT=containerd.service"],
  kernel: ["_TRANSPORT=kernel"],
  // Syslog facilities auth and authpriv.
  auth: ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"],
};

/** Keys of a journal record besides its line. */
export const JOURNAL_KEYS: readonly string[] = ["unit", "identifier", "priority", "pid", "source", "node"];

/** Keys of an event record besides its line. @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const EVENT_KEYS: readonly string[] = [
  ...["involvedObject", "reason", "type", "count", "firstTimestamp", "lastTimestamp", "eventTime", "series"],
  ...["action", "related", "reportingComponent", "reportingInstance", "reporter", "source", "metadata"],
];

/** The journal sources among these, each once, in a fixed order. */
export function journalSources(sources: readonly Source[]): JournalSource[] {
  return ownSources(sources).filter(isJournal);
}

function isJournal(source: Source): source is JournalSource {
  return source in JOURNAL_FIELDS;
}

/** Whether the collector on each node reads a source. */
export function isOnNode(source: Source): boolean {
  return source === "pods" || isJournal(source);
}

/** Whether AWS delivers a source from the control plane, bypassing the collector. */
export function isFromAws(source: Source): source is AwsSource {
  return source === "audit" || source === "auto-mode";
}

/** All sources except pods, each once, in a fixed order. */
export function ownSources(sources: readonly Source[]): OwnSource[] {
  return SOURCES.filter((source): source is OwnSource => source !== "pods" && sources.includes(source));
}

/** Format of a source's own indices: that of pods with origin and source after the prefix. */
export function sourceIndex(index: IndexFormat, source: OwnSource): IndexFormat {
  return { ...index, prefix: [index.prefix, placeOfSource(source), source].join(index.separator), splitBy: "none" };
}

/** First part of a source's object keys in S3. */
export function sourcePlace(prefix: string, source: OwnSource): string {
  return `${folderOf(prefix)}${placeOfSource(source)}/${source}`;
}

/** Name of the log group that a control plane writes to. @see https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html */
export function controlPlaneGroup(cluster: string): string {
  return `/aws/eks/${cluster}/cluster`;
}
