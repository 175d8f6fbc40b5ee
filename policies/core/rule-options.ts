import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema.js";

/** One setting of a rule. */
export interface RuleOption<T> {
  readonly name: string;
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
