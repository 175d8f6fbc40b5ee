import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { RULES } from "../../policies/rules/index.ts";
import { boxedTable } from "../output/table.ts";

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

function isPlanOnly(rule: Rule): boolean {
  return isStackRule(rule) && rule.planOnly === true;
}
