import { styleText } from "node:util";
import { type Finding, failing } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import { RULES } from "../../policies/pack.ts";
import { audit, kindOf, levelText, subjectOf } from "../audit/audit.ts";
import { plainTable, plural } from "../output/text.ts";
import { POLICY_CONFIG_FILE, policyReport, stops } from "../plan/policy-report.ts";
import type { Recording } from "../plan/recording.ts";
import type { LiveObjects } from "./import-file.ts";
import type { DeploymentPlace } from "./running-coredns.ts";

/** What a policy will say about the written stack. */
export interface ExpectedFinding extends Omit<Finding, "urn" | "message"> {
  /** Whether the rule finds the same in the cluster now; undefined if the user may not list what it reads. */
  readonly before: boolean | undefined;
}

/** The policies' findings in the written stack, mandatory ones first. */
export interface PolicyOutlook {
  readonly findings: readonly ExpectedFinding[];
  /** Errors in the policy configuration, with this stack. */
  readonly issues: readonly string[];
  /** Whether a mandatory finding or an issue makes `lab plan` and `pulumi up --policy-pack` stop. */
  readonly stops: boolean;
}

/** Judges the plan of a written stack, and which of its findings the cluster has already. @param coredns Where CoreDNS runs. */
export function policyOutlook(
  plan: Recording,
  live: LiveObjects,
  coredns: DeploymentPlace,
  config: PackConfig,
): PolicyOutlook {
  const evaluation = policyReport(plan, config);
  const blocking = failing(evaluation);
  const others = evaluation.findings.filter((found) => found.outcome !== "exempt" && !blocking.includes(found));
  const wasSo = findingsNow(live, coredns, config);
  return {
    findings: [...blocking, ...others].map(({ rule, level, outcome, urn: _, resource, detail, fix, message: __ }) => ({
      rule,
      level,
      outcome,
      resource,
      detail,
      ...(fix === undefined ? {} : { fix }),
      before: wasSo(rule, resource),
    })),
    issues: evaluation.issues,
    stops: stops(evaluation),
  };
}

/** Returns a test for findings that the cluster has already, in the object that a planned resource patches, replaces or imports. */
function findingsNow(live: LiveObjects, { namespace, name }: DeploymentPlace, config: PackConfig) {
  const unreadTypes = RULES.flatMap(({ types }) => types).filter((type) => live.unread.has(kindOf(type)));
  const now = audit(subjectOf(live.all, { live: true, includeSystem: true, unreadTypes }), config);
  const ofCoreDns = [`Deployment/${namespace}/${name}`, `ConfigMap/${namespace}/`];
  return (rule: string, resource: string): boolean | undefined => {
    if (now.skipped.some((skipped) => skipped.rule === rule)) return undefined;
    const found = now.findings.filter((finding) => finding.rule === rule).map((finding) => finding.resource);
    // The EKS add-on takes over the Deployment and its ConfigMap.
    if (resource.startsWith("Addon/")) return found.some((label) => ofCoreDns.some((name) => label.startsWith(name)));
    return found.includes(resource.replace(/^(\w+?)Patch\//, "$1/"));
  };
}

/** Settings that `lab adopt` writes, by the rule that judges them. */
const SETTINGS: Readonly<Record<string, string>> = {
  "coredns-replicas": "dns.replicas",
  "coredns-disruption": "dns.podDisruptionBudget",
  "coredns-corefile-complete": "dns.corefile",
  "coredns-lameduck": "dns.corefile",
  "coredns-memory": "dns.resources",
};

/** The outlook for a terminal; empty if the policies find nothing. */
export function outlookText({ findings, issues }: PolicyOutlook): string {
  const wrong = issues.map((issue) => `policy configuration: ${issue}\n`).join("");
  if (findings.length === 0) return wrong;
  const alike = Map.groupBy(findings, ({ rule, detail, before }) => JSON.stringify([rule, detail, before]));
  const cells = [...alike.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [
          [
            styleText(first.level === "mandatory" ? "red" : "yellow", levelText(first), { stream: process.stdout }),
            first.rule,
            first.resource + (others.length === 0 ? "" : `, and ${others.length} more`),
            first.fix === undefined ? first.detail : `${first.detail}. Fix: ${first.fix}`,
            beforeText(first),
          ],
        ],
  );
  const head = ["Level", "Policy", "Resource", "Finding", "In the cluster"];
  return `${plainTable(head, cells, { widths: [11, 28, 40, 64, 17] })}\n\n${verdict(findings)}\n${wrong}`;
}

function beforeText({ before }: ExpectedFinding): string {
  if (before === undefined) return "not readable";
  return before ? "the same now" : "new";
}

function verdict(findings: readonly ExpectedFinding[]): string {
  const blocking = findings.filter(({ level }) => level === "mandatory");
  if (blocking.length === 0) return "No policy stops this stack.";
  const settings = [...new Set(blocking.map(({ rule }) => SETTINGS[rule] ?? "what it says under Fix"))];
  return [
    `${plural(blocking.length, "mandatory finding")}: \`lab plan\` and \`pulumi up --policy-pack policies\` refuse this stack until you change`,
    `${settings.join(" and ")}, or exempt the resource in ${POLICY_CONFIG_FILE}, with a reason.`,
  ].join("\n");
}
