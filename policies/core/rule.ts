import type { RuleOption, Settings } from "./options.ts";
import { type Field, type Resource, Undecided } from "./resource.ts";
import type { Stack } from "./stack.ts";

export type Level = "mandatory" | "advisory" | "disabled";
export type Family = "cluster" | "coredns" | "tenancy" | "pods" | "collectors" | "aws";

/** Where a rule comes from. */
export interface Source {
  /** Short name, such as `CIS EKS 1.8.0, 5.4.1`. */
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

/** What a rule says of one resource. */
export interface Verdict {
  readonly outcome: "violated" | "undecided";
  readonly resource: Resource;
  readonly message: string;
}

/** Collects what one rule finds. */
export class Report {
  readonly verdicts: Verdict[] = [];
  private readonly rule: Rule;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** A field is wrong. `problem` says why, after the value: `which lets everyone in`. */
  wrong(field: Field, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${field.path} is ${field.shown}`, problem, fix);
  }

  /** A field is wrong whose value must not be printed. */
  hidden(field: Field, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${field.path} (value not shown)`, problem, fix);
  }

  /** Part of a field, such as a line of a file, is wrong. */
  wrongIn(field: Field, part: string, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${field.path}: ${part}`, problem, fix);
  }

  /** Something that the resource should have is not in the stack. */
  missing(resource: Resource, problem: string, fix: string = this.rule.fix): void {
    this.add("violated", resource, `${resource.label}: ${problem}. Fix: ${fix}`);
  }

  undecided(field: Field, why: string): void {
    this.add(
      "undecided",
      field.owner,
      `${field.owner.label}: ${field.path} ${why}, so nobody can tell yet: ${this.rule.title}`,
    );
  }

  /** Runs a part of a check. Where that meets an unknown value, the other parts still run. */
  part(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      this.undecided(error.field, error.why);
    }
  }

  /** Runs a check on each item, as a part of its own. */
  each<T>(items: Iterable<T>, check: (item: T) => void): void {
    for (const item of items) this.part(() => check(item));
  }

  private say(field: Field, what: string, problem: string, fix: string): void {
    this.add("violated", field.owner, `${field.owner.label}: ${what}, ${problem}. Fix: ${fix}`);
  }

  private add(outcome: Verdict["outcome"], resource: Resource, message: string): void {
    if (this.verdicts.some((verdict) => verdict.message === message && verdict.resource === resource)) return;
    this.verdicts.push({ outcome, resource, message });
  }
}
