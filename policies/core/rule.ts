import type { Report } from "./report.ts";
import type { Resource } from "./resource.ts";
import type { RuleOption, Settings } from "./rule-option.ts";
import type { Stack } from "./stack.ts";

export type Level = "mandatory" | "advisory" | "disabled";
export type Family = "cluster" | "coredns" | "tenancy" | "pods" | "collectors" | "aws";

/** Where a rule comes from. */
export interface Source {
  /** Short name, such as `CIS EKS 1.7.0, 5.4.1`. */
  readonly id: string;
  readonly url: string;
}

interface RuleFacts {
  /** Name in configurations and messages; starts with the family. */
  readonly id: string;
  readonly family: Family;
  /** Level unless configured. */
  readonly level: Level;
  /** What must be so, in one line. */
  readonly title: string;
  /** What goes wrong otherwise. */
  readonly reason: string;
  /** What to write instead. */
  readonly fix: string;
  readonly source: Source;
  /** Settings of the rule. Default: none. */
  readonly options?: readonly RuleOption<unknown>[];
  /** Types of the resources that it judges. Ends in `*` for all types that start so. */
  readonly types: readonly string[];
}

/** A rule on one resource by itself. */
export interface ResourceRule extends RuleFacts {
  check(resource: Resource, report: Report, settings: Settings): void;
}

/** A rule on a resource beside others: `types` names all that it reads. */
export interface StackRule extends RuleFacts {
  /** Only a plan tells what this rule reads; the engine tells a pack nothing of it. Default false. */
  readonly planOnly?: boolean;
  checkStack(stack: Stack, report: Report, settings: Settings): void;
}

export type Rule = ResourceRule | StackRule;

export function isStackRule(rule: Rule): rule is StackRule {
  return "checkStack" in rule;
}

export function judges(rule: Rule, type: string): boolean {
  return rule.types.some((wanted) => (wanted.endsWith("*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted));
}
