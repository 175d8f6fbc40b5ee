import { isDeepStrictEqual } from "node:util";
import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema.js";
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
  /** Field, value and problem; without the resource and the fix. */
  readonly detail: string;
  /** What to write instead; undefined for what cannot be decided. */
  readonly fix: string | undefined;
  /** Whether it is undecided only because nobody has asked the provider, as a deployment does before it changes anything. */
  readonly deferred: boolean;
}

/** Collects what one rule finds. */
export class Report {
  readonly verdicts: Verdict[] = [];
  private readonly rule: Rule;
  private readonly secrets: readonly string[];
  /** What is said already of each resource. */
  private readonly details = new Map<Resource, Set<string>>();

  /** `secrets` are texts that no message may show. Default: none beside those of the fields that are reported. */
  constructor(rule: Rule, secrets: readonly string[] = []) {
    this.rule = rule;
    this.secrets = secrets;
  }

  /** A field is wrong. `problem` says why, after the value: `which lets everyone in`. */
  wrong(field: Field, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${nameOf(field)} is ${field.shown}`, problem, fix);
  }

  /** A field is wrong whose value must not be printed. */
  hidden(field: Field, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${nameOf(field)} (value not shown)`, problem, fix);
  }

  /** Part of a field, such as a line of a file, is wrong. */
  wrongIn(field: Field, part: string, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${nameOf(field)}: ${part}`, problem, fix);
  }

  /** Something that the resource should have is not in the stack. */
  missing(resource: Resource, problem: string, fix: string = this.rule.fix): void {
    this.add("violated", resource, this.redacted(problem), fix);
  }

  undecided(field: Field, why: string): void {
    const detail = `${nameOf(field)} ${this.redacted(why)}, so this cannot be decided yet: ${this.rule.title}`;
    this.add("undecided", field.owner, detail, undefined);
  }

  /**
   * The deployment decides, which asks the provider for the value and then runs this rule again: no reason to stop before it. Only for a
   * value that nothing in the stack makes, and after every check that does not need it.
   */
  deferred(field: Field, why = "is looked up by the provider"): void {
    const detail = `${nameOf(field)} ${this.redacted(why)}, so the deployment decides: ${this.rule.title}`;
    this.add("undecided", field.owner, detail, undefined, true);
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

  /** Reports a field. Of a secret, or a value that holds one, the message has the rule's title alone, since `problem` may quote it. */
  private say(field: Field, what: string, problem: string, fix: string): void {
    const detail = field.holdsSecret
      ? `${nameOf(field)} (secret, value not shown) does not comply: ${this.rule.title}`
      : this.redacted(`${what}, ${problem}`);
    this.add("violated", field.owner, detail, fix);
  }

  private redacted(text: string): string {
    return this.secrets.reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
  }

  private add(
    outcome: Verdict["outcome"],
    resource: Resource,
    detail: string,
    fix: string | undefined,
    deferred = false,
  ): void {
    const details = this.details.get(resource) ?? new Set<string>();
    if (details.has(detail)) return;
    this.details.set(resource, details.add(detail));
    this.verdicts.push({ outcome, resource, detail, fix, deferred });
  }
}

/** What a message calls a field, which may be all that a resource has. */
function nameOf(field: Field): string {
  return field.path === "" ? "its configuration" : field.path;
}

/** A verdict as one line that stands by itself. */
export function messageOf({ resource, detail, fix }: Verdict): string {
  return `${resource.label}: ${detail}${fix === undefined ? "" : `. Fix: ${fix}`}`;
}

/** One setting of a rule. */
export interface RuleOption<T> {
  readonly name: string;
  /** Name in an earlier version, which is still read. Default: none. */
  readonly formerName?: string;
  readonly schema: PolicyConfigJSONSchema;
  /** The value in a configuration, or the default. @throws {RuleOptionError} where it is of another kind. */
  read(config: Readonly<Record<string, unknown>>): T;
}

/** A rule's configuration is wrong. */
export class RuleOptionError extends Error {}

/** A list of texts. */
export function texts(name: string, description: string, byDefault: readonly string[]): RuleOption<readonly string[]> {
  return {
    name,
    schema: { type: "array", items: { type: "string" }, description, default: [...byDefault] },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
      throw new RuleOptionError(`${name} is ${JSON.stringify(value)}: it must be a list of texts`);
    },
  };
}

/** An integer with a minimum. */
export function count(name: string, description: string, byDefault: number, minimum = 0): RuleOption<number> {
  return {
    name,
    schema: { type: "integer", minimum, description, default: byDefault },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (typeof value === "number" && Number.isInteger(value) && value >= minimum) return value;
      throw new RuleOptionError(`${name} is ${JSON.stringify(value)}: it must be an integer of at least ${minimum}`);
    },
  };
}

/** Yes or no. */
export function flag(name: string, description: string, byDefault: boolean): RuleOption<boolean> {
  return {
    name,
    schema: { type: "boolean", description, default: byDefault },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (typeof value === "boolean") return value;
      throw new RuleOptionError(`${name} is ${JSON.stringify(value)}: it must be true or false`);
    },
  };
}

/** A text, which may be one of a few. */
export function text(
  name: string,
  description: string,
  byDefault: string,
  allowed?: readonly string[],
): RuleOption<string> {
  return {
    name,
    schema: {
      type: "string",
      description,
      default: byDefault,
      ...(allowed === undefined ? {} : { enum: [...allowed] }),
    },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (typeof value === "string" && (allowed?.includes(value) ?? true)) return value;
      const wanted = allowed === undefined ? "a text" : `one of ${allowed.join(", ")}`;
      throw new RuleOptionError(`${name} is ${JSON.stringify(value)}: it must be ${wanted}`);
    },
  };
}

/**
 * An option that had another name in an earlier version. The engine fills in the default under the new name, so a value under the
 * former one counts unless the new one has another.
 */
export function renamed<T>(formerName: string, option: RuleOption<T>): RuleOption<T> {
  return {
    ...option,
    formerName,
    read: (config) => {
      const [value, former] = [config[option.name], config[formerName]];
      const isDefault = value === undefined || isDeepStrictEqual(value, option.schema.default);
      return option.read(former !== undefined && isDefault ? { [option.name]: former } : config);
    },
  };
}

/** The settings of a rule in one run. */
export class Settings {
  private readonly config: Readonly<Record<string, unknown>>;
  constructor(config: Readonly<Record<string, unknown>>) {
    this.config = config;
  }
  get<T>(option: RuleOption<T>): T {
    return option.read(this.config);
  }
}
