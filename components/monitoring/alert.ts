import type { CollectorId } from "../logging/settings.ts";

/** What an alert is about, and the page of its runbook. */
export const ALERT_GROUPS = ["coredns", "nodelocal-dns", "collector", "platform", "canary"] as const;
export type AlertGroup = (typeof ALERT_GROUPS)[number];

/** What a stack has, as far as its alerts depend on it. */
export interface WatchedStack {
  /** CoreDNS: undefined where the stack has none, or where it has no pods. */
  readonly coredns:
    | {
        /** Whether this stack decides on its pods and Corefile. */
        readonly managed: boolean;
        /** Where its pods are. */
        readonly namespace: string;
        /** Labels that select its pods. */
        readonly labels: Readonly<Record<string, string>>;
        /** Names of its Deployment, of the container in its pods, and of the ConfigMap with its Corefile. */
        readonly deployment: string;
        readonly container: string;
        readonly configMap: string;
        /** Pods that should run; undefined where an autoscaler or somebody else decides. */
        readonly replicas: number | undefined;
        /** Memory limit of a pod in bytes; undefined where somebody else decides. */
        readonly memoryLimit: number | undefined;
        /** Addresses with port that it may forward to; undefined where they are known on the node alone. */
        readonly upstreams: readonly string[] | undefined;
        /** Ports at which its Corefile answers queries. */
        readonly ports: readonly number[];
      }
    | undefined;
  readonly nodeLocalCache: boolean;
  /** The collector on each node; undefined for none, and for one that runs as a sidecar. */
  readonly collector: CollectorId | undefined;
  /** Ports of the metrics of its containers that send to one of several destinations each. */
  readonly senderPorts: readonly number[];
  /** The pod that reads Kubernetes events, with the ports of the metrics of its containers; undefined for none. */
  readonly eventReader: { readonly ports: readonly number[] } | undefined;
  readonly inClusterOpenSearch: boolean;
  /** Namespaces with a quota. */
  readonly namespaces: readonly string[];
  /** The canary, and whether it can read where its lines go. */
  readonly canary: { readonly readsLines: boolean } | undefined;
  /** Whether kube-state-metrics is scraped. */
  readonly kubeStateMetrics: boolean;
}

/** A series of a test: selector to values, one a minute, in promtool's notation. */
export type Series = Readonly<Record<string, string>>;

/** One query that raises an alert, with series that do and others that do not. */
export interface Condition {
  /** PromQL. */
  readonly expr: string;
  /** How long it must hold, such as `5m`. */
  readonly for: string;
  /** Series with which it fires twenty minutes after their beginning. */
  readonly fires: Series;
  /** Series with which it stays quiet then, close to the threshold. */
  readonly quiet: Series;
}

/** One row of the table of alerts: rules, tests, dashboards and runbooks are made from it. */
export interface Alert {
  /** Name of the rule, and heading of its runbook. */
  readonly name: string;
  readonly group: AlertGroup;
  /** `critical` wakes somebody up; `warning` can wait for the morning. */
  readonly severity: "critical" | "warning";
  /** What a person sees, in one sentence. May have Prometheus's templates. */
  readonly summary: string;
  readonly cause: string;
  /** What to do, each a sentence or a command in backticks. */
  readonly steps: readonly string[];
  /** Alerts that explain this one: while one of them holds, this one stays quiet. @default none */
  readonly explainedBy?: readonly string[];
  /** The condition on a stack; undefined where the stack lacks what it is about. */
  readonly condition: (stack: WatchedStack) => Condition | undefined;
  /** How the same is seen in CloudWatch; undefined where it cannot be. */
  readonly cloudwatch?: CloudWatchCondition;
}

/** What CloudWatch knows: a metric of Container Insights or of CloudWatch Logs, or lines of the pods' log group. */
export type CloudWatchCondition =
  | {
      readonly kind: "insights";
      /** Metric of the namespace ContainerInsights. */
      readonly metric: string;
      /** Dimensions beside the cluster's name. `COREDNS_NAMESPACE`, `COREDNS` and `COLLECTOR` stand for the names in the stack. */
      readonly dimensions: Readonly<Record<string, string>>;
      readonly statistic: "Minimum" | "Maximum" | "Average" | "Sum";
      readonly comparison: "below" | "above";
      readonly threshold: number;
      readonly minutes: number;
      /** Minutes among these in which it must hold. @default all */
      readonly datapoints?: number;
    }
  | {
      readonly kind: "lines";
      /** Pattern of a metric filter. */
      readonly pattern: string;
      /** A line that it matches. */
      readonly line: string;
      readonly comparison: "below" | "above";
      /** Lines in a minute. */
      readonly threshold: number;
      readonly minutes: number;
      /** Minutes among these in which it must hold. @default all */
      readonly datapoints?: number;
    }
  | { readonly kind: "incoming"; readonly minutes: number };

/** What is asked of each collector's metrics. */
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

/** Where a collector's metrics are, and what they say: a condition, or in words why they cannot. */
export interface CollectorMetrics {
  /** Path of its metrics at its port `metrics`; undefined where it has none that Prometheus reads. */
  readonly path: string | undefined;
  /** A series that each of its pods has as long as it answers. */
  readonly alive: string | undefined;
  readonly signals: Readonly<Record<Signal, Condition | string>>;
}
