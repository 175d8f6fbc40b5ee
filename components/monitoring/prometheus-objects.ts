import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../kubernetes/labels.ts";
import { podsOfNamespace } from "../kubernetes/network-policy.ts";
import { yamlText } from "../logging/collectors/yaml-text.ts";
import { ruleFile } from "./alerts/alert-table.ts";
import { grafanaDashboard } from "./grafana-dashboard.ts";
import {
  annotatedService,
  CANARY_NAMESPACE,
  OPERATOR_API,
  podMonitorSpec,
  type ScrapeTarget,
  scrapeTargets,
} from "./scrape-targets.ts";
import type { Watched } from "./watched-stack.ts";

const OPERATOR_VERSION = `${OPERATOR_API.group}/${OPERATOR_API.version}`;

/**
 * Objects for a Prometheus in the cluster: targets, rules and the dashboard, and network policies that allow scraping.
 * @see https://prometheus-operator.dev/docs/getting-started/introduction/
 */
export function makePrometheusObjects(
  name: string,
  { settings: { kind, prometheus, runbookUrl }, stack }: Watched,
  options: pulumi.CustomResourceOptions,
): void {
  const labels = { ...commonLabels("monitoring"), ...prometheus.labels };
  const metadata = { name: "eks-dns-logging", namespace: prometheus.namespace, labels };
  const operator = kind === "prometheus-operator";
  for (const target of scrapeTargets(stack)) {
    const resourceName = `${name}-${target.name.replace("eks-dns-logging-", "")}`;
    allowScraping(resourceName, target, prometheus.namespace, options);
    if (operator)
      new k8s.apiextensions.CustomResource(
        resourceName,
        {
          apiVersion: OPERATOR_VERSION,
          kind: "PodMonitor",
          metadata: { ...metadata, name: target.name },
          spec: podMonitorSpec(target, prometheus),
        },
        options,
      );
    else if (!target.annotated) makeAnnotatedServices(resourceName, target, labels, options);
  }
  const rules = ruleFile(stack, runbookUrl);
  if (operator)
    new k8s.apiextensions.CustomResource(
      `${name}-rules`,
      { apiVersion: OPERATOR_VERSION, kind: "PrometheusRule", metadata, spec: rules },
      options,
    );
  else
    new k8s.core.v1.ConfigMap(
      `${name}-rules`,
      {
        metadata: { ...metadata, name: "eks-dns-logging-rules" },
        data: { "eks-dns-logging.rules.yaml": yamlText(rules) },
      },
      options,
    );
  new k8s.core.v1.ConfigMap(
    `${name}-dashboard`,
    {
      // The sidecar of Grafana's chart finds dashboards by this label.
      metadata: { ...metadata, name: "eks-dns-logging-dashboard", labels: { ...labels, grafana_dashboard: "1" } },
      data: { "eks-dns-logging.json": JSON.stringify(grafanaDashboard(stack), null, 2) },
    },
    options,
  );
}

/** Creates a Service per port whose annotations lead Prometheus to the target. */
function makeAnnotatedServices(
  name: string,
  target: ScrapeTarget,
  labels: Readonly<Record<string, string>>,
  options: pulumi.CustomResourceOptions,
): void {
  for (const port of target.ports) {
    const { metadata, spec } = annotatedService(target, port);
    new k8s.core.v1.Service(`${name}-${port}`, { metadata: { ...metadata, labels: { ...labels } }, spec }, options);
  }
}

/** Allows the scraper's namespace at the metrics ports, and everybody at the other ports. The canary has its own policy. */
function allowScraping(
  name: string,
  { name: policy, namespace, selector, ports, others }: ScrapeTarget,
  scraper: string,
  options: pulumi.CustomResourceOptions,
): void {
  if (others === undefined || namespace === CANARY_NAMESPACE) return;
  new k8s.networking.v1.NetworkPolicy(
    `${name}-scrapers`,
    {
      metadata: { name: `${policy}-metrics`, namespace, labels: commonLabels("monitoring") },
      spec: {
        podSelector: { matchLabels: { ...selector } },
        policyTypes: ["Ingress"],
        ingress: [
          { from: [podsOfNamespace(scraper)], ports: ports.map((port) => ({ protocol: "TCP", port })) },
          ...(others.length === 0 ? [] : [{ ports: others.map((port) => ({ ...port })) }]),
        ],
      },
    },
    options,
  );
}
