import type { Resource } from "./resource.ts";
import type { Verdict } from "./rule.ts";

/** A rule does not bind a resource, for a reason that somebody has written down. */
export interface Exemption {
  /** Id of the rule. */
  readonly rule: string;
  /**
   * URN, Pulumi name or label of the resource (`DaemonSet/logging/fluent-bit`, `Namespace/logging`); `*` stands for any
   * text.
   */
  readonly resource: string;
  readonly reason: string;
  /** Allows only that the rule cannot be decided before deployment. Default: violations too. */
  readonly only?: "undecided";
}

/** An issue in an exemption, as text; undefined where it is complete. */
export function exemptionIssue(exemption: Exemption, ruleIds: ReadonlySet<string>): string | undefined {
  const what = `exemption of ${exemption.resource || "no resource"} from ${exemption.rule}`;
  if (!ruleIds.has(exemption.rule)) return `${what}: there is no such rule`;
  if (exemption.resource.trim() === "") return `${what}: it must name a resource`;
  if (exemption.reason.trim() === "") return `${what}: it must say why`;
  return undefined;
}

export function isExempt(exemption: Exemption, verdict: Verdict): boolean {
  if (exemption.only === "undecided" && verdict.outcome !== "undecided") return false;
  return matchesResource(exemption.resource, verdict.resource);
}

/** Whether a pattern means a resource. */
export function matchesResource(pattern: string, { urn, name, label }: Resource): boolean {
  return [urn, name, label].some((text) => matchesGlob(pattern, text));
}

const GLOBS = new Map<string, RegExp>();

/** Whether a text is of a form in which `*` stands for any text. */
export function matchesGlob(pattern: string, text: string): boolean {
  if (!pattern.includes("*")) return pattern === text;
  const known = GLOBS.get(pattern);
  if (known !== undefined) return known.test(text);
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const compiled = new RegExp(`^${parts.join(".*")}$`, "s");
  GLOBS.set(pattern, compiled);
  return compiled.test(text);
}
