import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { BUILT_IN_EXEMPTIONS } from "../../policies/built-in-exemptions.ts";
import { type Evaluation, evaluate, type Finding, failing } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { stackOfPlan } from "../../policies/core/stack.ts";
import { RULES } from "../../policies/rules/index.ts";
import { Failure, PROJECT_ROOT } from "../command-line.ts";
import { boxedTable } from "../output/table.ts";
import type { Recording } from "./plan.ts";
import { UNKNOWN } from "./planned.ts";

/** What the policies say of a plan: the rules of the policy pack, without an engine. */
export function policyReport(plan: Recording, config: PackConfig = {}): Evaluation {
  const stack = stackOfPlan(plan, (value) => value === UNKNOWN);
  return evaluate(stack, { rules: RULES, builtIn: BUILT_IN_EXEMPTIONS, config });
}

/** Whether a plan must not go on: a mandatory rule is violated or left open, or the configuration is wrong. */
export function stops(evaluation: Evaluation): boolean {
  return failing(evaluation).length > 0 || evaluation.issues.length > 0;
}

/** File of the project that plans, pull requests and deployments alike take their configuration of the policies from. */
export const POLICY_CONFIG_FILE = "policy-config.json";

/**
 * Reads levels, settings and exemptions from a file of the form of `pulumi preview --policy-pack-config`; without one, from the
 * project's own, where it has any.
 * @throws {Failure} where there is no such file, or it is no JSON object.
 * @see https://www.pulumi.com/docs/insights/policy/configuration/
 */
export async function readPackConfig(file: string | undefined, project: string = PROJECT_ROOT): Promise<PackConfig> {
  const text = await readFile(file ?? join(project, POLICY_CONFIG_FILE), "utf8").catch(() => {
    if (file === undefined) return "{}";
    throw new Failure(`no policy configuration file ${file}`, 2);
  });
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) return { ...config };
  } catch {
    // Told below, as anything else that is no object.
  }
  const name = file ?? POLICY_CONFIG_FILE;
  throw new Failure(`${name} must be a JSON object of rules, such as {"aws-tags": "mandatory"}`, 2);
}

const TITLES = { violated: "violated", undecided: "undecided", exempt: "exempt" } as const;

/** What the policies say, for a person: what stops the plan first, exemptions last and each with its reason. */
export function formatPolicies(evaluation: Evaluation): string {
  const { findings, issues, rules } = evaluation;
  const stopping = failing(evaluation);
  const others = findings.filter((finding) => !stopping.includes(finding));
  const lines = [
    ...stopping.map((finding) => line("red", finding)),
    ...issues.map((issue) => `  ${styleText("red", "configuration")} ${issue}`),
    ...others.filter(({ outcome }) => outcome !== "exempt").map((finding) => line("yellow", finding)),
    ...others.filter(({ outcome }) => outcome === "exempt").map((finding) => line("dim", finding)),
  ];
  const exempt = findings.filter(({ outcome }) => outcome === "exempt").length;
  const failed = stopping.length + issues.length;
  const summary = `${rules} rules: ${failed === 0 ? "none stops this plan" : `${failed} ${failed === 1 ? "finding stops" : "findings stop"} this plan`}, ${exempt} exempt`;
  return `\n${styleText("bold", "Policies")}\n${lines.join("\n")}${lines.length > 0 ? "\n" : ""}  ${summary}\n`;
}

function line(color: "red" | "yellow" | "dim", { rule, level, outcome, message }: Finding): string {
  return `  ${styleText(color, `${TITLES[outcome]}, ${level}: ${rule}`)}\n    ${message}`;
}

/** The rules for a terminal. */
export function rulesTable(): string {
  const rows = RULES.map(({ id, level, title, source }) => [id, level, title, source.id]);
  const table = boxedTable(["rule", "level", "requirement", "from"], rows, { widths: [32, 11, 50, 30] });
  return `${table}\n${RULES.length} rules; --json adds the reason, fix and options of each\n`;
}

/** The rules for a program. */
export function rulesJson() {
  return RULES.map((rule) => {
    const { id, family, level, title, reason, fix, source } = rule;
    const settings = Object.fromEntries((rule.options ?? []).map(({ name, schema }) => [name, schema]));
    return { id, family, level, title, reason, fix, source, settings, planOnly: isPlanOnly(rule) };
  });
}

function isPlanOnly(rule: Rule): boolean {
  return isStackRule(rule) && rule.planOnly === true;
}
