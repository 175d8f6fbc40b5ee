import { isDeepStrictEqual } from "node:util";
import { CLUSTER_DOMAIN } from "eks-dns-logging-corefile";
import { partitionOf } from "../aws/partition.ts";
import { corefileText } from "../dns/corefile-rendering.ts";
import { clusterDomainOf } from "../dns/resolver.ts";
import { coreDnsPods, namespacesOf, type TeamNamespaces, USUAL_CORE_DNS_PODS } from "../kubernetes/labels.ts";
import { COLLECTORS } from "../logging/collectors/index.ts";
import type { SettingsIssue } from "../schema/errors.ts";
import { COLLECTOR_METRICS } from "./alerts/collector-signals.ts";
import {
  type Alarm,
  alarmDescription,
  alarmsOf,
  MAX_DESCRIPTION_LENGTH,
  unseenByCloudWatch,
} from "./cloudwatch-alarms.ts";
import { CANARY_NAMESPACE, COREDNS_METRICS_PORT } from "./scrape-targets.ts";
import { MonitoringSettings } from "./settings.ts";
import { canaryDestination, logGroupsOf, type Parts, servesMetrics, watchedStack } from "./watched-stack.ts";

const DEFAULTS = MonitoringSettings.parse({});

/** Warnings for changed settings that have no effect with their kind. */
function unusedSettings(settings: MonitoringSettings): SettingsIssue[] {
  const { kind, canary, prometheus, alarmActions, runbookUrl } = settings;
  const changed = (value: unknown, byDefault: unknown) => !isDeepStrictEqual(value, byDefault);
  const inCluster = "has no effect unless kind is prometheus-operator or annotations";
  const unused: readonly (readonly [boolean, readonly string[], string])[] = [
    [kind !== "cloudwatch" && alarmActions.length > 0, ["alarmActions"], "has no effect unless kind is cloudwatch"],
    [kind === "none" && changed(canary, DEFAULTS.canary), ["canary"], "has no effect while kind is none"],
    [kind === "none" && runbookUrl !== undefined, ["runbookUrl"], "has no effect while kind is none"],
    [
      kind !== "none" && !canary.enabled && changed({ ...canary, enabled: true }, DEFAULTS.canary),
      ["canary"],
      "has no effect while enabled is false",
    ],
    [(kind === "none" || kind === "cloudwatch") && changed(prometheus, DEFAULTS.prometheus), ["prometheus"], inCluster],
    [
      kind === "annotations" && prometheus.interval !== DEFAULTS.prometheus.interval,
      ["prometheus", "interval"],
      "has no effect unless kind is prometheus-operator: set it in your Prometheus",
    ],
  ];
  return unused.flatMap(([holds, path, message]) =>
    holds ? [{ path: [...path], message, severity: "warning" as const }] : [],
  );
}

/** The canary needs its own namespace: its network policy applies to all pods there. */
function canaryNamespaceIssues(
  { kind, prometheus }: MonitoringSettings,
  { teams, dns, logging }: Parts,
): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  if (logging?.namespace === CANARY_NAMESPACE)
    issues.push({
      path: ["canary", "enabled"],
      message: `must be false while logging.namespace is ${CANARY_NAMESPACE}`,
      value: true,
    });
  if (coreDnsPods(dns).namespace === CANARY_NAMESPACE)
    issues.push({
      path: ["canary", "enabled"],
      message: `must be false while dns.adopt.namespace is ${CANARY_NAMESPACE}`,
      value: true,
    });
  if (kind !== "cloudwatch" && prometheus.namespace === CANARY_NAMESPACE)
    issues.push({
      path: ["prometheus", "namespace"],
      message: "must be another namespace, since the canary runs in this one",
      value: prometheus.namespace,
    });
  for (const { name, namespaces = [] } of teams)
    if (namespaces.some((namespace) => namespace.name === CANARY_NAMESPACE))
      issues.push({
        path: ["canary", "enabled"],
        message: `must be false while team ${name} has the namespace ${CANARY_NAMESPACE}`,
        value: true,
      });
  return issues;
}

/** A team's policies only allow egress to its peers: a Prometheus in its namespace needs its own policy. */
function scraperIssues({ kind, prometheus }: MonitoringSettings, teams: readonly TeamNamespaces[]): SettingsIssue[] {
  if (kind === "cloudwatch") return [];
  return teams.flatMap((team) => {
    const message = `is a namespace of team ${team.name}, whose network policies allow no scraping`;
    return namespacesOf(team).includes(prometheus.namespace)
      ? [{ path: ["prometheus", "namespace"], message, severity: "warning" as const }]
      : [];
  });
}

/** The canary's outside name must be outside the cluster. */
function outsideNameIssues({ canary: { enabled, outsideName } }: MonitoringSettings, { dns }: Parts): SettingsIssue[] {
  const domain = clusterDomainOf(dns) ?? CLUSTER_DOMAIN;
  return enabled && `.${outsideName.toLowerCase()}`.endsWith(`.${domain}`)
    ? [
        {
          path: ["canary", "outsideName"],
          message: `must be a name outside the cluster's domain ${domain}`,
          value: outsideName,
        },
      ]
    : [];
}

/** What an alarm can notify or start: its resource by service. EC2 actions are for alarms with an instance. */
const ALARM_ACTIONS: ReadonlyMap<string, RegExp> = new Map([
  // A subscription of the topic would have its id as another part.
  ["sns", /^[\w-]+(\.fifo)?$/],
  ["lambda", /^function:/],
  ["autoscaling", /^scalingPolicy:/],
  ["ssm", /^opsitem:/],
  ["ssm-incidents", /^response/],
  ["aiops", /^investigation-group/],
]);

/**
 * An action must be one that alarms support, in their partition and region; response plans have no region.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 * @see https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_cloudwatch_actions.Ec2InstanceAction.html
 */
function alarmActionIssues({ kind, alarmActions }: MonitoringSettings, region: string | undefined): SettingsIssue[] {
  if (kind !== "cloudwatch") return [];
  return alarmActions.flatMap((arn, index) => {
    const issue = (message: string): SettingsIssue[] => [{ path: ["alarmActions", index], message, value: arn }];
    const [, partition, service = "", arnRegion = "", account = "", ...resource] = arn.split(":");
    if (ALARM_ACTIONS.get(service)?.test(resource.join(":")) !== true || !/^\d{12}$/.test(account))
      return issue(
        "must be the ARN of an SNS topic, a Lambda function, a scaling policy, an OpsItem's severity, a response plan or an investigation group",
      );
    if (region === undefined) return [];
    const { id } = partitionOf(region);
    if (partition !== id) return issue(`must be in partition ${id}, where the alarms are`);
    return arnRegion === region || (arnRegion === "" && service === "ssm-incidents")
      ? []
      : issue(`must be in region ${region}, where the alarms are`);
  });
}

/** For an unusual CoreDNS, warns of defaults that differ from its Helm chart's, and of a Corefile without metrics. */
function coreDnsIssues({ kind }: MonitoringSettings, { dns, managesCoreDns }: Parts): SettingsIssue[] {
  const issue = (message: string): SettingsIssue => ({ path: ["kind"], message, severity: "warning" });
  const issues: SettingsIssue[] = [];
  const { namespace, labels } = coreDnsPods(dns);
  const isElsewhere = namespace !== USUAL_CORE_DNS_PODS.namespace;
  const [label] = Object.entries(labels);
  const isUsual =
    !isElsewhere && Object.entries(USUAL_CORE_DNS_PODS.labels).every(([key, value]) => labels[key] === value);
  if (kind !== "cloudwatch" && isElsewhere && dns?.adopt?.selector === undefined && label !== undefined)
    issues.push(
      issue(
        `looks for CoreDNS's pods in ${namespace} by the label ${label.join("=")}, since dns.adopt.selector is not set: CoreDnsDown fires if it finds none`,
      ),
    );
  if (kind === "cloudwatch" && !isUsual && dns?.adopt?.deployment === undefined)
    issues.push(
      issue(
        `looks for Deployment coredns in ${namespace}, since dns.adopt.deployment is not set: CoreDnsDown fires if it finds none`,
      ),
    );
  if (kind !== "cloudwatch" && managesCoreDns && dns && !servesMetrics(corefileText(dns)))
    issues.push(
      issue(
        `scrapes no metrics of CoreDNS, whose Corefile has no line "prometheus :${COREDNS_METRICS_PORT}", so CoreDnsDown fires`,
      ),
    );
  return issues;
}

/** Each alarm's description includes the runbook URL. */
function descriptionIssues({ runbookUrl }: MonitoringSettings, alarms: readonly Alarm[]): SettingsIssue[] {
  if (runbookUrl === undefined) return [];
  const longest = Math.max(0, ...alarms.map(({ alert }) => alarmDescription(alert, runbookUrl).length));
  const allowed = MAX_DESCRIPTION_LENGTH - (longest - runbookUrl.replace(/\/$/, "").length);
  const message = `must have at most ${allowed} characters, since an alarm's description has at most ${MAX_DESCRIPTION_LENGTH}`;
  return longest > MAX_DESCRIPTION_LENGTH ? [{ path: ["runbookUrl"], message, value: runbookUrl }] : [];
}

/**
 * What the settings cannot do on their stack. Paths are below `monitoring`.
 * @param region The AWS region; undefined if unknown.
 */
export function checkMonitoring(
  settings: MonitoringSettings,
  parts: Parts,
  onAws: boolean,
  region?: string,
): SettingsIssue[] {
  const { kind, canary } = settings;
  const issues: SettingsIssue[] = [];
  if (kind === "cloudwatch" && !onAws)
    issues.push({
      path: ["kind"],
      message: "must not be cloudwatch with cluster.kind existing, whose metrics are not in CloudWatch",
      value: kind,
    });
  issues.push(...unusedSettings(settings));
  if (kind === "none") return issues;
  if (canary.enabled) issues.push(...canaryNamespaceIssues(settings, parts));
  issues.push(...scraperIssues(settings, parts.teams), ...outsideNameIssues(settings, parts));
  issues.push(...alarmActionIssues(settings, region));
  if (kind === "cloudwatch") {
    const context = { cluster: "", logGroupOf: logGroupsOf(parts, "") };
    const stack = watchedStack(parts, settings);
    const alarms = alarmsOf(stack, context);
    issues.push(...descriptionIssues(settings, alarms));
    const unseen = unseenByCloudWatch(stack, context).join(", ");
    if (alarms.length === 0)
      issues.push({
        path: ["kind"],
        message: "creates no alarm, since there is nothing to watch",
        severity: "warning",
      });
    else if (unseen !== "")
      issues.push({ path: ["kind"], message: `cloudwatch has no alarm for ${unseen}`, severity: "warning" });
  }
  issues.push(...coreDnsIssues(settings, parts));
  const destination = canaryDestination(parts);
  const byAlarm = kind === "cloudwatch" && logGroupsOf(parts, "")("canary") !== undefined;
  if (canary.enabled && parts.logging !== undefined && destination.kind === "none" && !byAlarm)
    issues.push({
      path: ["canary"],
      message: `follows no lines, so no alert reports lost or late ones: ${destination.reason}`,
      severity: "warning",
    });
  const { logging } = parts;
  const collector = logging?.mode === "daemonset" ? logging.collector : undefined;
  if (collector !== undefined && kind !== "cloudwatch" && COLLECTOR_METRICS[collector].path === undefined)
    issues.push({
      path: ["kind"],
      message: `scrapes no metrics of ${COLLECTORS[collector].title}, which has none that Prometheus reads`,
      severity: "warning",
    });
  return issues;
}
