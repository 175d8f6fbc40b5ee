import { existsSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import { type Evaluation, evaluate, type Finding, failing } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import { isPlanOnly } from "../../policies/core/rule.ts";
import { stackOfPlan } from "../../policies/core/stack.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "../../policies/pack.ts";
import { Failure, fileText, PROJECT_ROOT } from "../command-line.ts";
import { bold, boxedTable } from "../output/text.ts";
import { type Recording, UNKNOWN } from "./recording.ts";

/** Runs the policy pack's rules on a plan, without an engine. */
export function policyReport(plan: Recording, config: PackConfig = {}): Evaluation {
  const stack = stackOfPlan(plan, (value) => value === UNKNOWN);
  return evaluate(stack, { rules: RULES, builtIn: BUILT_IN_EXEMPTIONS, config });
}

/** Whether a plan must not be deployed: a mandatory rule is violated or undecided, or the configuration is invalid. */
export function stops(evaluation: Evaluation): boolean {
  return failing(evaluation).length > 0 || evaluation.issues.length > 0;
}

/** The project's policy configuration, used by plans, pull requests and deployments alike. */
export const POLICY_CONFIG_FILE = "policy-config.json";

/**
 * Reads levels, settings and exemptions from a file in the format of `pulumi preview --policy-pack-config`; by default from the project's
 * own file, if it exists.
 * @throws {Failure} if the file does not exist, or is not a JSON object.
 * @see https://www.pulumi.com/docs/insights/policy/configuration/
 */
export async function readPackConfig(file: string | undefined, project: string = PROJECT_ROOT): Promise<PackConfig> {
  const own = join(project, POLICY_CONFIG_FILE);
  if (file !== undefined && !existsSync(file)) throw new Failure(`no policy configuration file ${file}`, 2);
  const text = file === undefined && !existsSync(own) ? "{}" : await fileText(file ?? own);
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) return { ...config };
  } catch {
    // Reported below, like any other value that is not an object.
  }
  const name = file ?? POLICY_CONFIG_FILE;
  throw new Failure(`${name} must be a JSON object of rules, such as {"aws-tags": "mandatory"}`, 2);
}

/** The policy findings for a terminal: counts first, then each resource with its rules, blocking ones first. */
export function formatPolicies(evaluation: Evaluation): string {
  const { findings, issues, warnings, rules } = evaluation;
  const blocking = failing(evaluation);
  const others = findings.filter((finding) => !blocking.includes(finding));
  const exempt = others.filter(({ outcome }) => outcome === "exempt");
  const open = others.filter(({ outcome }) => outcome !== "exempt");
  const count = (wanted: Finding["outcome"]) => findings.filter(({ outcome }) => outcome === wanted).length;
  const verdict = verdictOf(blocking.length + issues.length);
  const lines = [
    `  ${rules} rules: ${verdict}, ${count("violated")} violated, ${count("undecided")} undecided, ${count("exempt")} exempt`,
    ...issues.map((issue) => `  ${styleText("red", "configuration")} ${issue}`),
    ...warnings.map((warning) => `  ${styleText("yellow", "configuration")} ${warning}`),
    ...byResource("red", blocking),
    ...byResource("yellow", open),
    ...byResource("dim", exempt),
  ];
  return `${bold("Policies")}\n${lines.join("\n")}\n`;
}

function verdictOf(failures: number): string {
  if (failures === 0) return "none stops this plan";
  return failures === 1 ? "1 finding stops this plan" : `${failures} findings stop this plan`;
}

type Color = "red" | "yellow" | "dim";

/** Each resource with its rules; resources with the same findings share one entry. */
function byResource(color: Color, findings: readonly Finding[]): string[] {
  const entries = [...Map.groupBy(findings, ({ urn }) => urn).values()].map((ofResource) => ({
    name: `  ${bold(ofResource[0]?.resource ?? "")}`,
    text: [...Map.groupBy(ofResource, ({ rule }) => rule).values()]
      .flatMap((ofRule) => linesOf(color, ofRule))
      .join("\n"),
  }));
  return [...Map.groupBy(entries, ({ text }) => text)].flatMap(([text, alike]) => [
    ...alike.map(({ name }) => name),
    text,
  ]);
}

/** A rule's title and fix, with the details between them. */
function linesOf(color: Color, findings: readonly Finding[]): string[] {
  const [first] = findings;
  if (first === undefined) return [];
  const { rule, level, outcome } = first;
  const title = RULES.find(({ id }) => id === rule)?.title ?? "";
  const fixes = findings.flatMap((finding) => finding.fix ?? []);
  return [
    `    ${styleText(color, `${outcome}, ${level}: ${rule}:`)} ${title}`,
    ...findings.map(({ detail }) => `      ${detail}`),
    ...[...new Set(fixes)].map((fix) => `      Fix: ${fix}`),
  ];
}

/** The rules as a table for a terminal. */
export function rulesTable(): string {
  const rows = RULES.map(({ id, level, title, source }) => [id, level, title, source.id]);
  const table = boxedTable(["rule", "level", "requirement", "from"], rows, { widths: [32, 11, 50, 30] });
  return `${table}\n${RULES.length} rules; --json adds the reason, fix and options of each\n`;
}

/** The rules as JSON. */
export function rulesJson() {
  return RULES.map((rule) => {
    const { id, family, level, title, reason, fix, source } = rule;
    const settings = Object.fromEntries((rule.options ?? []).map(({ name, schema }) => [name, schema]));
    return { id, family, level, title, reason, fix, source, settings, planOnly: isPlanOnly(rule) };
  });
}
