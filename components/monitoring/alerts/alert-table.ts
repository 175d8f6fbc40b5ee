import { ALERT_GROUPS, type Alert, type Condition, type WatchedStack } from "./alert.ts";
import { COLLECTOR_ALERTS, EVENT_READER_ALERTS } from "./collector-alerts.ts";
import { COREDNS_ALERTS } from "./coredns-alerts.ts";
import { LOGGING_PLACEHOLDER } from "./expressions.ts";
import { PLATFORM_ALERTS } from "./platform-alerts.ts";
import { UPSTREAM_ALERTS } from "./upstream-alerts.ts";

/** The alert table, from which rules, tests, dashboards, CloudWatch alarms and runbooks are generated. */
export const ALERTS: readonly Alert[] = [
  ...COREDNS_ALERTS,
  ...UPSTREAM_ALERTS,
  ...COLLECTOR_ALERTS,
  ...EVENT_READER_ALERTS,
  ...PLATFORM_ALERTS,
];

/** An alert and its condition on a stack. */
export interface ActiveAlert {
  readonly alert: Alert;
  readonly condition: Condition;
}

/** The alerts whose subject a stack has. */
export function alertsOf(stack: WatchedStack): ActiveAlert[] {
  return ALERTS.flatMap((alert) => {
    const condition = alert.condition(stack);
    return condition === undefined ? [] : [{ alert, condition: inNamespace(condition, stack.loggingNamespace) }];
  });
}

/** A condition with the namespace of the collectors. */
function inNamespace(condition: Condition, namespace: string): Condition {
  const named = (text: string) => text.replaceAll(LOGGING_PLACEHOLDER, namespace);
  const series = Object.entries(condition.series).map(([selector, values]) => [named(selector), values]);
  return { ...condition, expr: named(condition.expr), series: Object.fromEntries(series) };
}

/** The runbooks' folder in this repository. */
const RUNBOOKS = "docs/runbooks";

/** A Prometheus alerting rule. @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Content of a rules file, and spec of a PrometheusRule. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval: string; readonly rules: readonly Rule[] }[];
}

/** A stack's rules, grouped by subject. @param runbookUrl URL of the runbooks' folder. Default: none. */
export function ruleFile(stack: WatchedStack, runbookUrl?: string): RuleFile {
  const active = alertsOf(stack);
  return {
    groups: ALERT_GROUPS.flatMap((name) => {
      const rules = active
        .filter(({ alert }) => alert.group === name)
        .map((activeAlert) => ruleOf(activeAlert, runbookUrl));
      return rules.length === 0 ? [] : [{ name: `eks-dns-logging-${name}`, interval: "15s", rules }];
    }),
  };
}

function ruleOf({ alert, condition }: ActiveAlert, runbookUrl: string | undefined): Rule {
  return {
    alert: alert.name,
    expr: unexplained(condition.expr, alert.explainedBy),
    for: condition.for,
    labels: { severity: alert.severity },
    annotations: {
      summary: alert.summary,
      description: alert.cause,
      ...(runbookUrl === undefined ? { runbook: runbookOf(alert) } : { runbook_url: runbookOf(alert, runbookUrl) }),
    },
  };
}

/** An alert's runbook. @param folder Folder or URL of the runbooks. Default: their folder in this repository. */
export function runbookOf({ group, name }: Alert, folder = RUNBOOKS): string {
  return `${folder.replace(/\/$/, "")}/${group}.md#${name.toLowerCase()}`;
}

/**
 * Makes one fault raise one alert: the condition, unless an alert that explains it is pending or firing, or has fired within the condition's
 * lookback window.
 */
function unexplained(expr: string, causes: readonly string[] = []): string {
  if (causes.length === 0) return expr;
  const names = `alertname=~"${causes.join("|")}"`;
  const minutes = Math.max(0, ...Array.from(expr.matchAll(/(?:\[|offset )(\d+)m/g), ([, window]) => Number(window)));
  const now = `ALERTS{${names}}`;
  const before = `last_over_time(ALERTS{${names},alertstate="firing"}[${minutes}m])`;
  return `(${expr}) unless on() ${minutes === 0 ? now : `(${now} or ${before})`}`;
}
