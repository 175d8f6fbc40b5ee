import type { Field, Finding } from "./field.ts";

export const FAMILIES = ["cluster", "coredns", "tenancy", "pods", "collectors", "aws"] as const;
export type Family = (typeof FAMILIES)[number];

/** How strictly a rule is enforced: `mandatory` stops a deployment, `advisory` warns, `disabled` is not asked. */
export type Level = "mandatory" | "advisory" | "disabled";

/** A resource as a rule sees it. */
export interface Resource {
  readonly urn: string;
  /** Type token, such as `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  /** Name in the program, such as `ts-namespace`. */
  readonly name: string;
  readonly inputs: Field;
  /** Paths of the inputs that are secret. Undefined where the caller cannot tell, as in the engine. */
  readonly secrets?: readonly string[];
}

/** A setting of a rule, given in the policy pack's configuration. */
export interface Knob {
  readonly type: "array" | "integer" | "string" | "object";
  readonly description: string;
  readonly default: readonly string[] | number | string | Readonly<Record<string, string>>;
}

/** What a rule may ask besides its resource. */
export interface About {
  /** Every resource of the stack; the rule's own resource alone where its scope is `resource`. */
  readonly all: readonly Resource[];
  /** Values of the rule's knobs, defaults filled in. */
  readonly knobs: Readonly<Record<string, unknown>>;
}

export interface Rule {
  /** Stays the same for ever: configuration and exemptions name it. */
  readonly id: string;
  readonly family: Family;
  readonly level: Exclude<Level, "disabled">;
  /** What must be so, as one sentence. */
  readonly title: string;
  readonly reason: string;
  /** What to change. */
  readonly fix: string;
  /** Benchmark number, Pod Security control or page that the rule comes from. */
  readonly source: string;
  readonly knobs?: Readonly<Record<string, Knob>>;
  /**
   * `resource`: needs only the resource itself, so that the engine stops before it makes it. `stack`: compares resources, at the
   * end of a preview.
   */
  readonly scope: "resource" | "stack";
  /** Type tokens that the rule judges. */
  readonly kinds: readonly string[];
  /** Yields each mistake. Throws Undecided where a value that it needs is not known; what it yielded before counts. */
  readonly check: (resource: Resource, about: About) => Iterable<Finding>;
}

/** The texts of a knob. */
export function textsOf(about: About, knob: string): readonly string[] {
  const value = about.knobs[knob];
  if (!Array.isArray(value)) throw new Error(`${knob} must be a list of texts, not ${JSON.stringify(value)}`);
  return value.map(String);
}

/** The number of a knob. */
export function numberOf(about: About, knob: string): number {
  const value = about.knobs[knob];
  if (typeof value !== "number") throw new Error(`${knob} must be a number, not ${JSON.stringify(value)}`);
  return value;
}

/** The defaults of a rule's knobs, with those that the configuration gives. */
export function knobsOf(rule: Rule, config: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const defaults = Object.entries(rule.knobs ?? {}).map(([key, knob]) => [key, knob.default]);
  return { ...Object.fromEntries(defaults), ...config };
}
