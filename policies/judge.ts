import { type Finding, Undecided } from "./field.ts";
import type { About, Resource, Rule } from "./rule.ts";

/** What a rule says of one resource. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** Fields that the rule needs and that only the deployment tells; empty where it decided. */
  readonly undecided: readonly string[];
}

/** Asks a rule about a resource of its kinds. */
export function judge(rule: Rule, resource: Resource, about: About): Verdict {
  const findings: Finding[] = [];
  try {
    for (const finding of rule.check(resource, about)) findings.push(finding);
  } catch (error) {
    if (error instanceof Undecided) return { findings, undecided: error.fields };
    throw new Error(`rule ${rule.id} on ${resource.name}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  return { findings, undecided: [] };
}

/** A resource as people name it: `DaemonSet logs-fluent-bit-daemonset`. */
export function nameOf(resource: Pick<Resource, "type" | "name">): string {
  return `${resource.type.split(":").at(-1)} ${resource.name}`;
}

/** A mistake in one sentence, with resource, field, value and fix. */
export function violationMessage(rule: Rule, resource: Resource, finding: Finding): string {
  const where = finding.field === "" ? nameOf(resource) : `${nameOf(resource)}: ${finding.field} is ${finding.value}`;
  return `${where}: ${finding.message}. Fix: ${rule.fix}`;
}

/** Why a rule could not decide. */
export function undecidedMessage(rule: Rule, resource: Resource, fields: readonly string[]): string {
  return `${nameOf(resource)}: cannot tell whether "${rule.title}" holds, since only the deployment tells ${fields.join(", ")}`;
}
