import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { STANDING_EXEMPTIONS } from "../../policies/exemptions.ts";
import { RULES } from "../../policies/rules/index.ts";
import { boxedTable } from "../output/table.ts";

/** File that holds the table of the rules. */
export const POLICIES_FILE = "docs/policies.md";

const FAMILIES = {
  cluster: "The cluster",
  coredns: "CoreDNS",
  tenancy: "Teams and rights",
  pods: "Pods",
  collectors: "Log collectors",
  aws: "The AWS account",
} as const satisfies Record<Rule["family"], string>;

/** The rules for a terminal. */
export function rulesTable(): string {
  const rows = RULES.map(({ id, level, title, source }) => [id, level, title, source.id]);
  const table = boxedTable(["rule", "level", "what must be so", "from"], rows, { widths: [32, 11, 50, 30] });
  return `${table}\n${RULES.length} rules; --json adds the reason, the fix and the settings of each\n`;
}

/** The rules for a program. */
export function rulesJson() {
  return RULES.map((rule) => {
    const { id, family, level, title, reason, fix, source } = rule;
    const settings = Object.fromEntries((rule.options ?? []).map(({ name, schema }) => [name, schema]));
    return { id, family, level, title, reason, fix, source, settings, planOnly: isPlanOnly(rule) };
  });
}

/** The page of the rules: how to run them, each with its reason and fix, and what is exempt. */
export function rulesPage(): string {
  const sections = Object.entries(FAMILIES).map(([family, title]) => {
    const rules = RULES.filter((rule) => rule.family === family);
    return [
      `## ${title}`,
      "",
      "| rule | level | reason | fix | settings | from |",
      "|---|---|---|---|---|---|",
      ...rules.map(row),
      "",
    ];
  });
  const exemptions = STANDING_EXEMPTIONS.map(
    ({ rule, resource, reason }) => `| \`${rule}\` | \`${inCell(resource)}\` | ${inCell(reason)} |`,
  );
  return [
    INTRODUCTION,
    ...sections.flat(),
    "## What is exempt",
    "",
    "Of this project's own stacks. Every run lists those that it uses, and a test fails on one that none uses.",
    "",
    "| rule | resource | reason |",
    "|---|---|---|",
    ...exemptions,
    "",
  ].join("\n");
}

function row(rule: Rule): string {
  const cells = [
    `\`${rule.id}\`<br>${inCell(rule.title)}`,
    rule.level + (isPlanOnly(rule) ? "<br>in `lab plan` only" : ""),
    inCell(rule.reason),
    inCell(rule.fix),
    (rule.options ?? [])
      .map(
        ({ name, schema }) => `\`${name}\`: ${inCell(schema.description ?? "")}. Default ${defaultOf(schema.default)}`,
      )
      .join("<br>"),
    `[${inCell(rule.source.id)}](${rule.source.url})`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function isPlanOnly(rule: Rule): boolean {
  return isStackRule(rule) && rule.planOnly === true;
}

function defaultOf(value: unknown): string {
  const values = Array.isArray(value) ? value : [value];
  const shown = values.map((one) => `\`${String(one)}\``).join(", ");
  return value === "" || values.length === 0 ? "none" : inCell(shown);
}

/** A bar would end the table's cell. */
function inCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** A configuration of the pack. Each line of the page's example is one of its rules. */
export const EXAMPLE = {
  "aws-tags": { enforcementLevel: "mandatory", required: ["project", "environment", "owner"] },
  "pods-non-root": { exempt: [{ resource: "DaemonSet/monitoring/exporter", reason: "reads the host's /proc" }] },
  "cluster-nodes-private": { exempt: [{ resource: "workers", reason: "subnets of another stack", only: "undecided" }] },
};

function exampleText(): string {
  const lines = Object.entries(EXAMPLE).map(([rule, config]) => `  ${JSON.stringify(rule)}: ${JSON.stringify(config)}`);
  return `{\n${lines.join(",\n")}\n}`;
}

const INTRODUCTION = `# Policies

${RULES.length} rules that find mistakes before they are deployed. One definition, in \`policies/\`, runs in two places:

- \`npm run plan\` asks them about the planned resources, without CLI, account or cluster.
- \`pulumi preview --policy-pack policies\` and \`pulumi up --policy-pack policies\` ask them in Pulumi's engine, on this stack and on any other
  EKS or Kubernetes stack. \`pulumi policy publish policies\` gives them to an organization.

A mandatory rule that is violated stops both. A value that only the deployment tells passes no rule silently: where a rule needs it, \`npm run plan\`
reports the rule as undecided and stops, and the engine lists it under the policy \`undecided\`, which is advisory of itself, and mandatory by this
project's \`policy-config.json\`. The engine does not tell a pack which levels are configured: \`undecided\` goes by each rule's own.

Levels, settings and exemptions are given by rule, in a JSON file. \`npm run plan\`, \`lab diff\` and the workflows read \`policy-config.json\` of the revision
that they judge; by hand it is \`pulumi … --policy-pack policies --policy-pack-config policy-config.json\`, or \`npm run plan -- --policy-config FILE\` for
another one. An example:

\`\`\`json
${exampleText()}
\`\`\`

A resource is named by its URN, its name in the program, or KIND/NAMESPACE/NAME; \`*\` stands for any text. An exemption that allows nothing is an issue.

What a \`kubernetes.helm.sh.v3.Release\` installs is made by Helm, and neither run sees it; what a \`Chart\` makes, both see.
The pack's entry is \`main.js\`, since Pulumi hands a TypeScript entry to a compiler of its own; Node runs all else as it is.

This page is generated by \`npm run docs\`.
`;
