import { seconds } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";

/** A plugin's line that CoreDNS would reject; the message says what it accepts. */
export class PluginProblem extends Error {}

/** Reads the options in a plugin's braces by name. Unread options remain in {@link OptionReader.rest}. */
export class OptionReader {
  private readonly plugin: string;
  private readonly left: Directive[];

  constructor(directive: Directive) {
    this.plugin = directive.name;
    this.left = [...(directive.block ?? [])];
  }

  /** An option without words. */
  flag(name: string): true | undefined {
    const args = this.take(name);
    if (args === undefined) return undefined;
    if (args.length > 0) this.fail(name, "no words");
    return true;
  }

  /** An option with one integer. */
  integer(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const args = this.take(name);
    if (args === undefined) return undefined;
    return args.length === 1 ? this.number(name, args[0], min, max) : this.fail(name, "one integer");
  }

  /** An option with one duration. */
  duration(name: string): string | undefined {
    const text = this.word(name, "one duration, such as 30s");
    if (text !== undefined && seconds(text) === undefined) this.fail(name, "a duration, such as 30s");
    return text;
  }

  /** An option with one word. */
  word(name: string, wanted = "one word"): string | undefined {
    const args = this.take(name);
    if (args === undefined) return undefined;
    const [text, ...more] = args;
    return text === undefined || more.length > 0 ? this.fail(name, wanted) : text;
  }

  /** An option with one of several words. */
  oneOf<const T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.word(name, `one of ${allowed.join(", ")}`);
    if (text === undefined) return undefined;
    return allowed.find((value) => value === text) ?? this.fail(name, `one of ${allowed.join(", ")}`);
  }

  /** At least `min` words. */
  words(name: string, min = 1): readonly string[] | undefined {
    const args = this.take(name);
    if (args !== undefined && args.length < min) this.fail(name, `at least ${min === 1 ? "one word" : `${min} words`}`);
    return args;
  }

  /** The words of every line with that name, for repeatable options. */
  every(name: string): (readonly string[])[] {
    const found: (readonly string[])[] = [];
    for (let args = this.take(name); args !== undefined; args = this.take(name)) found.push(args);
    return found;
  }

  /** Parses a word of an option as an integer. */
  number(name: string, text: string | undefined, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const value = Number(text);
    if (text === undefined || !/^[+-]?\d+$/.test(text) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
      return this.fail(name, `an integer ${range}, not ${text ?? "nothing"}`);
    }
    return value;
  }

  /** Rejects the line. @param wanted What the option takes. */
  fail(name: string, wanted: string): never {
    throw new PluginProblem(`${this.plugin}: ${name} takes ${wanted}`);
  }

  /** The lines that have not been read, as written; undefined if there are none. */
  rest(): readonly Directive[] | undefined {
    return this.left.length === 0 ? undefined : [...this.left];
  }

  private take(name: string): readonly string[] | undefined {
    const index = this.left.findIndex((line) => line.name === name && line.block === undefined);
    return index === -1 ? undefined : this.left.splice(index, 1)[0]?.args;
  }
}

/** @throws {PluginProblem} if a plugin's own line has arguments. */
export function noArgs({ name, args }: Directive): void {
  if (args.length > 0) throw new PluginProblem(`${name}: takes no words on its line`);
}

/** The only argument of a plugin's own line, if any. @throws {PluginProblem} if there are several. */
export function atMostOneArg({ name, args }: Directive): string | undefined {
  if (args.length > 1) throw new PluginProblem(`${name}: takes at most one word on its line`);
  return args[0];
}

type Words = readonly (string | number | undefined)[];

/** Renders an option: nothing for undefined and false, its name for true, else its name and words. */
export function option(name: string, value: boolean | string | number | Words | undefined): Directive[] {
  if (value === undefined || value === false) return [];
  const words: Words = value === true ? [] : typeof value === "object" ? value : [value];
  return [{ name, args: words.flatMap((word) => (word === undefined ? [] : [String(word)])) }];
}

/** Renders a plugin's line with its options in braces; without options there are no braces. */
export function directive(
  name: string,
  args: Words,
  ...options: readonly (readonly Directive[] | undefined)[]
): Directive {
  const block = options.flatMap((lines) => lines ?? []);
  const line = { name, args: args.flatMap((word) => (word === undefined ? [] : [String(word)])) };
  return block.length === 0 ? line : { ...line, block };
}
