import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { clusterDomainOf } from "../dns/resolver.ts";
import { dnsAccess } from "../dns/server-ports.ts";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import { commonLabels, podSecurityLabels } from "../kubernetes/labels.ts";
import { canaryFiles, canaryPolicy, canarySpec } from "./canary-pod.ts";
import { CANARY_NAMESPACE } from "./scrape-targets.ts";
import { canaryDestination, type Watched } from "./watched-stack.ts";

/**
 * The canary on each node, in its own namespace with Pod Security "restricted".
 * @param dnsAddresses DNS addresses besides the CoreDNS pods.
 * @param ipFamily The cluster's. Default: ipv4.
 */
export function makeCanary(
  name: string,
  { settings, parts }: Watched,
  dnsAddresses: readonly string[],
  ipFamily: IpFamily | undefined,
  options: pulumi.CustomResourceOptions,
): void {
  const destination = canaryDestination(parts);
  // CloudWatch's agent does not scrape the canary.
  const scraper = settings.kind === "cloudwatch" ? undefined : settings.prometheus.namespace;
  const domain = clusterDomainOf(parts.dns) ?? "cluster.local";
  const metadata = { name: "canary", namespace: CANARY_NAMESPACE, labels: commonLabels("canary") };
  const namespace = new k8s.core.v1.Namespace(
    `${name}-canary-namespace`,
    { metadata: { name: CANARY_NAMESPACE, labels: { ...commonLabels("canary"), ...podSecurityLabels() } } },
    options,
  );
  const own = { ...options, dependsOn: [namespace] };
  const policy = new k8s.networking.v1.NetworkPolicy(
    `${name}-canary-network`,
    { metadata, spec: canaryPolicy(scraper, destination, { dnsAddresses, ...dnsAccess(parts.dns) }) },
    own,
  );
  const data = canaryFiles(ipFamily);
  const files = new k8s.core.v1.ConfigMap(`${name}-canary-files`, { metadata, data: { ...data } }, own);
  new k8s.apps.v1.DaemonSet(
    `${name}-canary-daemonset`,
    { metadata, spec: canarySpec(settings.canary, destination, domain, data) },
    { ...own, dependsOn: [namespace, policy, files] },
  );
}
