import { type Exemption, exemptionFor } from "./exemption.ts";
import { Field, type Finding, marked } from "./field.ts";
import { judge, undecidedMessage, violationMessage } from "./judge.ts";
import { knobsOf, type Level, type Resource, type Rule } from "./rule.ts";

/** A resource that is planned: what a policy needs of it. */
export interface Planned {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
}

export interface CheckOptions {
  readonly rules: readonly Rule[];
  readonly exemptions: readonly Exemption[];
  /** Whether a value is one that only the deployment tells. */
  readonly isUnknown: (value: unknown) => boolean;
  /** By rule id: its level, and values of its knobs. Default: each rule's own. */
  readonly config?: Readonly<Record<string, { readonly enforcementLevel?: Level; readonly [knob: string]: unknown }>>;
}

/** One thing that a rule says of a resource. */
export interface Said {
  readonly rule: Rule;
  readonly level: Exclude<Level, "disabled">;
  readonly resource: Resource;
  /** Names resource, field, value and fix. */
  readonly message: string;
}

export interface Violation extends Said {
  readonly finding: Finding;
}

export interface Undecided extends Said {
  readonly fields: readonly string[];
}

export interface Exempted extends Said {
  readonly exemption: Exemption;
}

export interface Result {
  readonly violations: readonly Violation[];
  readonly undecided: readonly Undecided[];
  readonly exempted: readonly Exempted[];
  /** Exemptions that allowed nothing: they are to be taken away. */
  readonly unusedExemptions: readonly Exemption[];
}

/** Asks every rule about every planned resource of its kinds. */
export function checkPlan(planned: readonly Planned[], options: CheckOptions): Result {
  const all = planned.map((resource) => resourceOf(resource, options.isUnknown));
  return checkResources(all, options);
}

export function resourceOf(planned: Planned, isUnknown: (value: unknown) => boolean): Resource {
  const { urn, type, name, secrets } = planned;
  const inputs = new Field(marked(planned.inputs, isUnknown));
  return secrets === undefined ? { urn, type, name, inputs } : { urn, type, name, inputs, secrets };
}

/** As {@link checkPlan}, for resources whose unknown values are marked. */
export function checkResources(
  all: readonly Resource[],
  { rules, exemptions, config = {} }: Omit<CheckOptions, "isUnknown">,
): Result {
  const violations: Violation[] = [];
  const undecided: Undecided[] = [];
  const exempted: Exempted[] = [];

  for (const rule of rules) {
    const { enforcementLevel: level = rule.level, ...knobs } = config[rule.id] ?? {};
    if (level === "disabled") continue;
    const about = { all, knobs: knobsOf(rule, knobs) };
    for (const resource of all.filter(({ type }) => rule.kinds.includes(type))) {
      const { findings, undecided: fields } = judge(rule, resource, about);
      const said = { rule, level, resource };
      const exemption = exemptionFor(exemptions, rule, resource);
      for (const finding of findings) {
        const message = violationMessage(rule, resource, finding);
        if (exemption === undefined) violations.push({ ...said, message, finding });
        else exempted.push({ ...said, message, exemption });
      }
      if (fields.length === 0) continue;
      const message = undecidedMessage(rule, resource, fields);
      if (exemption === undefined) undecided.push({ ...said, message, fields });
      else exempted.push({ ...said, message, exemption });
    }
  }
  const used = new Set(exempted.map(({ exemption }) => exemption));
  return { violations, undecided, exempted, unusedExemptions: exemptions.filter((exemption) => !used.has(exemption)) };
}
