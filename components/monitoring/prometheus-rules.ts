import { ALERT_GROUPS, type WatchedStack } from "./alert.ts";
import { type ActiveAlert, alertsOf } from "./alerts/index.ts";

/** Where the runbooks are read. */
const RUNBOOKS = "https://github.com/OWNER/eks-dns-logging/blob/main/docs/runbooks";

/** A rule, as Prometheus reads it. @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The content of a rules file, and the spec of a PrometheusRule. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval: string; readonly rules: readonly Rule[] }[];
}

/** The rules of a stack, a group for each subject. */
export function ruleFile(stack: WatchedStack): RuleFile {
  const active = alertsOf(stack);
  return {
    groups: ALERT_GROUPS.flatMap((name) => {
      const rules = active.filter(({ alert }) => alert.group === name).map(ruleOf);
      return rules.length === 0 ? [] : [{ name: `eks-dns-logging-${name}`, interval: "15s", rules }];
    }),
  };
}

function ruleOf({ alert, condition }: ActiveAlert): Rule {
  return {
    alert: alert.name,
    expr: unexplained(condition.expr, alert.explainedBy),
    for: condition.for,
    labels: { severity: alert.severity },
    annotations: {
      summary: alert.summary,
      description: alert.cause,
      runbook_url: `${RUNBOOKS}/${alert.group}.md#${alert.name.toLowerCase()}`,
    },
  };
}

/** One fault raises one alert: the condition, as long as no alert that explains it is pending or firing. */
function unexplained(expr: string, causes: readonly string[] = []): string {
  return causes.length === 0 ? expr : `(${expr}) unless on() ALERTS{alertname=~"${causes.join("|")}"}`;
}
