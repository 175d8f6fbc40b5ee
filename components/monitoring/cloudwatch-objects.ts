import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost } from "../aws/partition.ts";
import {
  type Alarm,
  alarmDescription,
  alarmsOf,
  type CloudWatchMetric,
  cloudWatchDashboard,
  dashboardName,
} from "./cloudwatch-alarms.ts";
import type { MonitoringSettings } from "./settings.ts";
import { logGroupsOf, type Watched } from "./watched-stack.ts";

/**
 * CloudWatch alarms, metric filters for some of them, and a dashboard. Alarms on pods need Container Insights, from the add-on
 * amazon-cloudwatch-observability.
 * @returns the names of the alerts.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-enhanced-EKS.html
 */
export function makeAlarms(
  name: string,
  { settings, parts, stack }: Watched,
  cluster: WatchedCluster,
  options: pulumi.CustomResourceOptions,
): string[] {
  const alarms = alarmsOf(stack, { cluster: cluster.name, logGroupOf: logGroupsOf(parts, cluster.name) });
  for (const alarm of alarms) {
    if (alarm.filter !== undefined)
      new aws.cloudwatch.LogMetricFilter(
        `${name}-${alarm.alert.name}-lines`,
        {
          name: `${cluster.name}-${alarm.alert.name}`,
          logGroupName: alarm.filter.logGroup,
          pattern: alarm.filter.pattern,
          metricTransformation: {
            namespace: alarm.metric.namespace,
            name: alarm.metric.metricName,
            value: "1",
            defaultValue: "0",
          },
        },
        options,
      );
    new aws.cloudwatch.MetricAlarm(`${name}-${alarm.alert.name}`, alarmArgs(alarm, cluster, settings), options);
  }
  new aws.cloudwatch.Dashboard(
    `${name}-dashboard`,
    {
      dashboardName: dashboardName(cluster.name, cluster.region),
      dashboardBody: dashboardBody(alarms, cluster),
    },
    options,
  );
  return alarms.map(({ alert }) => alert.name);
}

/** The cluster that alarms watch. */
type WatchedCluster = Pick<PodIdentityHost, "clusterName" | "region" | "tags"> & {
  /** Name prefix of its alarms: the cluster's name, or its component's if that is an output. */
  readonly name: string;
};

/** Dimensions with the cluster's name in EKS, which may be an output. */
function dimensionsIn<T>({ dimensions }: CloudWatchMetric, clusterName: T): Record<string, string | T> {
  return "ClusterName" in dimensions ? { ...dimensions, ClusterName: clusterName } : { ...dimensions };
}

function dashboardBody(alarms: readonly Alarm[], { clusterName, region }: WatchedCluster): pulumi.Input<string> {
  const bodyFor = (clusterName: string) => {
    const named = alarms.map((alarm) => {
      const dimensions = dimensionsIn(alarm.metric, clusterName);
      return { ...alarm, metric: { ...alarm.metric, dimensions } };
    });
    return JSON.stringify(cloudWatchDashboard(named, region));
  };
  return typeof clusterName === "string" ? bodyFor(clusterName) : pulumi.output(clusterName).apply(bodyFor);
}

/**
 * Whether to run an action also when an alarm is over. An investigation, OpsItem or incident is only wanted when it starts, and a scaling
 * policy would scale again.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
 */
function notifiesWhenOver(arn: string): boolean {
  return ["sns", "lambda"].includes(arn.split(":")[2] ?? "");
}

function alarmArgs(
  { alert, metric, comparison, threshold, periods, datapoints, missing }: Alarm,
  cluster: WatchedCluster,
  { alarmActions, runbookUrl }: MonitoringSettings,
): aws.cloudwatch.MetricAlarmArgs {
  return {
    name: `${cluster.name}-${alert.name}`,
    alarmDescription: alarmDescription(alert, runbookUrl),
    namespace: metric.namespace,
    metricName: metric.metricName,
    dimensions: dimensionsIn(metric, cluster.clusterName),
    statistic: metric.statistic,
    comparisonOperator: comparison,
    threshold,
    period: 60,
    evaluationPeriods: periods,
    ...(datapoints === undefined ? {} : { datapointsToAlarm: datapoints }),
    treatMissingData: missing,
    alarmActions: [...alarmActions],
    okActions: alarmActions.filter(notifiesWhenOver),
    tags: { ...cluster.tags },
  };
}
