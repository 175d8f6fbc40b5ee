import { ALERT_GROUPS, type Alert, type AlertGroup, SIGNALS } from "../../components/monitoring/alerts/alert.ts";
import { ALERTS } from "../../components/monitoring/alerts/alert-table.ts";
import { COLLECTOR_METRICS } from "../../components/monitoring/alerts/collector-signals.ts";
import { capitalized } from "../../lab/output/text.ts";

const TITLES: Readonly<Record<AlertGroup, string>> = {
  coredns: "CoreDNS alerts",
  "nodelocal-dns": "NodeLocal DNSCache alerts",
  collector: "Log collector alerts",
  platform: "Cluster alerts",
  canary: "Canary alerts",
};

/** Notes that commands for every alert cannot contain. */
const NOTES: Readonly<Partial<Record<AlertGroup, string>>> = {
  coredns:
    "`--from` takes any running pod that has a shell. For an adopted CoreDNS, use the namespace, selector and ConfigMap from `dns.adopt`.",
  collector: "For another collector, use its name instead of `fluent-bit`.",
};

/** The runbooks: one page per group of alerts. */
export const RUNBOOKS = ALERT_GROUPS.map((group) => ({
  file: `docs/runbooks/${group}.md`,
  text: () => runbookPage(group),
}));

function runbookPage(group: AlertGroup): string {
  const alerts = ALERTS.filter((alert) => alert.group === group);
  const common = commonCommands(alerts);
  const first = common.length === 0 ? [] : ["For every alert:", "", "```sh", ...common, "```", ""];
  const extra = group === "collector" ? limits() : [];
  const note = NOTES[group] === undefined ? [] : [NOTES[group], ""];
  return [
    `# ${TITLES[group]}`,
    "",
    ...first,
    ...note,
    ...alerts.flatMap((alert) => section(alert, common)),
    ...extra,
  ].join("\n");
}

/** Minimum number of alerts that share a command for it to be at the top of the page. */
const MIN_COMMON = 3;

function commonCommands(alerts: readonly Alert[]): string[] {
  const counted = Map.groupBy(alerts.flatMap(commandsOf), (command) => command);
  return [...counted].flatMap(([command, uses]) => (uses.length >= MIN_COMMON ? [command] : []));
}

function commandsOf({ steps }: Alert): string[] {
  return steps.flatMap((step) => /^`([^`]+)`$/.exec(step)?.[1] ?? []);
}

function section(alert: Alert, common: readonly string[]): string[] {
  const { name, severity, summary, cause, steps } = alert;
  const commands = commandsOf(alert).filter((command) => !common.includes(command));
  const advice = steps.filter((step) => !/^`[^`]+`$/.test(step));
  return [
    `## ${name}`,
    "",
    `${severity === "critical" ? "Critical" : "Warning"}. ${plain(summary)} ${cause}`,
    "",
    ...(commands.length === 0 ? [] : ["```sh", ...commands, "```", ""]),
    ...(advice.length === 0 ? [] : [advice.join(" "), ""]),
  ];
}

/** Labels whose values are words of the sentence, with those values. */
const WORDS: Readonly<Record<string, string>> = { name: "inside or outside" };

/** A summary without Prometheus templates. */
function plain(summary: string): string {
  return summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => WORDS[label] ?? `\`${label.toUpperCase()}\``)
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, "N");
}

/** What the metrics of some collectors do not show. */
function limits(): string[] {
  const rows = Object.entries(COLLECTOR_METRICS).flatMap(([collector, { path, signals }]) =>
    path === undefined
      ? [{ collector, limit: "has no metrics that Prometheus reads; the canary sees lost and late lines" }]
      : SIGNALS.flatMap((signal) => {
          const limit = signals[signal];
          return typeof limit === "string" ? [{ collector, limit }] : [];
        }),
  );
  const lines = [...Map.groupBy(rows, ({ limit }) => limit)].map(
    ([limit, same]) => `- ${capitalized(limit)}: ${same.map(({ collector }) => `\`${collector}\``).join(", ")}`,
  );
  return ["## Limits", "", ...lines, ""];
}
