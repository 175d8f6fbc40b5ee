import { type Field, Undecided } from "./field.ts";
import type { Resource } from "./resource.ts";
import type { Rule } from "./rule.ts";

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
