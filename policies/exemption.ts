import type { Resource, Rule } from "./rule.ts";

/** Allows by name what a rule forbids, or cannot decide. */
export interface Exemption {
  /** Id of the rule. */
  readonly rule: string;
  /** Name of the resource in the program; `*` stands for any text. */
  readonly resource: string;
  /** Pulumi project that the resource belongs to. Default: any. */
  readonly project?: string;
  readonly reason: string;
}

/** The first exemption that allows a rule to be broken by a resource. */
export function exemptionFor(
  exemptions: readonly Exemption[],
  rule: Pick<Rule, "id">,
  resource: Pick<Resource, "urn" | "name">,
): Exemption | undefined {
  return exemptions.find(
    (exemption) =>
      exemption.rule === rule.id &&
      (exemption.project === undefined || projectOf(resource.urn) === exemption.project) &&
      matches(exemption.resource, resource.name),
  );
}

/** A URN is `urn:pulumi:STACK::PROJECT::TYPES::NAME`. */
function projectOf(urn: string): string | undefined {
  return urn.split("::")[1];
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}
