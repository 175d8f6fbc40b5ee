/**
 * What is collected: pods' files, parts of the node's journal, the events of the Kubernetes API, and the audit log of an EKS control plane.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/
 */
export type SourceName = "pods" | "kubelet" | "containerd" | "kernel" | "auth" | "events" | "audit" | "auto-mode";

/**
 * Which lines go to which of several destinations: those that meet each condition.
 * @example { to: ["siem"], sources: ["auth", "events"] }
 */
export interface RouteArgs {
  /** Names of the destinations. */
  readonly to: readonly string[];
  /** Teams whose namespaces' lines go there. @default all lines */
  readonly teams?: readonly string[];
  /** Namespaces whose lines go there. @default all */
  readonly namespaces?: readonly string[];
  /** Labels that a line's pod must have, all of them. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Sources whose lines go there. @default all, or pods where another condition is set */
  readonly sources?: readonly SourceName[];
  /** Streams whose lines go there. @default both */
  readonly streams?: readonly ("stdout" | "stderr")[];
  /** Levels of JSON lines, by their `level` or `severity`. @default all lines */
  readonly levels?: readonly ("trace" | "debug" | "info" | "warn" | "error" | "fatal")[];
}
