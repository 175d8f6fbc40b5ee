import type { PatternNode } from "../../processing/pattern.ts";
import { begins } from "../../processing/pattern-risk.ts";
import type { RedactionKind, RedactionRule } from "../../processing/redaction.ts";

/** A value as a Lua literal. */
type Literal = string | number | boolean | readonly Literal[] | { readonly [key: string]: Literal };

/** Functions of `redact.lua` that find likely matches of a kind: in each text with a match, and in few others. */
const FINDERS: Readonly<Partial<Record<RedactionKind, "digits" | "dots" | "colons" | "ats">>> = {
  email: "ats",
  "credit-card": "digits",
  ipv4: "dots",
  ipv6: "colons",
};

/**
 * Rules as the Lua table that `redact.lua` compiles. A rule has preconditions of its pattern, which Lua checks in a tenth of the time:
 * one of some texts, and a first character.
 */
export function luaRules(rules: readonly RedactionRule[]): string {
  return luaText(
    rules.map(({ kind, pattern, replacement, luhn, bare }): Literal => {
      if (bare !== undefined) return { bare };
      const finder = kind === undefined ? undefined : FINDERS[kind];
      return {
        finder: finder ?? "",
        texts: finder === undefined ? beginnings(neededTexts(pattern) ?? []) : [],
        first: firstBytes(pattern),
        pattern: patternData(pattern),
        replacement,
        luhn,
      };
    }),
  );
}

/** A node as a list of its kind and contents; -1 means no limit. */
function patternData(node: PatternNode): Literal {
  switch (node.kind) {
    case "set":
      return [node.kind, node.negated, ...node.ranges.flat()];
    case "character":
      return [node.kind, node.text];
    case "sequence":
      return [node.kind, ...node.parts.map(patternData)];
    case "choice":
      return [node.kind, ...node.options.map(patternData)];
    case "repeat":
      return [
        node.kind,
        patternData(node.body),
        node.min,
        node.max === Number.POSITIVE_INFINITY ? -1 : node.max,
        node.lazy,
      ];
    case "group":
      return [node.kind, patternData(node.body)];
    default:
      return [node.kind];
  }
}

/** The first bytes of possible matches, as a set; non-ASCII characters count as one group. */
function firstBytes(node: PatternNode): Literal {
  const codes = Array.from({ length: 128 }, (_, code) => code).filter((code) => begins(node, code));
  const beyond = begins(node, 128) ? [128, 255] : [];
  return ["set", false, ...codes.flatMap((code) => [code, code]), ...beyond];
}

/** Lower-case texts one of which is in each lower-cased match, preferably rare ones that are fast to find; undefined if there are none. */
function neededTexts(node: PatternNode): readonly string[] | undefined {
  const exact = exactTexts(node);
  if (exact !== undefined) return exact.includes("") ? undefined : exact;
  switch (node.kind) {
    case "group":
      return neededTexts(node.body);
    case "repeat":
      return node.min > 0 ? neededTexts(node.body) : undefined;
    case "choice": {
      const optionTexts = node.options.map(neededTexts);
      return optionTexts.every((texts) => texts !== undefined) ? [...new Set(optionTexts.flat())] : undefined;
    }
    case "sequence":
      return rarest(candidates(node.parts));
    default:
      return undefined;
  }
}

/** Replaces texts that share a beginning with the beginning, since each text is searched separately. */
function beginnings(texts: readonly string[]): readonly string[] {
  const of = (text: string) => text.slice(0, BEGINNING);
  const shared = (text: string) => texts.filter((other) => of(other) === of(text)).length > 2;
  return [...new Set(texts.map((text) => (text.length > BEGINNING && shared(text) ? of(text) : text)))];
}

/** Texts of runs of parts with exact texts, and of each other part. */
function candidates(parts: readonly PatternNode[]): (readonly string[])[] {
  const lists: (readonly string[])[] = [];
  let run: readonly string[] = [""];
  const close = () => {
    if (!run.includes("")) lists.push(run);
    run = [""];
  };
  for (const part of parts) {
    const texts = exactTexts(part);
    const longer = texts && concatenated(run, texts);
    if (longer === undefined) close();
    if (texts !== undefined) run = longer ?? texts;
    else lists.push(...[neededTexts(part)].filter((inner) => inner !== undefined));
  }
  close();
  return lists;
}

/** The candidates whose shortest text is longest; of equal ones the last: `key` is rarer than `api`. */
function rarest(lists: readonly (readonly string[])[]): readonly string[] | undefined {
  const shortest = (texts: readonly string[]) => Math.min(...texts.map(rarity));
  return lists.reduce<readonly string[] | undefined>(
    (most, texts) => (most === undefined || shortest(texts) >= shortest(most) ? texts : most),
    undefined,
  );
}

/** A text's length; but almost every line has a dot or a colon. */
function rarity(text: string): number {
  return /^[.: ]$/.test(text) ? 0 : text.length;
}

/** Length of a beginning that is rare enough. */
const BEGINNING = 3;
/** Maximum texts per node. */
const MAX_TEXTS = 6;

/** All lower-case texts that a node matches, if they are few. */
function exactTexts(node: PatternNode): readonly string[] | undefined {
  switch (node.kind) {
    case "character":
      return [node.text];
    case "set": {
      if (node.negated || node.ranges.some(([from, to]) => to - from >= MAX_TEXTS)) return undefined;
      const codes = node.ranges.flatMap(([from, to]) =>
        Array.from({ length: to - from + 1 }, (_, index) => from + index),
      );
      return ifFew(codes.map((code) => String.fromCharCode(code).toLowerCase()));
    }
    case "group":
      return exactTexts(node.body);
    case "choice": {
      const optionTexts = node.options.map(exactTexts);
      return optionTexts.every((texts) => texts !== undefined) ? ifFew(optionTexts.flat()) : undefined;
    }
    case "sequence":
      return node.parts.reduce<readonly string[] | undefined>(
        (before, part) => {
          const texts = before && exactTexts(part);
          return before && texts && concatenated(before, texts);
        },
        [""],
      );
    default:
      return undefined;
  }
}

/** Each text of the first list followed by each of the second, if they are few. */
function concatenated(before: readonly string[], after: readonly string[]): readonly string[] | undefined {
  return ifFew(before.flatMap((text) => after.map((more) => text + more)));
}

/** The different texts; undefined if they are too many. */
function ifFew(texts: readonly string[]): readonly string[] | undefined {
  const different = [...new Set(texts)];
  return different.length > MAX_TEXTS ? undefined : different;
}

function luaText(value: Literal): string {
  if (typeof value === "string") return luaString(value);
  if (typeof value !== "object") return String(value);
  const items = isList(value)
    ? value.map(luaText)
    : Object.entries(value).map(([key, inner]) => `${key} = ${luaText(inner)}`);
  return `{ ${items.join(", ")} }`;
}

function isList(value: readonly Literal[] | { readonly [key: string]: Literal }): value is readonly Literal[] {
  return Array.isArray(value);
}

/** Escapes bytes other than printable ASCII by number. */
function luaString(text: string): string {
  return `"${[...Buffer.from(text, "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return byte < 32 || byte > 126 || character === '"' || character === "\\" || character === "$"
        ? `\\${String(byte).padStart(3, "0")}`
        : character;
    })
    .join("")}"`;
}
