/**
 * Regular expressions that mean the same in each collector: RE2 (Go), Rust's regex, Onigmo (Fluent Bit, Ruby), ECMAScript and the matcher of
 * this project in Lua. A pattern is parsed here, once, and written for each of them.
 */

/** Bounds of a class of ASCII characters, as codes. */
type Range = readonly [from: number, to: number];

export type PatternNode =
  | { readonly kind: "set"; readonly ranges: readonly Range[]; readonly negated: boolean }
  /** A character beyond ASCII. */
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
  /** A group that a replacement can name: `$1`. */
  | { readonly kind: "group"; readonly body: PatternNode }
  /** Between a letter, digit or `_` of ASCII and anything else. */
  | { readonly kind: "boundary" }
  /** Of the whole record, also where it has several lines. */
  | { readonly kind: "start" }
  | { readonly kind: "end" };

/** What is wrong with a pattern, as the rest of a sentence. */
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
 * leading `(?i)`. All classes are of ASCII.
 * @throws PatternError for anything else.
 */
export function parsePattern(text: string): PatternNode {
  const ignoreCase = text.startsWith("(?i)");
  const source = [...(ignoreCase ? text.slice(4) : text)];
  let at = 0;

  const fail = (what: string): never => {
    throw new PatternError(`${what} at character ${at + 1 + (ignoreCase ? 4 : 0)}`);
  };
  const take = (expected: string): boolean => {
    if (source[at] !== expected) return false;
    at += 1;
    return true;
  };

  function choice(): PatternNode {
    const options = [sequence()];
    while (take("|")) options.push(sequence());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  function sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") parts.push(repeated());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "sequence", parts };
  }

  function repeated(): PatternNode {
    const body = atom();
    const [min, max] = quantifier() ?? [1, 1];
    if (min === 1 && max === 1) return body;
    if (body.kind === "boundary" || body.kind === "start" || body.kind === "end")
      fail("a quantifier without a character");
    const lazy = take("?");
    if (quantifier() !== undefined) fail("two quantifiers in a row");
    return { kind: "repeat", body, min, max, lazy };
  }

  function quantifier(): readonly [number, number] | undefined {
    if (take("*")) return [0, Number.POSITIVE_INFINITY];
    if (take("+")) return [1, Number.POSITIVE_INFINITY];
    if (take("?")) return [0, 1];
    if (source[at] !== "{") return undefined;
    const found = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(source.slice(at, at + 12).join(""));
    if (found === null) return fail("a brace that is neither a quantifier nor written as \\{");
    const [all, least = "", comma, most] = found;
    const min = Number(least);
    const max = comma === undefined ? min : most === undefined ? Number.POSITIVE_INFINITY : Number(most);
    if (min > max || min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || max === 0)
      fail(`a quantifier that is not in order or over ${MAX_REPEAT}`);
    at += all.length;
    return [min, max];
  }

  function atom(): PatternNode {
    const character = source[at] ?? "";
    if (take("(")) return group();
    if (take("[")) return bracket();
    if (take(".")) return { kind: "set", ranges: [[10, 10]], negated: true };
    if (take("^")) return { kind: "start" };
    if (take("$")) return { kind: "end" };
    if (take("\\")) {
      if (take("b")) return { kind: "boundary" };
      const letter = source[at] ?? "";
      const shorthand = SHORTHANDS[letter.toLowerCase()];
      if (shorthand !== undefined) {
        at += 1;
        return { kind: "set", ranges: shorthand, negated: letter !== letter.toLowerCase() };
      }
      return set([single(escaped())]);
    }
    if (character === "*" || character === "+" || character === "?" || character === "{")
      fail(`a quantifier (${character}) without a character before it`);
    if (character === "}" || character === "]") fail(`${character} that is not written as \\${character}`);
    at += 1;
    if (character > "\u007f") {
      if (ignoreCase && character.toLowerCase() !== character.toUpperCase()) fail("(?i) with a letter beyond ASCII");
      return { kind: "character", text: character };
    }
    return set([single(character.charCodeAt(0))]);
  }

  function group(): PatternNode {
    let capturing = true;
    if (take("?")) {
      if (take(":")) capturing = false;
      else fail("a group other than (…) and (?:…)");
    }
    const body = choice();
    if (!take(")")) fail("a group that is not closed");
    return capturing ? { kind: "group", body } : body;
  }

  function bracket(): PatternNode {
    const negated = take("^");
    const ranges: Range[] = [];
    while (!take("]")) {
      if (at >= source.length) fail("a class that is not closed");
      const shorthand = source[at] === "\\" ? SHORTHANDS[source[at + 1] ?? ""] : undefined;
      if (shorthand !== undefined) {
        ranges.push(...shorthand);
        at += 2;
        continue;
      }
      const from = inClass();
      const isRange = source[at] === "-" && source[at + 1] !== "]" && source[at + 1] !== undefined;
      if (!isRange) {
        ranges.push(single(from));
        continue;
      }
      at += 1;
      const to = inClass();
      if (to < from) fail("a range in a class that is not in order");
      ranges.push([from, to]);
    }
    if (ranges.length === 0) fail("an empty class");
    return set(ranges, negated);
  }

  function inClass(): number {
    const character = source[at] ?? "";
    if (take("\\")) return escaped();
    if (character === "[" || character === "&" || character === "~")
      if (character === "[" || source[at + 1] === character)
        fail(`${character} in a class that is not written as \\${character}`);
    if (character > "\u007f") fail("a character beyond ASCII in a class");
    at += 1;
    return character.charCodeAt(0);
  }

  /** The character that follows a backslash, as a code. */
  function escaped(): number {
    const character = source[at] ?? "";
    const control = CONTROLS[character];
    const hex = /^x([0-7][0-9a-fA-F])/.exec(source.slice(at, at + 3).join(""))?.[1];
    if (hex !== undefined) {
      at += 3;
      return Number.parseInt(hex, 16);
    }
    if (control === undefined && !/^[!-/:-@[-`{-~ ]$/.test(character)) fail(`\\${character}`);
    at += 1;
    return control ?? character.charCodeAt(0);
  }

  function set(ranges: readonly Range[], negated = false): PatternNode {
    return { kind: "set", ranges: ordered(ignoreCase ? ranges.flatMap(bothCases) : ranges), negated };
  }

  const node = choice();
  if (at < source.length) fail("a closing parenthesis without an opening one");
  return node;
}

function single(code: number): Range {
  return [code, code];
}

/** A range with the same letters in the other case. */
function bothCases(range: Range): Range[] {
  const shifted = ([low, high]: Range, by: number): Range[] => {
    const [from, to] = [Math.max(range[0], low), Math.min(range[1], high)];
    return from > to ? [] : [[from + by, to + by]];
  };
  return [range, ...shifted([65, 90], 32), ...shifted([97, 122], -32)];
}

/** Ranges in order, those that meet made one. */
function ordered(ranges: readonly Range[]): Range[] {
  const made: [number, number][] = [];
  for (const [from, to] of [...ranges].sort(([one], [other]) => one - other)) {
    const last = made.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else made.push([from, to]);
  }
  return made;
}

/** Whether the class has the character of this code. */
export function includesCode({ ranges, negated }: Extract<PatternNode, { kind: "set" }>, code: number): boolean {
  return ranges.some(([from, to]) => from <= code && code <= to) !== negated;
}
