import { createHash } from "node:crypto";
import { styleText } from "node:util";
import project from "../../package.json" with { type: "json" };
import { type Evaluation, evaluate, type Finding, failing } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import type { Group } from "../../policies/core/resource.ts";
import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { Stack } from "../../policies/core/stack.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "../../policies/pack.ts";
import { code, MAX_COMMENT, plainText } from "../output/markup.ts";
import { plainTable, plural } from "../output/text.ts";
import {
  asResource,
  collectorNamespaces,
  isSystem,
  type KubernetesObject,
  objectKey,
  ownUrn,
  type SourceLine,
  withoutOwned,
} from "./kubernetes-object.ts";

/** The resources to audit, with what is known about them. */
export interface Subject {
  readonly stack: Stack;
  /** URNs of resources that came with the cluster: rules read them but do not report them. */
  readonly system: ReadonlySet<string>;
  /** File and line of a manifest, by URN. */
  readonly sources: ReadonlyMap<string, SourceLine>;
  /** Types that could not be listed, so nothing is known about them. */
  readonly unreadTypes: readonly string[];
}

/** A rule that could not run, and the kinds that it needs. */
export interface SkippedRule {
  readonly rule: string;
  readonly unread: readonly string[];
}

export interface AuditFinding extends Finding {
  readonly source?: SourceLine;
}

export interface Audit extends Omit<Evaluation, "findings" | "exemptions"> {
  readonly findings: readonly AuditFinding[];
  readonly skipped: readonly SkippedRule[];
  /** Number of objects checked, without those that came with the cluster or that a controller owns. */
  readonly objects: number;
}

export interface ObjectsOptions {
  /** Whether the objects run in a cluster; if so, those that came with it are not reported. */
  readonly live: boolean;
  /** Whether to report workloads in kube-system too. Default false. */
  readonly includeSystem?: boolean;
  /** Namespace for objects that name none. Default: default, as in kubectl. */
  readonly namespace?: string | undefined;
  readonly unreadTypes?: readonly string[];
}

/** Prepares Kubernetes objects for an audit. */
export function subjectOf(objects: readonly KubernetesObject[], options: ObjectsOptions): Subject {
  const written = withoutOwned(objects);
  const provider: Group = options.namespace === undefined ? {} : { namespace: options.namespace };
  const system = new Set<string>();
  const sources = new Map<string, SourceLine>();
  const namespaces = collectorNamespaces(written);
  const resources = written.map((object, index) => {
    // An object defined in two files is checked twice, because either may be applied last.
    const suffix = options.live ? "" : `#${index}`;
    const urn = ownUrn(object, namespaces) ?? `${object.apiVersion}/${objectKey(object)}${suffix}`;
    if (options.live && isSystem(object, options.includeSystem ?? false)) system.add(urn);
    if (object.source !== undefined) sources.set(urn, object.source);
    return asResource(object, urn, options.live, provider);
  });
  return { stack: new Stack(resources), system, sources, unreadTypes: options.unreadTypes ?? [] };
}

/** Prepares the resources of a Pulumi stack for an audit. */
export function subjectOfStack(stack: Stack): Subject {
  return { stack, system: new Set(), sources: new Map(), unreadTypes: [] };
}

/** Runs the policy rules. @param config Levels, settings and exemptions, as in `pulumi --policy-pack-config`. */
export function audit({ stack, system, sources, unreadTypes }: Subject, config: PackConfig = {}): Audit {
  const skipped = RULES.flatMap((rule) => skippedRule(rule, unreadTypes));
  const rules = RULES.filter(({ id }) => !skipped.some(({ rule }) => rule === id));
  const evaluation = evaluate(stack, {
    rules,
    config: Object.fromEntries(Object.entries(config).filter(([id]) => !skipped.some(({ rule }) => rule === id))),
    builtIn: BUILT_IN_EXEMPTIONS,
    unusedExemptions: "ignore",
  });
  const findings = evaluation.findings
    .filter(({ urn }) => !system.has(urn))
    .map((finding) => {
      const source = sources.get(finding.urn);
      return source === undefined ? finding : { ...finding, source };
    });
  const judged = stack.resources.filter(({ urn }) => !system.has(urn));
  const { issues, warnings } = evaluation;
  return { findings, issues, warnings, skipped, objects: judged.length, rules: evaluation.rules };
}

/** Skips a rule that relates objects if some kinds could not be listed: it would report false violations. */
function skippedRule(rule: Rule, unreadTypes: readonly string[]): SkippedRule[] {
  if (!isStackRule(rule)) return [];
  const unread = rule.types.filter((type) => unreadTypes.includes(type));
  return unread.length === 0 ? [] : [{ rule: rule.id, unread: unread.map(kindOf) }];
}

/** `RoleBinding` of `kubernetes:rbac.authorization.k8s.io/v1:RoleBinding`. */
export function kindOf(type: string): string {
  return type.split(":").at(-1) ?? type;
}

/** Whether the command exits with code 1: a mandatory rule is violated or undecided, or the configuration is invalid. */
export function fails({ findings, issues }: Audit): boolean {
  return issues.length > 0 || failing({ findings }).length > 0;
}

/** An audit with its subject. */
export interface AuditReport extends Audit {
  readonly title: string;
  /** What was not read, one sentence each. */
  readonly notes: readonly string[];
}

/** How a finding is sorted and colored. */
type Severity = "mandatory" | "advisory" | "exempt";
const SEVERITY: Readonly<Record<Severity, number>> = { mandatory: 0, advisory: 1, exempt: 2 };
const COLORS = { mandatory: "red", advisory: "yellow", exempt: "dim" } as const;

function severityOf({ outcome, level }: AuditFinding): Severity {
  if (outcome === "exempt") return "exempt";
  return level === "mandatory" ? "mandatory" : "advisory";
}

/** Sorts by severity, then by rule, so that one violation in many objects is listed together. */
function sorted(findings: readonly AuditFinding[]): AuditFinding[] {
  return findings.toSorted(
    (one, other) =>
      SEVERITY[severityOf(one)] - SEVERITY[severityOf(other)] ||
      one.rule.localeCompare(other.rule) ||
      one.resource.localeCompare(other.resource),
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

/** Why the audit is incomplete. */
function limits({ notes, skipped, issues, warnings }: AuditReport): string[] {
  return [...[...issues, ...warnings].map((line) => `configuration: ${line}`), ...notes, ...skipped.map(skippedText)];
}

function skippedText({ rule, unread }: SkippedRule): string {
  return `rule ${rule} did not run, because it needs ${unread.join(", ")}`;
}

function place({ source }: AuditFinding): string {
  return source === undefined ? "" : ` (${source.file}:${source.line})`;
}

export function levelText({ outcome, level }: Pick<Finding, "outcome" | "level">): string {
  return outcome === "violated" ? level : outcome;
}

/** The audit as a table for a terminal. */
export function auditTable(report: AuditReport): string {
  const rows = sorted(report.findings).map((finding) => [
    styleText(COLORS[severityOf(finding)], levelText(finding)),
    finding.rule,
    `${finding.resource}${place(finding)}`,
    finding.detail.replaceAll(/\s+/g, " "),
  ]);
  const table = rows.length === 0 ? "" : `${plainTable(["LEVEL", "RULE", "OBJECT", "PROBLEM"], rows)}\n\n`;
  const fixes = RULES.flatMap((rule) => fixesOf(rule, report.findings).map((fix) => [rule.id, fix]));
  const advice = fixes.length === 0 ? "" : `${plainTable(["RULE", "FIX"], fixes)}\n\n`;
  const lines = limits(report).map((line) => `${line}\n`);
  return `${table}${advice}${lines.join("")}${report.title}: ${summary(report)}\n`;
}

/** The fixes of a rule's open findings, without duplicates. An undecided finding has no fix of its own; the rule's fix applies. */
function fixesOf({ id, fix }: Rule, findings: readonly AuditFinding[]): string[] {
  const open = findings.filter(({ rule, outcome }) => rule === id && outcome !== "exempt");
  return [...new Set(open.map((finding) => finding.fix ?? fix))];
}

/** The audit as JSON. */
export function auditJson(report: AuditReport) {
  const { title, objects, rules, notes, skipped, issues, warnings } = report;
  return {
    audited: title,
    objects,
    rules,
    summary: counts(report),
    notes,
    skipped,
    issues,
    warnings,
    findings: sorted(report.findings),
  };
}

/** First line of the pull request comment, by which the next run finds it. GitHub does not show it. */
const AUDIT_MARKER = "<!-- eks-dns-logging: lab audit -->";

/** The audit as the single comment on a pull request. */
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
    if (length > MAX_COMMENT) break;
    shown.push(row);
  }
  const rest = rows.length - shown.length;
  const more = rest === 0 ? "" : `\n\n… and ${rest} more: run \`lab audit\` to see all of them.`;
  return `${head}\n\n${table}\n${shown.join("\n")}${more}${tail}\n`;
}

/** Escapes `|`, which ends a table cell even in a code span. */
function cell(markdown: string): string {
  return markdown.replaceAll(/(?<!\\)\|/g, "\\|");
}

/**
 * An audit as SARIF 2.1.0. GitHub's code scanning only shows results in files, so an object of a cluster gets the path
 * `kubernetes/NAMESPACE/KIND/NAME`.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 * @see https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
export function sarifOf(report: AuditReport) {
  const ids = new Set(report.findings.map(({ rule }) => rule));
  const rules = RULES.filter(({ id }) => ids.has(id));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "eks-dns-logging", semanticVersion: project.version, rules: rules.map(descriptor) } },
        automationDetails: { id: `lab-audit/${report.title}` },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [
              ...report.notes.map((text) => ({ level: "note", message: { text } })),
              ...report.skipped.map((rule) => ({ level: "warning", message: { text: skippedText(rule) } })),
            ],
          },
        ],
        results: report.findings.map((finding) => result(finding, rules)),
      },
    ],
  };
}

function descriptor(rule: Rule) {
  return {
    id: rule.id,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.reason },
    help: { text: `${rule.fix}. Source: ${rule.source.id}` },
    helpUri: rule.source.url,
    defaultConfiguration: { level: levelOf(rule.level) },
    properties: { tags: ["security", rule.family] },
  };
}

function result(finding: AuditFinding, rules: readonly Rule[]) {
  const { rule, resource, detail, outcome, source, message } = finding;
  const fingerprint = createHash("sha256").update([rule, resource, detail].join("\0")).digest("hex");
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: outcome === "violated" ? levelOf(finding.level) : "note",
    kind: outcome === "undecided" ? "review" : "fail",
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(source?.file ?? pathOf(resource)) },
          region: { startLine: source?.line ?? 1 },
        },
        logicalLocations: [{ fullyQualifiedName: resource, kind: "resource" }],
      },
    ],
    partialFingerprints: { "ruleResourceDetail/v1": fingerprint },
    ...(outcome === "exempt" ? { suppressions: [{ kind: "external", justification: detail }] } : {}),
  };
}

/** `kubernetes/payments/Deployment/api` of `Deployment/payments/api`. */
function pathOf(resource: string): string {
  const [kind = "", ...rest] = resource.split("/");
  return ["kubernetes", ...rest.slice(0, -1), kind, ...rest.slice(-1)].join("/");
}

function levelOf(level: AuditFinding["level"]): "error" | "warning" | "none" {
  if (level === "mandatory") return "error";
  return level === "advisory" ? "warning" : "none";
}
