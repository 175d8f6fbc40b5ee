import type { PolicyFinding, PolicyRun } from "./document.ts";

/** What the policies say of head, beside what they said of base. */
export interface PolicyComparison {
  /** Head violates a rule, or leaves one undecided, that base did not. */
  readonly fresh: readonly PolicyFinding[];
  /** It was so in base already. */
  readonly known: readonly PolicyFinding[];
  /** It was so in base and is no more. */
  readonly mended: readonly PolicyFinding[];
  /** Allowed by name in head, each with its reason. */
  readonly exempt: readonly PolicyFinding[];
  /** What is wrong in the configuration of the policies. */
  readonly issues: readonly string[];
  /** How many issues, and mandatory rules that head violates or leaves undecided: the check fails on any. */
  readonly failing: number;
}

/** Compares what the policies say. Undefined where head's plan ran none. */
export function comparePolicies(
  base: PolicyRun | undefined,
  head: PolicyRun | undefined,
): PolicyComparison | undefined {
  if (head === undefined) return undefined;
  const before = (base?.findings ?? []).filter(isOpen);
  const after = head.findings.filter(isOpen);
  const beforeKeys = new Set(before.map(keyOf));
  const afterKeys = new Set(after.map(keyOf));
  return {
    fresh: after.filter((finding) => !beforeKeys.has(keyOf(finding))),
    known: after.filter((finding) => beforeKeys.has(keyOf(finding))),
    mended: before.filter((finding) => !afterKeys.has(keyOf(finding))),
    exempt: head.findings.filter((finding) => finding.outcome === "exempt"),
    issues: head.issues,
    failing: after.filter((finding) => finding.level === "mandatory").length + head.issues.length,
  };
}

function isOpen(finding: PolicyFinding): boolean {
  return finding.outcome !== "exempt" && finding.level !== "disabled";
}

/** A rule may find several issues in one resource, which only their messages tell apart. */
function keyOf({ rule, urn, outcome, message }: PolicyFinding): string {
  return JSON.stringify([rule, urn, outcome, message]);
}
