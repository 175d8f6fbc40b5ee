import type { PatternNode } from "./pattern.ts";
import { begins } from "./pattern-risk.ts";
import type { RedactionKind, RedactionRule } from "./redaction.ts";

/** A value as a Lua literal. */
type Literal = string | number | boolean | readonly Literal[] | { readonly [key: string]: Literal };

/** Lua patterns that find something in each text with a match of a kind, and in few others. */
const LIKELY: Readonly<Partial<Record<RedactionKind, string>>> = {
  "credit-card": "[2-6]%d%d%d[ -]?%d%d%d%d",
  ipv4: "%d%.%d+%.%d",
  ipv6: "%x:%x*:%x",
};

/**
 * Rules as the Lua table that `redact.lua` compiles. A rule says what a line must have for its pattern to match, which Lua finds in a
 * tenth of the time: one of some texts, and a first character.
 */
export function luaRules(rules: readonly RedactionRule[]): string {
  return luaText(
    rules.map(({ kind, pattern, replacement, luhn }) => ({
      likely: kind === undefined ? "" : (LIKELY[kind] ?? ""),
      texts: neededTexts(pattern) ?? [],
      first: firstClass(pattern),
      pattern: data(pattern),
      replacement,
      luhn,
    })),
  );
}

/** A node as a list of its kind and what it consists of; no limit is -1. */
function data(node: PatternNode): Literal {
  switch (node.kind) {
    case "set":
      return [node.kind, node.negated, ...node.ranges.flat()];
    case "character":
      return [node.kind, node.text];
    case "sequence":
      return [node.kind, ...node.parts.map(data)];
    case "choice":
      return [node.kind, ...node.options.map(data)];
    case "repeat":
      return [node.kind, data(node.body), node.min, node.max === Number.POSITIVE_INFINITY ? -1 : node.max, node.lazy];
    case "group":
      return [node.kind, data(node.body)];
    default:
      return [node.kind];
  }
}

/** Lua's class of the bytes that a match can begin with. */
function firstClass(node: PatternNode): string {
  const codes = Array.from({ length: 127 }, (_, at) => at + 1).filter((code) => begins(node, code));
  const ascii = codes.map((code) =>
    /\w/.test(String.fromCharCode(code)) ? String.fromCharCode(code) : `%${String.fromCharCode(code)}`,
  );
  return `[${ascii.join("")}${begins(node, 128) ? "\u0080-\u00ff" : ""}]`;
}

/** Texts in lower case one of which is in each match in lower case, the longest that are easily found; undefined where there are none. */
function neededTexts(node: PatternNode): readonly string[] | undefined {
  switch (node.kind) {
    case "group":
      return neededTexts(node.body);
    case "repeat":
      return node.min > 0 ? neededTexts(node.body) : undefined;
    case "choice": {
      const each = node.options.map(neededTexts);
      return each.every((texts) => texts !== undefined) ? [...new Set(each.flat())] : undefined;
    }
    case "sequence":
      return best(candidates(node.parts));
    default:
      return exactText(node) === "" ? undefined : [exactText(node)];
  }
}

function candidates(parts: readonly PatternNode[]): (readonly string[])[] {
  const found: (readonly string[])[] = [];
  let run = "";
  for (const part of parts) {
    const text = exactText(part);
    run += text;
    if (text !== "") continue;
    if (run !== "") found.push([run]);
    run = "";
    const inner = neededTexts(part);
    if (inner !== undefined) found.push(inner);
  }
  return run === "" ? found : [...found, [run]];
}

/** Those whose shortest text is the longest; of equal ones the last: `key` is rarer than `api`. */
function best(found: readonly (readonly string[])[]): readonly string[] | undefined {
  const shortest = (texts: readonly string[]) => Math.min(...texts.map(({ length }) => length));
  return found.reduce<readonly string[] | undefined>(
    (most, texts) => (most === undefined || shortest(texts) >= shortest(most) ? texts : most),
    undefined,
  );
}

/** The text in lower case that a node matches, if it is one alone; else nothing. */
function exactText(node: PatternNode): string {
  if (node.kind === "character") return node.text;
  if (node.kind !== "set" || node.negated) return "";
  const codes = node.ranges.flatMap(([from, to]) => (from === to ? [from] : [from, to, Number.NaN]));
  const texts = new Set(codes.map((code) => (Number.isNaN(code) ? "" : String.fromCharCode(code).toLowerCase())));
  const [only = ""] = texts;
  return texts.size === 1 ? only : "";
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

/** Bytes that are no printable ASCII by their numbers. A character of a class of bytes is the byte of its code. */
function luaString(text: string): string {
  const isBytes = text.endsWith("\u0080-\u00ff]");
  const bytes = isBytes ? Buffer.from(text, "latin1") : Buffer.from(text, "utf8");
  return `"${[...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return byte < 32 || byte > 126 || character === '"' || character === "\\" || character === "$"
        ? `\\${String(byte).padStart(3, "0")}`
        : character;
    })
    .join("")}"`;
}
