import { childrenOf, hasNode, type PatternNode } from "./pattern.ts";

/**
 * Dialect of an engine: `re2` for Go, and `rust`, with ASCII semantics where possible; `onigmo` for Fluent Bit and Ruby; and
 * `ecmascript`.
 */
export type Dialect = "re2" | "rust" | "onigmo" | "ecmascript";

const ANCHORS: Readonly<Record<Dialect, { start: string; end: string; boundary: string }>> = {
  re2: { start: "\\A", end: "\\z", boundary: "\\b" },
  // Without this, non-ASCII letters are word characters.
  rust: { start: "\\A", end: "\\z", boundary: "(?-u:\\b)" },
  onigmo: { start: "\\A", end: "\\z", boundary: "(?a:\\b)" },
  ecmascript: { start: "^", end: "$", boundary: "\\b" },
};

/** The pattern in an engine's syntax. It has no blank, quotation mark, `$`, `{` or `%` that a configuration could interpret. */
export function patternText(node: PatternNode, dialect: Dialect): string {
  switch (node.kind) {
    case "set":
      return dialect === "ecmascript" && node.negated ? ecmascriptSet(node) : setText(node);
    case "character":
      return node.text;
    case "sequence":
      return node.parts
        .map((part) => (part.kind === "choice" ? `(?:${patternText(part, dialect)})` : patternText(part, dialect)))
        .join("");
    case "choice":
      return node.options.map((option) => patternText(option, dialect)).join("|");
    case "repeat":
      return repeatText(node, dialect);
    case "group":
      return `(${patternText(node.body, dialect)})`;
    default:
      return ANCHORS[dialect][node.kind];
  }
}

function setText({ ranges, negated }: Extract<PatternNode, { kind: "set" }>): string {
  const [only] = ranges;
  if (!negated && only !== undefined && ranges.length === 1 && only[0] === only[1]) return characterText(only[0]);
  const parts = ranges.map(([from, to]) => {
    if (from === to) return characterText(from);
    return `${characterText(from)}${to === from + 1 ? "" : "-"}${characterText(to)}`;
  });
  return `[${negated ? "^" : ""}${parts.join("")}]`;
}

/** ECMAScript counts a character beyond U+FFFF as two, which a negated set must match together. */
function ecmascriptSet(node: Extract<PatternNode, { kind: "set" }>): string {
  const text = setText(node);
  return `(?:${text.slice(0, -1)}\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])`;
}

/** Letters, digits and a few others unchanged, all else as hexadecimal codes. */
function characterText(code: number): string {
  const character = String.fromCharCode(code);
  return /^[\w@:;,=<>!]$/.test(character) ? character : `\\x${code.toString(16).padStart(2, "0")}`;
}

function repeatText({ body, min, max, lazy }: Extract<PatternNode, { kind: "repeat" }>, dialect: Dialect): string {
  // ECMAScript would repeat half of a character beyond U+FFFF.
  const isOne = body.kind === "set" || body.kind === "group" || (body.kind === "character" && body.text.length === 1);
  const text = isOne ? patternText(body, dialect) : `(?:${patternText(body, dialect)})`;
  return `${text}${countText(min, max)}${lazy ? "?" : ""}`;
}

function countText(min: number, max: number): string {
  const isUnlimited = max === Number.POSITIVE_INFINITY;
  if (min === 0 && isUnlimited) return "*";
  if (min === 1 && isUnlimited) return "+";
  if (min === 0 && max === 1) return "?";
  if (isUnlimited) return `{${min},}`;
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

/** A pattern for exactly this text, in the syntax that all engines share. */
export function literalPattern(text: string): string {
  return text.replaceAll(/[.\\+*?[^\]$(){}|]/g, "\\$&");
}

/** Removes the groups from a pattern to which no replacement refers. */
export function withoutGroups(node: PatternNode): PatternNode {
  switch (node.kind) {
    case "group":
      return withoutGroups(node.body);
    case "sequence":
      return { ...node, parts: node.parts.map(withoutGroups) };
    case "choice":
      return { ...node, options: node.options.map(withoutGroups) };
    case "repeat":
      return { ...node, body: withoutGroups(node.body) };
    default:
      return node;
  }
}

/** Whether a group is repeated: engines differ in its value after the last repetition. */
export function hasRepeatedGroup(node: PatternNode): boolean {
  return hasNode(node, (inner) => inner.kind === "repeat" && inner.max > 1 && groupCount(inner.body) > 0);
}

/** Number of groups to which a replacement can refer. */
export function groupCount(node: PatternNode): number {
  const inside = childrenOf(node).reduce((sum, child) => sum + groupCount(child), 0);
  return inside + (node.kind === "group" ? 1 : 0);
}
