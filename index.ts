import "./components/runtime.ts";

import { setImmediate as turn } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { nodeDnsAddresses } from "./components/cluster/eks-settings.ts";
import { createCluster, DeletionProtection } from "./components/cluster/index.ts";
import { preflight } from "./components/cluster/preflight.ts";
import { CoreDns } from "./components/dns/core-dns.ts";
import { dnsAccess } from "./components/dns/endpoints.ts";
import { clusterDomainOf } from "./components/dns/resolver.ts";
import { LogCollection } from "./components/logging/log-collection.ts";
import { Monitoring } from "./components/monitoring/monitoring.ts";
import { runsCoreDns } from "./components/parts.ts";
import { readSettings } from "./components/settings.ts";
import { verifyCommand } from "./components/stack-commands.ts";
import { curlServiceNames } from "./components/team/curl-pod-spec.ts";
import { hasCurlPod } from "./components/team/settings.ts";
import { Team } from "./components/team/team.ts";

const settings = readSettings();

await preflight(settings.cluster, settings.warnings);
const clusterComponent = createCluster(settings.cluster, settings.region, settings.profile);
const cluster = clusterComponent.handle;
const dns = settings.dns && new CoreDns("coredns", { ...settings.dns, cluster });
const clusterDomain = clusterDomainOf(settings.dns);
const logs =
  settings.logging && new LogCollection("logs", { ...settings.logging, cluster, clusterDomain, teams: settings.teams });
// Pods may query other servers than CoreDNS's pods: caches and EKS Auto Mode answer on the node.
const dnsAddresses = [
  ...new Set([...(dns?.addresses ?? []), ...(settings.dns?.clusterDns ?? nodeDnsAddresses(settings.cluster))]),
];
const teams: Team[] = [];
for (const team of settings.teams) {
  teams.push(
    new Team(team.name, {
      ...team,
      cluster,
      team: team.name,
      curlPod: settings.curlPods && settings.curlPod,
      network: {
        teams: settings.teams,
        dnsAddresses,
        ...dnsAccess(settings.dns),
        egress: logs?.egress ?? [],
      },
      sidecar: logs?.sidecar,
      dns: dns?.forPods,
      dependsOn: logs?.ready ?? [],
    }),
  );
  // Lets the SDK send what is registered so far. Otherwise the first team would wait for the last one, and a thousand teams would be in
  // memory at once.
  await turn();
}

const monitoring =
  settings.monitoring.kind === "none"
    ? undefined
    : new Monitoring("monitoring", {
        ...settings.monitoring,
        cluster,
        dns: runsCoreDns(settings.cluster, settings.dns) ? settings.dns : undefined,
        logging: settings.logging,
        teams: settings.teams,
        dnsAddresses,
        dependsOn: logs === undefined ? [] : [logs],
      });

if (settings.cluster.kind === "eks" && settings.cluster.deletionProtection)
  new DeletionProtection("deletion-protection", [
    clusterComponent,
    ...(dns ? [dns] : []),
    ...(logs ? [logs] : []),
    ...(monitoring ? [monitoring] : []),
    ...teams,
  ]);

/** Kubeconfig of a cluster that this stack created, as a secret; for an existing one, a hint. */
export const kubeconfig = cluster.kubeconfig ?? "that of the existing cluster";
/** Namespaces of all teams. */
export const namespaces = teams.flatMap((team) => team.namespaces);
/** Names of the curl pods. */
export const pods = teams.flatMap((team) => team.curlPod?.podName ?? []);
/** Names that the lab curls from the other team: `name.namespace` and the full one, per team. */
export const dnsNames = settings.curlPods
  ? settings.teams.filter(hasCurlPod).flatMap((team) => curlServiceNames(team.name, clusterDomain))
  : [];
/** Where the collector sends its lines, such as an address. */
export const logDestination = logs?.destination ?? "none: this stack collects no logs";
/** Current index names. */
export const logIndices = logs?.indices ?? [];
/** The collector's IAM role, if a destination needs one; to be mapped in Amazon OpenSearch. */
export const logRoleArn = logs?.roleArn ?? "none: the collector has no IAM role";
/** IAM policies to read a team's own log groups and prefixes, by team. */
export const logReaderPolicies = logs?.readerPolicies ?? {};
/** OpenSearch security roles to read a team's lines, as JSON by name: create and map them in the search cluster. */
export const logReaderRoles = logs?.readerRoles ?? {};
/** The command that verifies the stack. */
export const verify = verifyCommand({ stack: pulumi.getStack(), ...settings });
