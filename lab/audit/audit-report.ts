import { styleText } from "node:util";
import { RULES } from "../../policies/rules/index.ts";
import { code, plainText } from "../output/markdown.ts";
import { plainTable, plural } from "../output/table.ts";
import type { Audit, AuditFinding } from "./audit.ts";

/** An audit, and what was audited. */
export interface AuditReport extends Audit {
  readonly title: string;
  /** What was not read, a sentence each. */
  readonly notes: readonly string[];
}

/** The worst first, then by rule, so that one violation in many objects is listed together. */
function sorted(findings: readonly AuditFinding[]): AuditFinding[] {
  const rank = ({ outcome, level }: AuditFinding) => (outcome === "exempt" ? 2 : level === "mandatory" ? 0 : 1);
  return findings.toSorted(
    (one, other) =>
      rank(one) - rank(other) || one.rule.localeCompare(other.rule) || one.resource.localeCompare(other.resource),
  );
}

function counts({ findings }: Audit) {
  const open = findings.filter(({ outcome }) => outcome !== "exempt");
  const mandatory = open.filter(({ level }) => level === "mandatory").length;
  return { mandatory, advisory: open.length - mandatory, exempt: findings.length - open.length };
}

/** `2 mandatory, 1 advisory, 0 exempt in 40 objects (60 rules)`. */
function summary(report: AuditReport): string {
  const { mandatory, advisory, exempt } = counts(report);
  return `${mandatory} mandatory, ${advisory} advisory, ${exempt} exempt in ${plural(report.objects, "object")} (${report.rules} rules)`;
}

/** What keeps the audit from being one of everything. */
function limits({ notes, skipped, issues }: AuditReport): string[] {
  return [
    ...issues.map((issue) => `configuration: ${issue}`),
    ...notes,
    ...skipped.map(({ rule, unread }) => `rule ${rule} did not run, since it needs ${unread.join(", ")}`),
  ];
}

function place({ source }: AuditFinding): string {
  return source === undefined ? "" : ` (${source.file}:${source.line})`;
}

function levelText({ outcome, level }: AuditFinding): string {
  return outcome === "violated" ? level : outcome;
}

/** The audit for a terminal. */
export function auditTable(report: AuditReport): string {
  const rows = sorted(report.findings).map((finding) => {
    const level = levelText(finding);
    const color = finding.outcome === "exempt" ? "dim" : finding.level === "mandatory" ? "red" : "yellow";
    return [styleText(color, level), finding.rule, `${finding.resource}${place(finding)}`, oneLine(finding.detail)];
  });
  const table = rows.length === 0 ? "" : `${plainTable(["LEVEL", "RULE", "OBJECT", "PROBLEM"], rows)}\n\n`;
  const open = report.findings.filter(({ outcome }) => outcome !== "exempt").map(({ rule }) => rule);
  const fixes = RULES.filter(({ id }) => open.includes(id)).map(({ id, fix }) => [id, fix]);
  const advice = fixes.length === 0 ? "" : `${plainTable(["RULE", "FIX"], fixes)}\n\n`;
  const lines = limits(report).map((line) => `${line}\n`);
  return `${table}${advice}${lines.join("")}${report.title}: ${summary(report)}\n`;
}

/** The audit for a program. */
export function auditJson(report: AuditReport) {
  const { title, objects, rules, notes, skipped, issues } = report;
  return {
    audited: title,
    objects,
    rules,
    summary: counts(report),
    notes,
    skipped,
    issues,
    findings: sorted(report.findings),
  };
}

/** First line of the comment, by which the next run finds it again. GitHub does not show it. */
const AUDIT_MARKER = "<!-- eks-dns-logging: lab audit -->";

/** GitHub takes 65,536 characters in a comment; the rest is for what the workflow adds. */
const LONGEST_COMMENT = 60_000;

/** The audit as the one comment on a pull request. */
export function auditMarkdown(report: AuditReport): string {
  const head = [AUDIT_MARKER, `### Audit of ${plainText(report.title)}`, `**${summary(report)}**`].join("\n\n");
  const notes = limits(report).map((line) => `- ${plainText(line)}`);
  const tail = notes.length === 0 ? "" : `\n\n${notes.join("\n")}`;
  const open = sorted(report.findings).filter(({ outcome }) => outcome !== "exempt");
  if (open.length === 0) return `${head}${tail}\n`;
  const rows = open.map(
    (finding) =>
      `| ${levelText(finding)} | ${code(finding.rule)} | ${cell(code(`${finding.resource}${place(finding)}`))} | ${cell(plainText(finding.detail))} |`,
  );
  const table = ["| Level | Rule | Object | Problem |", "|---|---|---|---|"].join("\n");
  const shown: string[] = [];
  let length = head.length + tail.length + table.length + 200;
  for (const row of rows) {
    length += row.length + 1;
    if (length > LONGEST_COMMENT) break;
    shown.push(row);
  }
  const rest = rows.length - shown.length;
  const more = rest === 0 ? "" : `\n\n… and ${rest} more: run \`lab audit\` to see all of them.`;
  return `${head}\n\n${table}\n${shown.join("\n")}${more}${tail}\n`;
}

/** A bar ends a cell, in a code span too. */
function cell(markdown: string): string {
  return markdown.replaceAll(/(?<!\\)\|/g, "\\|");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
