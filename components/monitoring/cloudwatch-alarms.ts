import type { Alert, CloudWatchCondition, WatchedStack } from "./alerts/alert.ts";
import { alertsOf, runbookOf } from "./alerts/alert-table.ts";
import { LOGGING_PLACEHOLDER } from "./alerts/expressions.ts";

const MINUTE = 60;
/** Namespace of metrics counted from lines; each cluster in an account has its own. */
const linesNamespace = (cluster: string) => `eks-dns-logging/${cluster}`;

/** What alarms watch. */
export interface CloudWatchContext {
  /** Name of the EKS cluster in Container Insights. */
  readonly cluster: string;
  readonly logGroupOf: LogGroupOf;
}

/**
 * The log group for a pod's lines; undefined if they go elsewhere.
 * @param line A line that must not be dropped. Default: none.
 */
export type LogGroupOf = (pod: "coredns" | "canary", line?: string) => string | undefined;

/** A CloudWatch metric. */
export interface CloudWatchMetric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Minimum" | "Maximum" | "Average" | "Sum";
}

/** An alarm, with its metric filter. */
export interface Alarm {
  readonly alert: Alert;
  readonly metric: CloudWatchMetric;
  readonly comparison: "LessThanThreshold" | "GreaterThanThreshold";
  readonly threshold: number;
  readonly periods: number;
  /** What missing data means: a fault for a stopped metric, none for an absent line. */
  readonly missing: "breaching" | "notBreaching";
  /** How many of these periods it must hold; undefined for all. */
  readonly datapoints: number | undefined;
  /** A metric filter that feeds it. */
  readonly filter: { readonly pattern: string; readonly logGroup: string } | undefined;
}

/** The alarms of a stack: the alerts that CloudWatch can raise. */
export function alarmsOf(stack: WatchedStack, context: CloudWatchContext): Alarm[] {
  // An alarm on the log group counts the canary's lines.
  const canary = stack.canary && { readsLines: stack.canary.readsLines || context.logGroupOf("canary") !== undefined };
  const whole = { ...stack, canary, kubeStateMetrics: true };
  return alertsOf(whole).flatMap(({ alert }) => {
    const { cloudwatch } = alert;
    const alarm = cloudwatch === undefined ? undefined : alarmOf(alert, cloudwatch, whole, context);
    return alarm === undefined ? [] : [alarm];
  });
}

function alarmOf(
  alert: Alert,
  seen: CloudWatchCondition,
  stack: WatchedStack,
  { cluster, logGroupOf }: CloudWatchContext,
): Alarm | undefined {
  switch (seen.kind) {
    case "insights":
      return {
        alert,
        metric: {
          namespace: "ContainerInsights",
          metricName: seen.metric,
          dimensions: { ClusterName: cluster, ...namedDimensions(seen.dimensions, stack) },
          statistic: seen.statistic,
        },
        ...comparisonOf(seen),
        periods: seen.minutes,
        datapoints: seen.datapoints,
        filter: undefined,
      };
    case "lines": {
      const logGroup = logGroupOf(alert.group === "canary" ? "canary" : "coredns", seen.line);
      if (logGroup === undefined) return undefined;
      return {
        alert,
        metric: { namespace: linesNamespace(cluster), metricName: alert.name, dimensions: {}, statistic: "Sum" },
        ...comparisonOf(seen),
        periods: seen.minutes,
        datapoints: seen.datapoints,
        filter: { pattern: seen.pattern, logGroup },
      };
    }
    case "incoming": {
      // A group for only some namespaces may be quiet; the canary's lines come every minute.
      const logGroup = logGroupOf(stack.canary === undefined ? "coredns" : "canary");
      if (logGroup === undefined) return undefined;
      return {
        alert,
        metric: {
          namespace: "AWS/Logs",
          metricName: "IncomingLogEvents",
          dimensions: { LogGroupName: logGroup },
          statistic: "Sum",
        },
        ...comparisonOf({ comparison: "below", threshold: 1 }),
        periods: seen.minutes,
        datapoints: undefined,
        filter: undefined,
      };
    }
  }
}

/** Dimensions with the stack's names of CoreDNS and the collector. */
function namedDimensions(
  dimensions: Readonly<Record<string, string>>,
  { coredns, collector, loggingNamespace }: WatchedStack,
) {
  const names: Readonly<Record<string, string | undefined>> = {
    COLLECTOR: collector,
    [LOGGING_PLACEHOLDER]: loggingNamespace,
    COREDNS: coredns?.deployment,
    COREDNS_NAMESPACE: coredns?.namespace,
  };
  return Object.fromEntries(Object.entries(dimensions).map(([key, value]) => [key, names[value] ?? value]));
}

/** Description of an alarm. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
export function alarmDescription(alert: Alert, runbookUrl: string | undefined): string {
  return `${alert.severity}: ${alert.cause} Runbook: ${runbookOf(alert, runbookUrl)}`;
}

/** In characters. */
export const MAX_DESCRIPTION_LENGTH = 1024;

function comparisonOf({ comparison, threshold }: { comparison: "below" | "above"; threshold: number }) {
  return comparison === "below"
    ? { comparison: "LessThanThreshold" as const, threshold, missing: "breaching" as const }
    : { comparison: "GreaterThanThreshold" as const, threshold, missing: "notBreaching" as const };
}

/** The alerts of a stack that CloudWatch cannot raise, by name. */
export function unseenByCloudWatch(stack: WatchedStack, context: CloudWatchContext): string[] {
  const seen = new Set(alarmsOf(stack, context).map(({ alert }) => alert.name));
  return alertsOf(stack).flatMap(({ alert }) => (seen.has(alert.name) ? [] : [alert.name]));
}

/**
 * Name of a cluster's dashboard. It has the region, since dashboards are global: clusters of the same name would overwrite each other's.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
 */
export function dashboardName(cluster: string, region: string): string {
  return `${cluster}-${region}-dns-logging`.replaceAll(/[^\w-]/g, "-");
}

/**
 * A dashboard with one graph per alarm.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function cloudWatchDashboard(alarms: readonly Alarm[], region: string): object {
  return {
    widgets: alarms.map(({ alert, metric, threshold }, index) => ({
      type: "metric",
      x: (index % 2) * 12,
      y: Math.floor(index / 2) * 6,
      width: 12,
      height: 6,
      properties: {
        title: alert.name,
        region,
        view: "timeSeries",
        period: MINUTE,
        stat: metric.statistic,
        metrics: [[metric.namespace, metric.metricName, ...Object.entries(metric.dimensions).flat()]],
        annotations: { horizontal: [{ label: alert.severity, value: threshold }] },
      },
    })),
  };
}
