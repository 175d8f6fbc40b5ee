import { createHash } from "node:crypto";
import type { Rule } from "../../policies/core/rule.ts";
import { RULES } from "../../policies/rules/index.ts";
import type { AuditFinding } from "./audit.ts";
import type { AuditReport } from "./audit-report.ts";

/**
 * An audit as SARIF 2.1.0. GitHub's code scanning shows a result at a file alone: an object of a cluster gets the path
 * `kubernetes/NAMESPACE/KIND/NAME`.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 * @see https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
export function sarifOf(report: AuditReport) {
  const found = new Set(report.findings.map(({ rule }) => rule));
  const rules = RULES.filter(({ id }) => found.has(id));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "eks-dns-logging", semanticVersion: "1.0.0", rules: rules.map(descriptor) } },
        automationDetails: { id: `lab-audit/${report.title}` },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [
              ...report.notes.map((text) => ({ level: "note", message: { text } })),
              ...report.skipped.map(({ rule, unread }) => ({
                level: "warning",
                message: { text: `rule ${rule} did not run, since it needs ${unread.join(", ")}` },
              })),
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
  return level === "mandatory" ? "error" : level === "advisory" ? "warning" : "none";
}
