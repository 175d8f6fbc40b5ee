import type { Finding } from "./core/evaluate.ts";
import type { Exemption } from "./core/exemption.ts";
import type { Group } from "./core/value.ts";

/** What one run of the engine has told the pack, and what the rules said beside violations. */
export class Ledger {
  /** Inputs by URN. A preview may know no outputs at all, so rules on the whole stack read these. */
  readonly inputs = new Map<string, Group>();
  private readonly said = new Map<string, readonly Finding[]>();
  private readonly configured = new Map<string, Exemption>();
  private readonly used = new Set<string>();
  private readonly issues = new Set<string>();

  /** Keeps what a rule said of what it judged; what it said of that before, as in a preview, counts no more. */
  keep(rule: string, judged: string, findings: readonly Finding[]): void {
    this.said.set(JSON.stringify([rule, judged]), findings);
  }

  /** Keeps the exemptions of the pack's configuration. */
  keepExemptions(configured: readonly Exemption[]): void {
    for (const exemption of configured) this.configured.set(keyOf(exemption), exemption);
  }

  /** Keeps which exemptions allowed something. */
  keepUse(used: readonly Exemption[]): void {
    for (const exemption of used) this.used.add(keyOf(exemption));
  }

  keepIssues(issues: readonly string[]): void {
    for (const issue of issues) this.issues.add(issue);
  }

  findings(outcome: Finding["outcome"]): Finding[] {
    return [...this.said.values()].flat().filter((finding) => finding.outcome === outcome);
  }

  /** What is wrong in the configuration, exemptions that allowed nothing among it. */
  configurationIssues(): string[] {
    const idle = [...this.configured].filter(([key]) => !this.used.has(key));
    return [
      ...this.issues,
      ...idle.map(([, { rule, resource }]) => `exemption of ${resource} from ${rule} has no effect; take it out`),
    ];
  }
}

function keyOf({ rule, resource, reason }: Exemption): string {
  return JSON.stringify([rule, resource, reason]);
}
