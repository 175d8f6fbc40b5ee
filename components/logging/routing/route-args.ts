/**
 * What to collect: pods' files, parts of the node's journal, events of the Kubernetes API, and the audit log of an EKS control plane.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/
 */
export type SourceName = "pods" | "kubelet" | "containerd" | "kernel" | "auth" | "events" | "audit" | "auto-mode";

/**
 * Sends lines that meet all conditions to some of several destinations.
 * @example { to: ["siem"], sources: ["auth", "events"] }
 */
export interface RouteArgs {
  /** Names of the destinations. */
  readonly to: readonly string[];
  /** Teams whose namespaces' lines go there. @default all lines */
  readonly teams?: readonly string[];
  /** Namespaces whose lines go there. @default all */
  readonly namespaces?: readonly string[];
  /** Only lines of pods with all these labels. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Sources whose lines go there. @default all, or pods if another condition is set */
  readonly sources?: readonly SourceName[];
  /** Streams whose lines go there. @default both */
  readonly streams?: readonly ("stdout" | "stderr")[];
  /** Levels of JSON lines, by their `level` or `severity`. @default all lines */
  readonly levels?: readonly ("trace" | "debug" | "info" | "warn" | "error" | "fatal")[];
}
