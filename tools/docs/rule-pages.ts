import { ALERT_GROUPS, type Alert, type AlertGroup, SIGNALS } from "../../components/monitoring/alerts/alert.ts";
import { ALERTS } from "../../components/monitoring/alerts/alert-table.ts";
import { COLLECTOR_METRICS } from "../../components/monitoring/alerts/collector-signals.ts";
import { capitalized } from "../../lab/output/text.ts";
import type { Exemption } from "../../policies/core/pack-config.ts";
import { isPlanOnly, type Rule } from "../../policies/core/rule.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "../../policies/pack.ts";

/** Path of the rules' reference. */
export const POLICIES_FILE = "docs/reference/policies.md";

const FAMILIES = {
  cluster: "The cluster",
  coredns: "CoreDNS",
  tenancy: "Teams and rights",
  pods: "Pods",
  collectors: "Log collectors",
  aws: "The AWS account",
} as const satisfies Record<Rule["family"], string>;

/** An example configuration of the pack. Each line of the page's example is one of its rules. */
export const EXAMPLE = {
  "aws-tags": { enforcementLevel: "mandatory", required: ["project", "environment", "owner"] },
  "pods-non-root": { exempt: [{ resource: "DaemonSet/monitoring/exporter", reason: "reads the host's /proc" }] },
  "cluster-nodes-private": { exempt: [{ resource: "workers", reason: "subnets of another stack", only: "undecided" }] },
};

/** Generates the page of the rules: how to run them, what each requires, and what is exempt. */
export function rulesPage(): string {
  const sections = Object.entries(FAMILIES).flatMap(([family, title]) => [
    `## ${title}`,
    "",
    ...RULES.filter((rule) => rule.family === family).flatMap(entry),
    "",
  ]);
  return [introduction(), ...sections, "## Built-in exemptions", "", EXEMPTIONS, "", ...exemptions(), ""].join("\n");
}

function entry(rule: Rule): string[] {
  const marks = [...(rule.level === "mandatory" ? [] : [rule.level]), ...(isPlanOnly(rule) ? ["`lab plan` only"] : [])];
  const level = marks.length === 0 ? "" : ` (${marks.join(", ")})`;
  return [`- **\`${rule.id}\`**${level}: ${inLine(rule.title)} (${sourceOf(rule)})`, ...options(rule)];
}

/** One line per option of a rule, and one for those that an earlier rule describes. */
function options(rule: Rule): string[] {
  const shared: string[] = [];
  const own = (rule.options ?? []).flatMap(({ name, schema }) => {
    const first = RULES.find((other) => (other.options ?? []).some((option) => option.schema === schema));
    if (first === undefined || first === rule)
      return [`  - \`${name}\` (${defaultOf(schema.default)}): ${inLine(schema.description ?? "")}`];
    shared.push(`\`${name}\``);
    return [];
  });
  return [...own, ...(shared.length === 0 ? [] : [`  - ${shared.join(", ")}`])];
}

/** The source of a rule: a benchmark's section or a standard's level, whose links are elsewhere on the page, or a link to documentation. */
function sourceOf({ source: { id, url } }: Rule): string {
  const [, benchmark] = /^CIS EKS [\d.]+, (.+)$/.exec(id) ?? [];
  if (benchmark !== undefined) return `CIS ${benchmark}`;
  const short = (id.split(": ")[0] ?? id).replace(/ \d\.\d+(,.*)?/, "");
  return short.startsWith("Pod Security") ? short.replace("Pod Security ", "") : `[${short}](${url})`;
}

/** The exempt rules, grouped by the common part of their reasons. */
function exemptions(): string[] {
  const reasonOf = ({ reason }: Exemption) => inLine(reason).split("; ")[0] ?? "";
  return [...Map.groupBy(BUILT_IN_EXEMPTIONS, reasonOf)].map(([reason, same]) => {
    const rules = new Set(same.map(({ rule }) => `\`${rule}\``));
    return `- ${capitalized(reason)}: ${[...rules].join(", ")}`;
  });
}

const MAX_DEFAULTS = 3;

function defaultOf(value: unknown): string {
  const values = Array.isArray(value) ? value : [value];
  if (value === "" || values.length === 0) return "none";
  const shown = values.slice(0, MAX_DEFAULTS).map((shownValue) => `\`${String(shownValue)}\``);
  return `${shown.join(", ")}${values.length > MAX_DEFAULTS ? ` and ${values.length - MAX_DEFAULTS} more` : ""}`;
}

const inLine = (text: string) => text.replaceAll("\n", " ");

function introduction(): string {
  const lines = Object.entries(EXAMPLE).map(([rule, config]) => `  ${JSON.stringify(rule)}: ${JSON.stringify(config)}`);
  return `# Policies

\`\`\`sh
npm run plan
pulumi preview --policy-pack policies --policy-pack-config policy-config.json
\`\`\`

Both commands check the same ${RULES.length} rules, the second on any EKS or Kubernetes stack. \`npm run lab -- policies --json\` prints each rule's reason and
fix; \`pulumi policy publish policies\` publishes the pack.

A violation stops both, unless the rule is advisory. So does a rule that is **undecided**, since it needs a value known only after deployment: for
Pulumi's engine, \`policy-config.json\` makes the policy \`undecided\` mandatory.

Set levels, options and exemptions in \`policy-config.json\`, or in the file given by \`--policy-config\`:

\`\`\`json
{
${lines.join(",\n")}
}
\`\`\`

\`resource\` is a URN, a name in the program, or KIND/NAMESPACE/NAME; \`*\` matches any text. An unused exemption is an error. Resources of a Helm
\`Chart\` are checked, those of a \`Release\` are not. \`all\` sets every policy's level: with it, Pulumi's engine shows no values in findings unless
\`secret-values\` is \`remediate\`.

Options and their defaults follow each rule; an option of several rules is described at the first. CIS is the
[Amazon EKS Benchmark](https://www.cisecurity.org/benchmark/kubernetes) 1.8.0; Baseline and Restricted are the
[Pod Security standards](https://kubernetes.io/docs/concepts/security/pod-security-standards/) of Kubernetes 1.36.

Generated by \`npm run docs\`.
`;
}

const EXEMPTIONS =
  "These exemptions are part of the pack, for resources of this project. Each run lists those that it uses.";

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
