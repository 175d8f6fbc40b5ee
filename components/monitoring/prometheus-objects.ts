import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../kubernetes/labels.ts";
import { podsOfNamespace } from "../kubernetes/network-policy.ts";
import { yamlText } from "../logging/collectors/yaml-text.ts";
import { ALERT_GROUPS, type AlertGroup, type WatchedStack } from "./alerts/alert.ts";
import { type ActiveAlert, alertsOf, ruleFile } from "./alerts/alert-table.ts";
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

const TITLES: Readonly<Record<AlertGroup, string>> = {
  coredns: "CoreDNS",
  "nodelocal-dns": "NodeLocal DNSCache",
  collector: "Log collector",
  platform: "Cluster, quotas and OpenSearch",
  canary: "Canary",
};
const WIDTH = 12;
const HEIGHT = 7;

/**
 * The graph of a condition: its left side, and the number it is compared with. A condition that is not such a comparison is drawn as is:
 * it has a value while it holds.
 */
export function graphOf(expr: string): { readonly expr: string; readonly threshold: number | undefined } {
  const [, left, threshold] = /^(.*\S)\s+(?:[<>]=?|==)\s+(\d+(?:\.\d+)?)$/.exec(expr) ?? [];
  // With a set operator, the last comparison is only a part.
  return left === undefined || hasSetOperator(left)
    ? { expr, threshold: undefined }
    : { expr: left, threshold: Number(threshold) };
}

/** Whether `and`, `or` or `unless` is outside of parentheses. */
function hasSetOperator(expr: string): boolean {
  let inner = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  for (let before = ""; before !== inner; ) {
    before = inner;
    inner = inner.replaceAll(/\([^()]*\)/g, "");
  }
  return /\b(and|or|unless)\b/.test(inner);
}

/** A Grafana dashboard, with a row per group of alerts and a graph per alert. @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export function grafanaDashboard(stack: WatchedStack) {
  const active = alertsOf(stack);
  const panels: (ReturnType<typeof heading> | ReturnType<typeof panel>)[] = [];
  let y = 0;
  for (const group of ALERT_GROUPS) {
    const ofGroup = active.filter(({ alert }) => alert.group === group);
    if (ofGroup.length === 0) continue;
    panels.push(heading(group, panels.length + 1, y));
    y += 1;
    for (const [index, alert] of ofGroup.entries())
      panels.push(panel(alert, panels.length + 1, (index % 2) * WIDTH, y + Math.floor(index / 2) * HEIGHT));
    y += Math.ceil(ofGroup.length / 2) * HEIGHT;
  }
  return {
    uid: "eks-dns-logging",
    title: "EKS DNS and logging",
    tags: ["eks-dns-logging"],
    schemaVersion: 41,
    version: 1,
    editable: true,
    refresh: "1m",
    time: { from: "now-3h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" } as const],
    },
    annotations: {
      list: [
        {
          name: "Alerts",
          enable: true,
          iconColor: "red",
          datasource: DATASOURCE,
          expr: `ALERTS{alertname=~"${active.map(({ alert }) => alert.name).join("|")}",alertstate="firing"}`,
          titleFormat: "{{alertname}}",
        },
      ],
    },
    panels,
  };
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

function heading(group: AlertGroup, id: number, y: number) {
  const gridPos = { x: 0, y, w: 24, h: 1 };
  return { id, type: "row" as const, title: TITLES[group], collapsed: false, panels: [], gridPos };
}

function panel({ alert, condition }: ActiveAlert, id: number, x: number, y: number) {
  const { expr, threshold } = graphOf(condition.expr);
  const steps = [
    { color: "green", value: null },
    ...(threshold === undefined ? [] : [{ color: alert.severity === "critical" ? "red" : "orange", value: threshold }]),
  ];
  return {
    id,
    type: "timeseries",
    title: alert.name,
    description: `${alert.cause} Severity ${alert.severity}, after ${condition.for}.`,
    datasource: DATASOURCE,
    gridPos: { x, y, w: WIDTH, h: HEIGHT },
    targets: [{ refId: "A", datasource: DATASOURCE, expr, legendFormat: "__auto" }],
    fieldConfig: {
      defaults: {
        custom: { thresholdsStyle: { mode: threshold === undefined ? "off" : "line" } },
        thresholds: { mode: "absolute" as const, steps },
      },
      overrides: [],
    },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
  };
}
