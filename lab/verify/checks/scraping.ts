import { z } from "zod";
import { type ActiveAlert, alertsOf } from "../../../components/monitoring/alerts/alert-table.ts";
import { CANARY_PORT, type ScrapeTarget, scrapeTargets } from "../../../components/monitoring/scrape-targets.ts";
import type { MonitoringSettings } from "../../../components/monitoring/settings.ts";
import { canaryDestination, type Parts, watchedStack } from "../../../components/monitoring/watched-stack.ts";
import { isNotFound } from "../../kubernetes/cluster.ts";
import { readAnswer } from "../find/finder.ts";
import { type Lab, UnmetPrecondition } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip, warn } from "../result.ts";

const QueryAnswer = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
const RulesAnswer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })),
      }),
    ),
  }),
});

/** Checks of a stack's monitoring: each target is scraped, all rules load and find their metrics, the canary's lines arrive. */
export function monitoringChecks(settings: MonitoringSettings, parts: Parts): Check[] {
  if (settings.kind === "none" || settings.kind === "cloudwatch") return [];
  const stack = watchedStack(parts, settings);
  const active = alertsOf(stack);
  const alerts = active.map(({ alert }) => alert.name);
  const kubeSeries = kubeSeriesOf(active);
  const prometheus = { ...settings.prometheus, operator: settings.kind === "prometheus-operator" };
  return [
    ...scrapeTargets(stack).map((target) => scrapeCheck(target, prometheus)),
    rulesCheck(alerts, prometheus),
    ...(kubeSeries.length > 0 ? [kubeStateCheck(kubeSeries, prometheus)] : []),
    ...(settings.canary.enabled ? [canaryCheck(canaryDestination(parts), prometheus)] : []),
  ];
}

/**
 * Metrics of kube-state-metrics that alerts use and a healthy cluster has. Reasons are excluded: a container has one only while it waits.
 */
function kubeSeriesOf(active: readonly ActiveAlert[]): string[] {
  const names = active.flatMap(({ condition }) => condition.expr.match(/\bkube_[a-z_]+/g) ?? []);
  return [...new Set(names)].filter((name) => !name.endsWith("_reason")).sort();
}

type Prometheus = MonitoringSettings["prometheus"] & { readonly operator: boolean };

const row = (id: string, what: string, { service }: Prometheus, run: Check["run"]): Check => ({
  id: `monitoring:${id}`,
  group: "monitoring",
  what,
  from: "prometheus",
  to: service,
  run,
});

/** GET from Prometheus through the API server. Prometheus is not part of this stack. */
function get(lab: Lab, { namespace, service }: Prometheus, path: string): Promise<string> {
  return lab.cluster.proxyGet({ kind: "services", namespace, name: service }, path).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw new UnmetPrecondition(
      `no Service ${service.split(":")[0]} in ${namespace}`,
      "Prometheus is not installed there, or its Service has another name: set monitoring.prometheus.namespace and service",
    );
  });
}

async function query(lab: Lab, prometheus: Prometheus, expr: string) {
  const body = await get(lab, prometheus, `/api/v1/query?query=${encodeURIComponent(expr)}`);
  return readAnswer(QueryAnswer, body, prometheus.service).data.result;
}

function scrapeCheck({ name, namespace, ports, series }: ScrapeTarget, prometheus: Prometheus): Check {
  const subject = name.replace("eks-dns-logging-", "");
  return row(`scraped:${subject}`, "metrics are scraped", prometheus, async (lab) => {
    const instance = `instance=~".+:(${ports.join("|")})"`;
    // Pods that share a port with others are recognized by a series of their own.
    const ofCollector = series === undefined ? "" : ` and on (instance) ${series}`;
    const found = await query(lab, prometheus, `up{namespace="${namespace}",${instance}}${ofCollector}`);
    const down = found.filter(({ value: [, up] }) => up !== "1").map(({ metric }) => metric.instance ?? "");
    const facts = { targets: found.length, down };
    if (found.length === 0 && (await query(lab, prometheus, `up{namespace="",${instance}}`)).length > 0)
      return fail(
        "no label namespace",
        "alerts look for the label `namespace`: take it from __meta_kubernetes_namespace in your scrape configuration",
        facts,
      );
    if (found.length === 0 && prometheus.operator) {
      const others = await query(lab, prometheus, `up{namespace!="${namespace}",job=~".+/${name}"}`);
      const [other] = others.map(({ metric }) => metric.namespace ?? "");
      if (other !== undefined)
        return fail(
          `label namespace is ${other}`,
          "your Prometheus sets enforcedNamespaceLabel: list podmonitors and prometheusrules of this namespace in its excludedFromEnforcement",
          facts,
        );
    }
    if (found.length === 0)
      return fail(
        "no target",
        prometheus.operator
          ? `your Prometheus does not select the PodMonitor ${name}: compare prometheus.labels with its podMonitorSelector, or the pods declare no port ${ports.join(" or ")}`
          : "your Prometheus does not scrape annotated Services",
        facts,
      );
    if (down.length > 0)
      return fail(`down: ${down.join(", ")}`, `the pod or a network policy refuses the scrape`, facts);
    return pass(`${found.length} targets`, facts);
  });
}

function rulesCheck(alerts: readonly string[], prometheus: Prometheus): Check {
  return row("rules", "rules are loaded", prometheus, async (lab) => {
    const body = await get(lab, prometheus, "/api/v1/rules?type=alert");
    const rules = readAnswer(RulesAnswer, body, prometheus.service).data.groups.flatMap((group) => group.rules);
    const loaded = new Map(rules.map((rule) => [rule.name, rule]));
    const missing = alerts.filter((name) => !loaded.has(name));
    const broken = alerts.filter((name) => loaded.get(name)?.health === "err");
    const facts = { rules: alerts.length, missing, broken };
    if (missing.length > 0)
      return fail(
        `missing: ${missing.join(", ")}`,
        prometheus.operator
          ? "your Prometheus does not select the PrometheusRule eks-dns-logging: compare prometheus.labels with its ruleSelector"
          : "your Prometheus does not read the ConfigMap eks-dns-logging-rules",
        facts,
      );
    const [first] = broken;
    if (first !== undefined)
      return fail(`${first}: ${loaded.get(first)?.lastError ?? ""}`, "a rule cannot be evaluated", facts);
    return pass(`${alerts.length} alerts`, facts);
  });
}

function kubeStateCheck(names: readonly string[], prometheus: Prometheus): Check {
  return row("kube-state-metrics", "kube-state-metrics is scraped", prometheus, async (lab) => {
    const having = (label: string) =>
      query(lab, prometheus, `count by (__name__) ({__name__=~"${names.join("|")}",${label}})`);
    const metrics = (await having('exported_namespace=""')).map(({ metric }) => metric.__name__);
    const missing = names.filter((name) => !metrics.includes(name));
    const facts = { metrics: names.length, missing };
    if (metrics.length === 0 && (await having('exported_namespace!=""')).length > 0)
      return fail(
        "label exported_namespace",
        "alerts look for the object's label `namespace`: scrape kube-state-metrics with honorLabels",
        facts,
      );
    if (metrics.length === 0)
      return fail(
        "no metrics of kube-state-metrics",
        "install it and scrape it, or set monitoring.prometheus.kubeStateMetrics to false",
        facts,
      );
    if (missing.length > 0)
      return fail(
        `missing: ${missing.join(", ")}`,
        "kube-state-metrics leaves them out: see its --resources, --metric-allowlist and --metric-denylist",
        facts,
      );
    return pass(`${names.length} metrics`, facts);
  });
}

function canaryCheck(destination: ReturnType<typeof canaryDestination>, prometheus: Prometheus): Check {
  return row("canary", "the canary's lines arrive", prometheus, async (lab): Promise<Outcome> => {
    if (destination.kind === "none") return skip(destination.reason);
    const found = await query(lab, prometheus, `canary_newest_line_age_seconds{instance=~".+:${CANARY_PORT}"}`);
    const ages = found.map(({ value: [, age] }) => Number(age));
    const oldest = Math.max(...ages);
    const facts = { nodes: ages.length, oldest: ages.length === 0 ? -1 : oldest };
    if (ages.length === 0)
      return fail("no canary", "its pods do not run: `kubectl -n canary get pods`, or are not scraped", facts);
    const detail = `newest lines of ${ages.length} nodes are up to ${oldest} s old`;
    if (oldest > 180)
      return fail(
        detail,
        "the collector or the destination is behind: `kubectl -n canary logs -l app.kubernetes.io/name=canary -c canary --prefix`",
        facts,
      );
    const [lost] = await query(lab, prometheus, "sum(increase(canary_lines_lost_total[1h]))");
    if (Number(lost?.value[1] ?? 0) > 0) return warn(detail, "lines were lost in the last hour", facts);
    return pass(detail, facts);
  });
}
