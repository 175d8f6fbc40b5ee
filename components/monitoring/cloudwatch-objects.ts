import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost } from "../aws/partition.ts";
import { isUnknown } from "../logging/destinations/destination-values.ts";
import type { LoggingSettings } from "../logging/settings.ts";
import { isOutput } from "../schema/arguments.ts";
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
 * @param resolve Adds the values to the log collection's settings that are known only during deployment, such as the name of a log group.
 * @returns the names of the alerts.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-enhanced-EKS.html
 */
export function makeAlarms(
  name: string,
  { settings, parts, stack }: Watched,
  resolve: (logging: LoggingSettings) => pulumi.Output<LoggingSettings> | undefined,
  cluster: WatchedCluster,
  options: pulumi.CustomResourceOptions,
): string[] {
  const alarmsFor = (watched: typeof parts) =>
    alarmsOf(stack, { cluster: cluster.name, logGroupOf: logGroupsOf(watched, cluster.name) });
  const alarms = alarmsFor(parts);
  const logging = isUnknown(alarms.map(logGroupOf).join()) && parts.logging ? resolve(parts.logging) : undefined;
  const known = logging?.apply((resolved) => alarmsFor({ ...parts, logging: resolved })) ?? alarms;
  for (const [index, alarm] of alarms.entries()) {
    const logGroup = isOutput(known) ? known.apply((all) => logGroupOf(all[index])) : logGroupOf(alarm);
    if (alarm.filter !== undefined)
      new aws.cloudwatch.LogMetricFilter(
        `${name}-${alarm.alert.name}-lines`,
        {
          name: `${cluster.name}-${alarm.alert.name}`,
          logGroupName: logGroup,
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
    new aws.cloudwatch.MetricAlarm(
      `${name}-${alarm.alert.name}`,
      alarmArgs(alarm, logGroup, cluster, settings),
      options,
    );
  }
  new aws.cloudwatch.Dashboard(
    `${name}-dashboard`,
    {
      dashboardName: dashboardName(cluster.name, cluster.region),
      dashboardBody: dashboardBody(known, cluster),
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

/** The log group whose lines an alarm counts; empty for none. */
function logGroupOf(alarm: Alarm | undefined): string {
  return alarm?.filter?.logGroup ?? alarm?.metric.dimensions.LogGroupName ?? "";
}

/** Dimensions with the names of the cluster in EKS and of the log group, which may be outputs. */
function dimensionsIn<T>({ dimensions }: CloudWatchMetric, clusterName: T, logGroup: T): Record<string, string | T> {
  return {
    ...dimensions,
    ...("ClusterName" in dimensions ? { ClusterName: clusterName } : {}),
    ...("LogGroupName" in dimensions ? { LogGroupName: logGroup } : {}),
  };
}

function dashboardBody(
  alarms: pulumi.Input<readonly Alarm[]>,
  { clusterName, region }: WatchedCluster,
): pulumi.Input<string> {
  const bodyFor = (clusterName: string, known: readonly Alarm[]) => {
    const named = known.map((alarm) => {
      const dimensions = dimensionsIn(alarm.metric, clusterName, logGroupOf(alarm));
      return { ...alarm, metric: { ...alarm.metric, dimensions } };
    });
    return JSON.stringify(cloudWatchDashboard(named, region));
  };
  return typeof clusterName === "string" && !isOutput(alarms)
    ? bodyFor(clusterName, alarms)
    : pulumi.all([clusterName, pulumi.output(alarms)]).apply(([named, known]) => bodyFor(named, known));
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
  logGroup: pulumi.Input<string>,
  cluster: WatchedCluster,
  { alarmActions, runbookUrl }: MonitoringSettings,
): aws.cloudwatch.MetricAlarmArgs {
  return {
    name: `${cluster.name}-${alert.name}`,
    alarmDescription: alarmDescription(alert, runbookUrl),
    namespace: metric.namespace,
    metricName: metric.metricName,
    dimensions: dimensionsIn(metric, cluster.clusterName, logGroup),
    statistic: metric.statistic,
    comparisonOperator: comparison,
    threshold,
    period: 60,
    evaluationPeriods: periods,
    datapointsToAlarm: datapoints,
    treatMissingData: missing,
    alarmActions: [...alarmActions],
    okActions: alarmActions.filter(notifiesWhenOver),
    tags: { ...cluster.tags },
  };
}
