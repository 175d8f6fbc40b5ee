import { isDeepStrictEqual } from "node:util";
import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema.js";
import { type Field, type Resource, SECRET, Undecided } from "./resource.ts";
import type { Stack } from "./stack.ts";

export type Level = "mandatory" | "advisory" | "disabled";
export type Family = "cluster" | "coredns" | "tenancy" | "pods" | "collectors" | "aws";

/** The source of a rule. */
export interface Source {
  /** Short name, such as `CIS EKS 1.8.0, 5.4.1`. */
  readonly id: string;
  readonly url: string;
}

interface RuleFacts {
  /** Name in configurations and messages; starts with the group. */
  readonly id: string;
  readonly family: Family;
  /** Default level. */
  readonly level: Level;
  /** The requirement, in one line. */
  readonly title: string;
  /** The consequence of a violation. */
  readonly reason: string;
  /** How to comply. */
  readonly fix: string;
  readonly source: Source;
  /** Options of the rule. Default: none. */
  readonly options?: readonly RuleOption<unknown>[];
  /** Types of the resources that it checks. A trailing `*` matches any suffix. */
  readonly types: readonly string[];
}

/** A rule about single resources. */
export interface ResourceRule extends RuleFacts {
  check(resource: Resource, report: Report, settings: Settings): void;
}

/** A rule about a resource in relation to others: `types` lists all types that it reads. */
export interface StackRule extends RuleFacts {
  /** Whether the rule needs data that only a plan has and the engine does not pass to a pack. Default false. */
  readonly planOnly?: boolean;
  checkStack(stack: Stack, report: Report, settings: Settings): void;
}

export type Rule = ResourceRule | StackRule;

export function isStackRule(rule: Rule): rule is StackRule {
  return "checkStack" in rule;
}

/** Whether only `lab plan` can check a rule, since the engine lacks data that it needs. */
export function isPlanOnly(rule: Rule): boolean {
  return isStackRule(rule) && rule.planOnly === true;
}

export function judges(rule: Rule, type: string): boolean {
  return rule.types.some((wanted) => (wanted.endsWith("*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted));
}

/** A rule's verdict on a resource. */
export interface Verdict {
  readonly outcome: "violated" | "undecided";
  readonly resource: Resource;
  /** Field, value and problem, without resource and fix. */
  readonly detail: string;
  /** How to comply; undefined if the rule is undecided. */
  readonly fix: string | undefined;
  /** Whether it is undecided only because the provider was not queried, which a deployment does before it changes anything. */
  readonly deferred: boolean;
}

/** Collects the verdicts of a rule. */
export class Report {
  readonly verdicts: Verdict[] = [];
  private readonly rule: Rule;
  private readonly secrets: readonly string[];
  /** Reported details by resource, to avoid duplicates. */
  private readonly details = new Map<Resource, Set<string>>();

  /** `secrets` are texts that no message may show. Default: only those of the reported fields. */
  constructor(rule: Rule, secrets: readonly string[] = []) {
    this.rule = rule;
    this.secrets = secrets;
  }

  /** Reports a field. `problem` follows the value: `which lets everyone in`. */
  wrong(field: Field, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${nameOf(field)} is ${field.shown}`, problem, fix);
  }

  /** Reports a field without its value, which is confidential. */
  hidden(field: Field, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${nameOf(field)} (value not shown)`, problem, fix);
  }

  /** Reports part of a field, such as a line of a file. */
  wrongIn(field: Field, part: string, problem: string, fix: string = this.rule.fix): void {
    this.say(field, `${nameOf(field)}: ${part}`, problem, fix);
  }

  /** Reports something that the stack lacks for a resource. */
  missing(resource: Resource, problem: string, fix: string = this.rule.fix): void {
    this.add({ outcome: "violated", resource, detail: this.redacted(problem), fix });
  }

  undecided(field: Field, why: string): void {
    const detail = `${nameOf(field)} ${this.redacted(why)}, so this cannot be decided yet: ${this.rule.title}`;
    this.add({ outcome: "undecided", resource: field.owner, detail, fix: undefined });
  }

  /**
   * Defers the rule to the deployment, which queries the provider and runs it again: not a reason to stop a plan. Only for a value that
   * nothing in the stack creates, and after all checks that do not need it.
   */
  deferred(field: Field, why = "is looked up by the provider"): void {
    const detail = `${nameOf(field)} ${this.redacted(why)}, so the deployment decides: ${this.rule.title}`;
    this.add({ outcome: "undecided", resource: field.owner, detail, fix: undefined, deferred: true });
  }

  /** Runs part of a check. If it reads an unknown value, the other parts still run. */
  part(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      this.undecided(error.field, error.why);
    }
  }

  /** Runs a check on each item, as a separate part. */
  each<T>(items: Iterable<T>, check: (item: T) => void): void {
    for (const item of items) this.part(() => check(item));
  }

  /** Reports a field. If its value is or contains a secret, the message is only the rule's title, because `problem` may quote it. */
  private say(field: Field, what: string, problem: string, fix: string): void {
    const detail = field.holdsSecret
      ? `${nameOf(field)} (secret, value not shown) does not comply: ${this.rule.title}`
      : this.redacted(`${what}, ${problem}`);
    this.add({ outcome: "violated", resource: field.owner, detail, fix });
  }

  private redacted(text: string): string {
    return this.secrets.reduce((left, secret) => left.replaceAll(secret, SECRET), text);
  }

  private add(verdict: Omit<Verdict, "deferred"> & { readonly deferred?: boolean }): void {
    const { resource, detail } = verdict;
    const details = this.details.get(resource) ?? new Set<string>();
    if (details.has(detail)) return;
    this.details.set(resource, details.add(detail));
    this.verdicts.push({ deferred: false, ...verdict });
  }
}

/** Name of a field in a message; it may be the whole resource. */
function nameOf(field: Field): string {
  return field.path === "" ? "its configuration" : field.path;
}

/** A verdict as a self-contained line. */
export function messageOf({ resource, detail, fix }: Verdict): string {
  return `${resource.label}: ${detail}${fix === undefined ? "" : `. Fix: ${fix}`}`;
}

/** An option of a rule. */
export interface RuleOption<T> {
  readonly name: string;
  /** Former name, which still works. Default: none. */
  readonly formerName?: string;
  readonly schema: PolicyConfigJSONSchema;
  /** The configured value, or the default. @throws {RuleOptionError} if it has another type. */
  read(config: Readonly<Record<string, unknown>>): T;
}

/** An invalid option in a rule's configuration. */
export class RuleOptionError extends Error {}

/** An option that is a list of strings. */
export function texts(name: string, description: string, byDefault: readonly string[]): RuleOption<readonly string[]> {
  return {
    name,
    schema: { type: "array", items: { type: "string" }, description, default: [...byDefault] },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
      throw new RuleOptionError(`${name} must be a list of strings (found ${JSON.stringify(value)})`);
    },
  };
}

/** An option that is an integer with a minimum. */
export function count(name: string, description: string, byDefault: number, minimum = 0): RuleOption<number> {
  return {
    name,
    schema: { type: "integer", minimum, description, default: byDefault },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (typeof value === "number" && Number.isInteger(value) && value >= minimum) return value;
      throw new RuleOptionError(`${name} must be an integer of at least ${minimum} (found ${JSON.stringify(value)})`);
    },
  };
}

/** A Boolean option. */
export function flag(name: string, description: string, byDefault: boolean): RuleOption<boolean> {
  return {
    name,
    schema: { type: "boolean", description, default: byDefault },
    read: (config) => {
      const value = config[name] ?? byDefault;
      if (typeof value === "boolean") return value;
      throw new RuleOptionError(`${name} must be true or false (found ${JSON.stringify(value)})`);
    },
  };
}

/** An option that is a string, perhaps one of a few. */
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
      const wanted = allowed === undefined ? "a string" : `one of ${allowed.join(", ")}`;
      throw new RuleOptionError(`${name} must be ${wanted} (found ${JSON.stringify(value)})`);
    },
  };
}

/**
 * An option with a former name. The engine fills in the default under the current name, so a value under the former name takes precedence,
 * unless the current one differs from the default.
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

/** A rule's options in one run. */
export class Settings {
  private readonly config: Readonly<Record<string, unknown>>;
  constructor(config: Readonly<Record<string, unknown>>) {
    this.config = config;
  }
  get<T>(option: RuleOption<T>): T {
    return option.read(this.config);
  }
}

/** A recommendation of the CIS Amazon EKS Benchmark v1.8.0, whose text requires a login. */
export function cis(number: string): Source {
  return { id: `CIS EKS 1.8.0, ${number}`, url: "https://www.cisecurity.org/benchmark/kubernetes" };
}

/** A control of the Pod Security Standards, by level and name. */
export function podSecurity(level: "Baseline" | "Restricted", control: string): Source {
  return {
    id: `Pod Security 1.36 ${level}: ${control}`,
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
  };
}

/** A page of the AWS documentation, by path. */
export function aws(title: string, path: string): Source {
  return { id: `AWS: ${title}`, url: `https://docs.aws.amazon.com/${path}` };
}

/** A page of the Kubernetes documentation, by path. */
export function kubernetes(title: string, path: string): Source {
  return { id: `Kubernetes: ${title}`, url: `https://kubernetes.io/docs/${path}` };
}

/** A page of the Fluent Bit manual, by path. */
export function fluentBit(title: string, path: string): Source {
  return { id: `Fluent Bit: ${title}`, url: `https://docs.fluentbit.io/manual/${path}` };
}

/** A plugin of CoreDNS. */
export function coreDns(plugin: string): Source {
  return { id: `CoreDNS: ${plugin}`, url: `https://coredns.io/plugins/${plugin}/` };
}
