import { seconds } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";

/** A line that the model does not read, since CoreDNS may reject it; its setup in `setups/` says why. */
export class Unreadable extends Error {}

/** Reads the options in a plugin's braces by name. Unread options remain in {@link OptionReader.rest}. @throws {Unreadable} */
export class OptionReader {
  private readonly left: Directive[];

  constructor({ block = [] }: Directive) {
    this.left = [...block];
  }

  /** An option without words. */
  flag(name: string): true | undefined {
    return this.words(name, 0, 0) && true;
  }

  /** An option with one integer. */
  integer(name: string, min?: number, max?: number): number | undefined {
    const text = this.word(name);
    return text === undefined ? undefined : integer(text, min, max);
  }

  /** An option with one duration, such as `30s`. */
  duration(name: string): string | undefined {
    const text = this.word(name);
    expect(text === undefined || seconds(text) !== undefined);
    return text;
  }

  /** An option with one word. */
  word(name: string): string | undefined {
    return this.words(name, 1, 1)?.[0];
  }

  /** An option with one of several words. */
  oneOf<const T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.word(name);
    const value = allowed.find((word) => word === text);
    expect(text === value);
    return value;
  }

  /** From `min` to `max` words. */
  words(name: string, min = 1, max = Number.POSITIVE_INFINITY): readonly string[] | undefined {
    const args = this.take(name);
    expect(args === undefined || (args.length >= min && args.length <= max));
    return args;
  }

  /** The words of every line with that name, for repeatable options. */
  every(name: string): (readonly string[])[] {
    const found: (readonly string[])[] = [];
    for (let args = this.take(name); args !== undefined; args = this.take(name)) found.push(args);
    return found;
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

/** @throws {Unreadable} unless a line is as CoreDNS takes it. */
export function expect(isRead: boolean): asserts isRead {
  if (!isRead) throw new Unreadable();
}

/** An integer in a word. @throws {Unreadable} */
export function integer(text: string | undefined, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  expect(text !== undefined && /^[+-]?\d+$/.test(text) && value >= min && value <= max);
  return value;
}

/** The only argument of a plugin's own line, if any. @throws {Unreadable} if there are several. */
export function atMostOneArg({ args }: Directive): string | undefined {
  expect(args.length <= 1);
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
