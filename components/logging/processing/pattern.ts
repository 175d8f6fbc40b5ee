/**
 * Regular expressions with the same meaning in each collector: RE2 (Go), Rust's regex, Onigmo (Fluent Bit, Ruby), ECMAScript and this
 * project's matcher in Lua. A pattern is parsed here once, and written in the dialect of each.
 */

/** Bounds of an ASCII range, as codes. */
type Range = readonly [from: number, to: number];

export type PatternNode =
  | { readonly kind: "set"; readonly ranges: readonly Range[]; readonly negated: boolean }
  /** A non-ASCII character. */
  | { readonly kind: "character"; readonly text: string }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly body: PatternNode;
      readonly min: number;
      /** Infinity for no limit. */
      readonly max: number;
      readonly lazy: boolean;
    }
  /** A group to which a replacement can refer: `$1`. */
  | { readonly kind: "group"; readonly body: PatternNode }
  /** Between an ASCII letter, digit or `_` and anything else. */
  | { readonly kind: "boundary" }
  /** Start and end of the whole record, even of several lines. */
  | { readonly kind: "start" }
  | { readonly kind: "end" };

/** The nodes directly within a node. */
export function childrenOf(node: PatternNode): readonly PatternNode[] {
  switch (node.kind) {
    case "group":
    case "repeat":
      return [node.body];
    case "choice":
      return node.options;
    case "sequence":
      return node.parts;
    default:
      return [];
  }
}

/** Whether a node, or one within it, passes a test. */
export function hasNode(node: PatternNode, matches: (inner: PatternNode) => boolean): boolean {
  return matches(node) || childrenOf(node).some((child) => hasNode(child, matches));
}

/** Error in a pattern, as the rest of a sentence. */
export class PatternError extends Error {}

/** Go allows no more repetitions. */
const MAX_REPEAT = 1000;

const DIGITS: readonly Range[] = [[48, 57]];
const WORD: readonly Range[] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const BLANKS: readonly Range[] = [
  [9, 13],
  [32, 32],
];
const SHORTHANDS: Readonly<Record<string, readonly Range[]>> = { d: DIGITS, w: WORD, s: BLANKS };
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 };

/**
 * Parses the syntax that all collectors share: characters, classes, groups, `|`, quantifiers, `^`, `$`, `\b`, `\d`, `\w`, `\s` and a
 * leading `(?i)`. All classes are ASCII.
 * @throws PatternError for anything else.
 */
export function parsePattern(text: string): PatternNode {
  return new PatternParser(text).parse();
}

/** Parses a pattern from left to right. */
class PatternParser {
  readonly #ignoreCase: boolean;
  readonly #source: readonly string[];
  /** Position of the next character. */
  #at = 0;

  constructor(text: string) {
    this.#ignoreCase = text.startsWith("(?i)");
    this.#source = [...(this.#ignoreCase ? text.slice(4) : text)];
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#source.length) this.#fail("a closing parenthesis without an opening one");
    return node;
  }

  #fail(what: string): never {
    throw new PatternError(`${what} at character ${this.#at + 1 + (this.#ignoreCase ? 4 : 0)}`);
  }

  #peek(ahead = 0): string | undefined {
    return this.#source[this.#at + ahead];
  }

  #take(expected: string): boolean {
    if (this.#peek() !== expected) return false;
    this.#at += 1;
    return true;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && this.#peek() !== "|" && this.#peek() !== ")") parts.push(this.#repeated());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "sequence", parts };
  }

  #repeated(): PatternNode {
    const body = this.#atom();
    const [min, max] = this.#quantifier() ?? [1, 1];
    if (min === 1 && max === 1) return body;
    if (body.kind === "boundary" || body.kind === "start" || body.kind === "end")
      this.#fail("a quantifier without a character");
    const lazy = this.#take("?");
    if (this.#quantifier() !== undefined) this.#fail("two quantifiers in a row");
    return { kind: "repeat", body, min, max, lazy };
  }

  #quantifier(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    if (this.#peek() !== "{") return undefined;
    const braces = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.#source.slice(this.#at, this.#at + 12).join(""));
    if (braces === null) return this.#fail("a brace that is neither a quantifier nor written as \\{");
    const [all, least = "", comma, most] = braces;
    const min = Number(least);
    const limit = most === undefined ? Number.POSITIVE_INFINITY : Number(most);
    const max = comma === undefined ? min : limit;
    if (min > max || min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || max === 0)
      this.#fail(`a quantifier that is not in order or over ${MAX_REPEAT}`);
    this.#at += all.length;
    return [min, max];
  }

  #atom(): PatternNode {
    const character = this.#peek() ?? "";
    if (this.#take("(")) return this.#group();
    if (this.#take("[")) return this.#bracket();
    if (this.#take(".")) return { kind: "set", ranges: [[10, 10]], negated: true };
    if (this.#take("^")) return { kind: "start" };
    if (this.#take("$")) return { kind: "end" };
    if (this.#take("\\")) return this.#escape();
    if (character === "*" || character === "+" || character === "?" || character === "{")
      this.#fail(`a quantifier (${character}) without a character before it`);
    if (character === "}" || character === "]") this.#fail(`${character} that is not written as \\${character}`);
    this.#at += 1;
    if (character > "\u007f") {
      if (this.#ignoreCase && character.toLowerCase() !== character.toUpperCase())
        this.#fail("(?i) with a letter beyond ASCII");
      return { kind: "character", text: character };
    }
    return this.#set([single(character.charCodeAt(0))]);
  }

  /** An escape sequence outside a class, after its backslash. */
  #escape(): PatternNode {
    if (this.#take("b")) return { kind: "boundary" };
    const letter = this.#peek() ?? "";
    const shorthand = SHORTHANDS[letter.toLowerCase()];
    if (shorthand === undefined) return this.#set([single(this.#escaped())]);
    this.#at += 1;
    return { kind: "set", ranges: shorthand, negated: letter !== letter.toLowerCase() };
  }

  #group(): PatternNode {
    let capturing = true;
    if (this.#take("?")) {
      if (this.#take(":")) capturing = false;
      else this.#fail("a group other than (…) and (?:…)");
    }
    const body = this.#choice();
    if (!this.#take(")")) this.#fail("a group that is not closed");
    return capturing ? { kind: "group", body } : body;
  }

  #bracket(): PatternNode {
    const negated = this.#take("^");
    const ranges: Range[] = [];
    while (!this.#take("]")) {
      if (this.#at >= this.#source.length) this.#fail("a class that is not closed");
      ranges.push(...this.#classItem());
    }
    if (ranges.length === 0) this.#fail("an empty class");
    return this.#set(ranges, negated);
  }

  /** A shorthand, a range or a single character of a class. */
  #classItem(): readonly Range[] {
    const shorthand = this.#peek() === "\\" ? SHORTHANDS[this.#peek(1) ?? ""] : undefined;
    if (shorthand !== undefined) {
      this.#at += 2;
      return shorthand;
    }
    const from = this.#classCharacter();
    const isRange = this.#peek() === "-" && this.#peek(1) !== "]" && this.#peek(1) !== undefined;
    if (!isRange) return [single(from)];
    this.#at += 1;
    const to = this.#classCharacter();
    if (to < from) this.#fail("a range in a class that is not in order");
    return [[from, to]];
  }

  /** Code of a single character of a class. */
  #classCharacter(): number {
    const character = this.#peek() ?? "";
    if (this.#take("\\")) return this.#escaped();
    if (character === "[" || character === "&" || character === "~")
      if (character === "[" || this.#peek(1) === character)
        this.#fail(`${character} in a class that is not written as \\${character}`);
    if (character > "\u007f") this.#fail("a character beyond ASCII in a class");
    this.#at += 1;
    return character.charCodeAt(0);
  }

  /** Code of the character after a backslash. */
  #escaped(): number {
    const character = this.#peek() ?? "";
    const control = CONTROLS[character];
    const hex = /^x([0-7][0-9a-fA-F])/.exec(this.#source.slice(this.#at, this.#at + 3).join(""))?.[1];
    if (hex !== undefined) {
      this.#at += 3;
      return Number.parseInt(hex, 16);
    }
    if (control === undefined && !/^[!-/:-@[-`{-~ ]$/.test(character)) this.#fail(`\\${character}`);
    this.#at += 1;
    return control ?? character.charCodeAt(0);
  }

  #set(ranges: readonly Range[], negated = false): PatternNode {
    return { kind: "set", ranges: mergedRanges(this.#ignoreCase ? ranges.flatMap(bothCases) : ranges), negated };
  }
}

function single(code: number): Range {
  return [code, code];
}

/** A range and its letters in the other case. */
function bothCases(range: Range): Range[] {
  const shifted = ([low, high]: Range, by: number): Range[] => {
    const [from, to] = [Math.max(range[0], low), Math.min(range[1], high)];
    return from > to ? [] : [[from + by, to + by]];
  };
  return [range, ...shifted([65, 90], 32), ...shifted([97, 122], -32)];
}

/** Sorts ranges and merges those that overlap or touch. */
function mergedRanges(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Whether the class contains the character with this code. */
export function includesCode({ ranges, negated }: Extract<PatternNode, { kind: "set" }>, code: number): boolean {
  return ranges.some(([from, to]) => from <= code && code <= to) !== negated;
}
