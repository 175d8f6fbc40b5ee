import { BUILT_IN_EXEMPTIONS } from "../../policies/built-in-exemptions.ts";
import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { RULES } from "../../policies/rules/index.ts";

/** File that holds the reference of the rules. */
export const POLICIES_FILE = "docs/reference/policies.md";

const FAMILIES = {
  cluster: "The cluster",
  coredns: "CoreDNS",
  tenancy: "Teams and rights",
  pods: "Pods",
  collectors: "Log collectors",
  aws: "The AWS account",
} as const satisfies Record<Rule["family"], string>;

/** A configuration of the pack. Each line of the page's example is one of its rules. */
export const EXAMPLE = {
  "aws-tags": { enforcementLevel: "mandatory", required: ["project", "environment", "owner"] },
  "pods-non-root": { exempt: [{ resource: "DaemonSet/monitoring/exporter", reason: "reads the host's /proc" }] },
  "cluster-nodes-private": { exempt: [{ resource: "workers", reason: "subnets of another stack", only: "undecided" }] },
};

/** The page of the rules: how to run them, each with its reason and fix, and what is exempt. */
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
  const options = (rule.options ?? []).map(({ name, schema }) => {
    const text = `  - \`${name}\`: ${inLine(schema.description ?? "")}. Default ${defaultOf(schema.default)}.`;
    const first = RULES.find((other) => (other.options ?? []).some((option) => option.schema === schema));
    return first === undefined || first === rule ? text : `  - \`${name}\`: as in \`${first.id}\``;
  });
  return [
    `- **\`${rule.id}\`**${level}: ${sentence(rule.title)} ${sentence(rule.reason)} [${rule.source.id}](${rule.source.url})`,
    ...options,
  ];
}

/** The exemptions, those of one resource together, with what their reasons share said once. */
function exemptions(): string[] {
  const byResource = new Map<string, { readonly rule: string; readonly reason: string }[]>();
  for (const { rule, resource, reason } of BUILT_IN_EXEMPTIONS)
    byResource.set(resource, [...(byResource.get(resource) ?? []), { rule, reason: inLine(reason) }]);
  return [...byResource].flatMap(([resource, found]) => {
    const [{ reason: first = "" } = {}] = found;
    const shared = found.length === 1 ? "" : first.slice(0, first.indexOf("; ") + 2);
    const common = found.every(({ reason }) => reason.startsWith(shared)) ? shared : "";
    return [
      `- \`${resource.replace(URN_PREFIX, "")}\`${common === "" ? "" : `: ${common.replace(/; $/, "")}`}`,
      ...found.map(({ rule, reason }) => `  - \`${rule}\`: ${reason.slice(common.length)}`),
    ];
  });
}

const URN_PREFIX = "urn:pulumi:*::eks-dns-logging::";

function isPlanOnly(rule: Rule): boolean {
  return isStackRule(rule) && rule.planOnly === true;
}

const MAX_DEFAULTS = 3;

function defaultOf(value: unknown): string {
  const values = Array.isArray(value) ? value : [value];
  if (value === "" || values.length === 0) return "none";
  const shown = values.slice(0, MAX_DEFAULTS).map((one) => `\`${String(one)}\``);
  return `${shown.join(", ")}${values.length > MAX_DEFAULTS ? ` and ${values.length - MAX_DEFAULTS} more` : ""}`;
}

function sentence(text: string): string {
  const trimmed = inLine(text).replace(/\.$/, "");
  return `${trimmed}.`;
}

const inLine = (text: string) => text.replaceAll("\n", " ");

function introduction(): string {
  const lines = Object.entries(EXAMPLE).map(([rule, config]) => `  ${JSON.stringify(rule)}: ${JSON.stringify(config)}`);
  return `# Policies

\`\`\`sh
npm run plan
pulumi preview --policy-pack policies --policy-pack-config policy-config.json
\`\`\`

Both commands check the same ${RULES.length} rules, defined in \`policies/\`. The first needs no Pulumi CLI, account or cluster. The second works on any
EKS or Kubernetes stack, and \`pulumi policy publish policies\` publishes the pack to an organization. Findings include the fix, and
\`npm run lab -- policies --json\` prints all of them.

A violated mandatory rule stops both commands; rules are mandatory unless marked. A rule that needs a value known only after deployment is
**undecided**: the plan stops, and the engine reports it under the policy \`undecided\`, which \`policy-config.json\` makes mandatory.

Set levels, options and exemptions per rule in \`policy-config.json\`, or in the file given by \`--policy-config\`:

\`\`\`json
{
${lines.join(",\n")}
}
\`\`\`

\`resource\` is a URN, a name in the program, or KIND/NAMESPACE/NAME; \`*\` matches any text. An unused exemption is an error. Resources
that a Helm \`Release\` installs are not checked; those of a \`Chart\` are.

Generated by \`npm run docs\`.
`;
}

const EXEMPTIONS = `Exempt in the stacks of this project, whose URNs begin with \`${URN_PREFIX}\`. Each run lists the exemptions that it uses.`;
