import type { Alert, CloudWatchCondition, WatchedStack } from "./alert.ts";
import { alertsOf } from "./alerts/index.ts";
import { runbookOf } from "./prometheus-rules.ts";

const MINUTE = 60;
/** Namespace of the metrics that are counted from lines: each cluster of an account has its own. */
const linesNamespace = (cluster: string) => `eks-dns-logging/${cluster}`;

/** What the alarms look at. */
export interface CloudWatchContext {
  /** Name of the EKS cluster, as Container Insights writes it. */
  readonly cluster: string;
  readonly logGroupOf: LogGroupOf;
}

/**
 * The log group that takes the lines of a pod; undefined where they go elsewhere.
 * @param line One that must not be dropped on the way. Default: none.
 */
export type LogGroupOf = (pod: "coredns" | "canary", line?: string) => string | undefined;

/** A metric of CloudWatch. */
export interface CloudWatchMetric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Minimum" | "Maximum" | "Average" | "Sum";
}

/** An alarm, with the filter of lines that feeds it. */
export interface Alarm {
  readonly alert: Alert;
  readonly metric: CloudWatchMetric;
  readonly comparison: "LessThanThreshold" | "GreaterThanThreshold";
  readonly threshold: number;
  readonly periods: number;
  /** What no data means: a metric that stopped is a fault, a line that did not come is none. */
  readonly missing: "breaching" | "notBreaching";
  /** Periods among these in which it must hold; undefined for all. */
  readonly datapoints: number | undefined;
  /** A metric filter that feeds it. */
  readonly filter: { readonly pattern: string; readonly logGroup: string } | undefined;
}

/** The alarms of a stack: the alerts that CloudWatch can see. */
export function alarmsOf(stack: WatchedStack, context: CloudWatchContext): Alarm[] {
  // An alarm on the log group sees the canary's lines there.
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
      // A group of some namespaces alone may be quiet: the canary's lines come every minute.
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

/** Dimensions with the names that CoreDNS and the collector have in a stack. */
function namedDimensions(dimensions: Readonly<Record<string, string>>, { coredns, collector }: WatchedStack) {
  const names: Readonly<Record<string, string | undefined>> = {
    COLLECTOR: collector,
    COREDNS: coredns?.deployment,
    COREDNS_NAMESPACE: coredns?.namespace,
  };
  return Object.fromEntries(Object.entries(dimensions).map(([key, value]) => [key, names[value] ?? value]));
}

/** Description of an alarm. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
export function alarmDescription(alert: Alert, runbookUrl: string | undefined): string {
  return `${alert.severity}: ${alert.cause} Runbook: ${runbookOf(alert, runbookUrl)}`;
}

/** Characters of an alarm's description, at most. */
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
 * Name of a cluster's dashboard. All regions have the same dashboards: without its own, a second cluster of that name would write over the first
 * one's.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
 */
export function dashboardName(cluster: string, region: string): string {
  return `${cluster}-${region}-dns-logging`.replaceAll(/[^\w-]/g, "-");
}

/**
 * A dashboard with one graph for each alarm.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function cloudWatchDashboard(alarms: readonly Alarm[], region: string): object {
  return {
    widgets: alarms.map(({ alert, metric, threshold }, at) => ({
      type: "metric",
      x: (at % 2) * 12,
      y: Math.floor(at / 2) * 6,
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
