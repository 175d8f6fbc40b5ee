import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type ClusterHandle, daemonSetIssues, requiredHandle, withClusterProvider } from "../cluster/handle.ts";
import { type DnsOptions, DnsSettings, managesCoreDns } from "../dns/settings.ts";
import { knownSettings, resolvedSettings } from "../logging/argument-settings.ts";
import type { LogCollectionArgs } from "../logging/log-collection-args.ts";
import { type ArgumentKinds, checkArguments } from "../schema/arguments.ts";
import { parseArgs, type SettingsIssue, throwErrors } from "../schema/errors.ts";
import { alertsOf } from "./alerts/alert-table.ts";
import { makeCanary } from "./canary.ts";
import { makeAlarms } from "./cloudwatch-objects.ts";
import { checkMonitoring } from "./monitoring-issues.ts";
import { makePrometheusObjects } from "./prometheus-objects.ts";
import { MonitoringSettings } from "./settings.ts";
import { type Parts, watchedStack } from "./watched-stack.ts";

/** The arguments that are settings, but the log collection's. */
const Checked = MonitoringSettings.extend({
  dns: DnsSettings.optional(),
  teams: z.array(z.object({ name: z.string(), namespaces: z.array(z.object({ name: z.string() })).optional() })),
});

/** The settings under `monitoring`, before defaults. */
export type MonitoringOptions = Readonly<z.input<typeof MonitoringSettings>>;

/** The log collection arguments on which monitoring depends. */
export type WatchedLogging = Omit<LogCollectionArgs, "cluster" | "teams" | "image">;

/**
 * Metrics, alerts, dashboards and the canary of a stack. docs/reference/settings.md describes the keys under `monitoring`.
 * @example { cluster, kind: "prometheus-operator", dns: { replicas: 3 }, logging: { collector: "vector" } }
 */
export interface MonitoringArgs extends MonitoringOptions {
  /** Cluster to watch. CloudWatch requires an EKS cluster. */
  readonly cluster: ClusterHandle;
  /** Arguments of its CoreDNS. @default none: not watched */
  readonly dns?: DnsOptions | undefined;
  /** Arguments of its log collection. The canary follows lines only to addresses known before the deployment. @default none */
  readonly logging?: WatchedLogging | undefined;
  /** Teams whose quotas to watch. @default none */
  readonly teams?: Parts["teams"];
  /** DNS addresses besides the CoreDNS pods that the canary must reach. @default none */
  readonly dnsAddresses?: readonly string[];
  /** Resources to deploy first. @default none */
  readonly dependsOn?: readonly pulumi.Resource[];
}

const KINDS: ArgumentKinds<keyof MonitoringArgs> = {
  any: ["cluster", "kind", "prometheus", "canary", "runbookUrl", "alarmActions", "dns", "logging", "teams"],
  list: ["dnsAddresses", "dependsOn"],
  group: [],
};

/**
 * Watches CoreDNS, NodeLocal DNSCache, the collector, the quotas and the canary, from one table of alerts.
 * @throws {ArgumentsError} for arguments that contradict each other.
 */
export class Monitoring extends pulumi.ComponentResource {
  /** Names of this stack's alerts. */
  readonly alerts: readonly string[];

  constructor(name: string, args: MonitoringArgs, options: pulumi.ComponentResourceOptions = {}) {
    checkArguments(name, KINDS, args);
    super("eks-dns-logging:monitoring:Monitoring", name, {}, withClusterProvider(options, requiredHandle(name, args)));
    const { cluster, dns, logging, teams = [], dnsAddresses = [], dependsOn = [], ...given } = args;
    const { dns: checkedDns, teams: _teams, ...settings } = parseArgs(name, Checked, { ...given, dns, teams });
    const watchedLogging = logging && { ...logging, cluster, teams };
    const parts: Parts = {
      dns: checkedDns,
      managesCoreDns: managesCoreDns(checkedDns, cluster.addons !== undefined),
      logging: watchedLogging && knownSettings(`${name}.logging`, watchedLogging),
      teams,
    };
    // Without DaemonSets, withoutDaemonSets reports the reason.
    const isInAws = cluster.podIdentity !== undefined || cluster.runsDaemonSets === false;
    throwErrors(name, [...withoutDaemonSets(settings, cluster), ...checkMonitoring(settings, parts, isInAws)]);
    const stack = watchedStack(parts, settings);
    const child = { parent: this, dependsOn: [...cluster.ready, ...dependsOn], deleteBeforeReplace: true };

    const watched = { settings, parts, stack };
    if (settings.canary.enabled) makeCanary(name, watched, dnsAddresses, cluster.ipFamily, child);
    if (settings.kind === "cloudwatch") {
      if (cluster.podIdentity === undefined) throw new Error("CloudWatch passed the checks on a cluster without AWS");
      this.alerts = makeAlarms(
        name,
        watched,
        (known) => watchedLogging && resolvedSettings(`${name}.logging`, watchedLogging, known),
        { name: cluster.name, ...cluster.podIdentity },
        { parent: this, dependsOn: [...dependsOn] },
      );
    } else {
      makePrometheusObjects(name, watched, child);
      this.alerts = alertsOf(stack).map(({ alert }) => alert.name);
    }
    this.registerOutputs({ alerts: this.alerts });
  }
}

/** What cannot be watched without DaemonSets; Container Insights' agent is one too. */
function withoutDaemonSets({ kind, canary }: MonitoringSettings, cluster: ClusterHandle): SettingsIssue[] {
  return [
    ...(kind === "cloudwatch"
      ? daemonSetIssues(cluster, { path: ["kind"], message: "must not be cloudwatch", value: kind })
      : []),
    ...(kind !== "none" && canary.enabled
      ? daemonSetIssues(cluster, { path: ["canary", "enabled"], message: "must be false", value: true })
      : []),
  ];
}
