import type { CollectorId } from "../../logging/settings.ts";

/** Subjects of alerts, which are also the runbook pages. */
export const ALERT_GROUPS = ["coredns", "nodelocal-dns", "collector", "platform", "canary"] as const;
export type AlertGroup = (typeof ALERT_GROUPS)[number];

/** The properties of a stack on which its alerts depend. */
export interface WatchedStack {
  /** CoreDNS; undefined if the stack has none, or no pods of it. */
  readonly coredns:
    | {
        /** Whether this stack manages its pods and Corefile. */
        readonly managed: boolean;
        /** Its pods' namespace. */
        readonly namespace: string;
        /** Labels that select its pods. */
        readonly labels: Readonly<Record<string, string>>;
        /** Names of its Deployment, of its container, and of the ConfigMap with its Corefile. */
        readonly deployment: string;
        readonly container: string;
        readonly configMap: string;
        /** Desired pods; undefined if an autoscaler or another owner decides. */
        readonly replicas: number | undefined;
        /** Memory limit of a pod in bytes; undefined if another owner decides. */
        readonly memoryLimit: number | undefined;
        /** Addresses with port that it may forward to; undefined if only the node knows them. */
        readonly upstreams: readonly string[] | undefined;
        /** Ports of its Corefile for queries. */
        readonly ports: readonly number[];
      }
    | undefined;
  readonly nodeLocalCache: boolean;
  /** The collector on each node; undefined for none, and for a sidecar. */
  readonly collector: CollectorId | undefined;
  /** Metrics ports of its containers that each send to one of several destinations. */
  readonly senderPorts: readonly number[];
  /** The pod that reads Kubernetes events, with the metrics ports of its containers; undefined for none. */
  readonly eventReader: { readonly ports: readonly number[] } | undefined;
  readonly inClusterOpenSearch: boolean;
  /** Namespace of the collectors. */
  readonly loggingNamespace: string;
  /** Namespaces with a quota. */
  readonly namespaces: readonly string[];
  /** The canary, and whether it can read its lines' destination. */
  readonly canary: { readonly readsLines: boolean } | undefined;
  /** Whether kube-state-metrics is scraped. */
  readonly kubeStateMetrics: boolean;
}

/** Test series by selector: values, one per minute in promtool's notation, with which a condition fires after twenty minutes, or stays quiet. */
export type Series = Readonly<Record<string, { readonly fires?: string; readonly quiet?: string }>>;

/** A query that raises an alert, with series for which it does and does not. */
export interface Condition {
  /** PromQL. `LOGGING_NAMESPACE` is a placeholder for the namespace of the collectors, as in `series`. */
  readonly expr: string;
  /** How long it must hold first, such as `5m`. */
  readonly for: string;
  /** The series that it reads. Those for which it stays quiet are close to its threshold. */
  readonly series: Series;
}

/** A row of the alert table, from which rules, tests, dashboards and runbooks are generated. */
export interface Alert {
  /** Name of the rule, and heading of its runbook. */
  readonly name: string;
  readonly group: AlertGroup;
  /** `critical` pages someone; `warning` can wait until morning. */
  readonly severity: "critical" | "warning";
  /** What users notice, in one sentence; may have Prometheus templates. */
  readonly summary: string;
  readonly cause: string;
  /** What to do; each is a sentence or a command in backticks. */
  readonly steps: readonly string[];
  /** Alerts that explain this one, which stays quiet while one of them holds. @default none */
  readonly explainedBy?: readonly string[];
  /** The condition on a stack; undefined if the stack lacks its subject. */
  readonly condition: (stack: WatchedStack) => Condition | undefined;
  /** The same condition in CloudWatch; undefined if impossible. */
  readonly cloudwatch?: CloudWatchCondition;
}

/** A value in CloudWatch that raises an alarm. */
interface Threshold {
  readonly comparison: "below" | "above";
  /** For lines: per minute. */
  readonly threshold: number;
  readonly minutes: number;
  /** How many of these minutes it must hold. @default all */
  readonly datapoints?: number;
}

/** What CloudWatch can watch: a metric of Container Insights or CloudWatch Logs, or lines in the pods' log group. */
export type CloudWatchCondition =
  | ({
      readonly kind: "insights";
      /** Metric of the namespace ContainerInsights. */
      readonly metric: string;
      /** Dimensions besides the cluster's name. `COREDNS_NAMESPACE`, `COREDNS`, `LOGGING_NAMESPACE` and `COLLECTOR` are placeholders for the stack's names. */
      readonly dimensions: Readonly<Record<string, string>>;
      readonly statistic: "Minimum" | "Maximum" | "Average" | "Sum";
    } & Threshold)
  | ({
      readonly kind: "lines";
      /** Pattern of a metric filter. */
      readonly pattern: string;
      /** A line that it matches. */
      readonly line: string;
    } & Threshold)
  | { readonly kind: "incoming"; readonly minutes: number };

/** Conditions to detect in each collector's metrics. */
export const SIGNALS = [
  "dropped",
  "failing",
  "filling",
  "unreadable",
  "silent",
  "refused",
  "rotating",
  "stuck",
] as const;
export type Signal = (typeof SIGNALS)[number];

/** A collector's metrics, and for each signal a condition, or the reason why there is none. */
export interface CollectorMetrics {
  /** Path at its port `metrics`; undefined if it has no metrics that Prometheus can read. */
  readonly path: string | undefined;
  /** A series that each of its pods has while it answers. */
  readonly alive: string | undefined;
  readonly signals: Readonly<Record<Signal, Condition | string>>;
}
