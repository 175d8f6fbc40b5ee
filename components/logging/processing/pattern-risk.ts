import { childrenOf, hasNode, includesCode, PatternError, type PatternNode } from "./pattern.ts";

/** From this number of repetitions on, a quantifier counts as unlimited. */
const MANY = 16;
/** Maximum repetitions at a pattern's beginning, which is tried at each character of a line. */
const MAX_FIRST = 256;
/** Instead of a code: an anchor, which separates nothing. */
const ANCHOR = -1;
/** Maximum length of a pattern with its quantifiers expanded: what Go and Rust still compile into little memory. */
const MAX_STEPS = 2000;
const CODES = Array.from({ length: 129 }, (_, code) => code);

/**
 * Rejects patterns on which some collector's engine could spend seconds: those that can divide the same text among repetitions in more ways
 * than its length. Also patterns that would compile into megabytes.
 * @throws PatternError
 */
export function refuseRisk(node: PatternNode): void {
  if (expandedLength(node) > MAX_STEPS)
    throw new PatternError(`more than ${MAX_STEPS} steps when its quantifiers are written out`);
  refuseRiskyRepeats(node);
  refuseSharedText(node);
}

/** Rejects repetitions of what can be empty, and what {@link refuseNestedRepeats} rejects, anywhere in a pattern. */
function refuseRiskyRepeats(node: PatternNode): void {
  childrenOf(node).forEach(refuseRiskyRepeats);
  if (node.kind !== "repeat") return;
  // Engines differ on empty repetitions.
  if (canBeEmpty(node.body)) throw new PatternError("a quantifier after something that can be empty");
  if (node.max > 1) refuseNestedRepeats(node.body);
}

/** Rejects nested repetitions, `(a+)*`, if no character ends the inner one, and repeated alternatives that begin alike, `(a|ab)*`. */
function refuseNestedRepeats(body: PatternNode): void {
  const inner = variableCodes(body);
  const isDelimited = partsOf(body).some(
    ({ isLong, codes }) => !isLong && !codes.has(ANCHOR) && !inner.some((code) => codes.has(code)),
  );
  if (inner.length > 0 && !isDelimited)
    throw new PatternError("a quantifier within another, which takes time without bound on some lines");
  const ambiguous = hasNode(
    body,
    (node) =>
      node.kind === "choice" &&
      node.options.some((one, index) => node.options.slice(index + 1).some((other) => canBeginAlike(one, other))),
  );
  if (ambiguous)
    throw new PatternError(
      "alternatives that begin alike within a quantifier, which take time without bound on some lines",
    );
}

/** Codes of what is repeated a variable number of times. */
function variableCodes(node: PatternNode): number[] {
  if (node.kind === "repeat" && node.min !== node.max) return [...codesOf(node.body)];
  return childrenOf(node).flatMap(variableCodes);
}

/** A part of a pattern: codes of a long repetition, or of a part that occurs once. 128 stands for all non-ASCII characters. */
interface Part {
  readonly isLong: boolean;
  /** Whether it must occur. */
  readonly isNeeded: boolean;
  readonly codes: ReadonlySet<number>;
}

/**
 * Rejects two long repetitions that can share characters, `.*a.*b`: if what is between them ends neither, each division is tried after a
 * failure. The last repetition of a pattern never fails.
 */
function refuseSharedText(node: PatternNode): void {
  const parts = partsOf(node);
  for (const [index, one] of parts.entries())
    for (const [distance, other] of parts.slice(index + 1, -1).entries()) {
      if (!one.isLong || !other.isLong || isDisjoint(one, other)) continue;
      const between = parts.slice(index + 1, index + 1 + distance).filter(({ isNeeded }) => isNeeded);
      if (!between.some((part) => isDisjoint(part, one) || isDisjoint(part, other)))
        throw new PatternError("two long repetitions that can share characters, as .* and .* in .*a.*b");
    }
  if (parts.length > 1 && firstRepetitions(node) > MAX_FIRST)
    throw new PatternError(
      `a long repetition at its beginning; it may have a limit of up to ${MAX_FIRST}, such as {1,64}`,
    );
}

/** The parts of a pattern in order, required and optional. An anchor is a part without characters. */
function partsOf(node: PatternNode): Part[] {
  switch (node.kind) {
    case "group":
      return partsOf(node.body);
    case "sequence":
      return node.parts.flatMap(partsOf);
    case "repeat":
      if (node.max > MANY && node.max !== node.min)
        return [{ isLong: true, isNeeded: node.min > 0, codes: codesOf(node) }];
      return node.min === 0 ? partsOf(node.body).filter(({ isLong }) => isLong) : partsOf(node.body);
    case "choice": {
      const long = node.options.flatMap(partsOf).filter(({ isLong }) => isLong);
      if (long.length === 0) return canBeEmpty(node) ? [] : [{ isLong: false, isNeeded: true, codes: codesOf(node) }];
      return [{ isLong: true, isNeeded: false, codes: new Set(long.flatMap(({ codes }) => [...codes])) }];
    }
    case "set":
    case "character":
      return [{ isLong: false, isNeeded: true, codes: codesOf(node) }];
    default:
      return [{ isLong: false, isNeeded: true, codes: new Set([ANCHOR]) }];
  }
}

/** Codes of the characters that can occur in a match. */
function codesOf(node: PatternNode): ReadonlySet<number> {
  return new Set(CODES.filter((code) => canContain(node, code)));
}

/** Whether two parts have no character in common; an anchor has none that could tell. */
function isDisjoint(one: Part, other: Part): boolean {
  return !other.codes.has(ANCHOR) && !one.codes.has(ANCHOR) && [...one.codes].every((code) => !other.codes.has(code));
}

/** Maximum repetitions of a pattern's first part. */
function firstRepetitions(node: PatternNode): number {
  switch (node.kind) {
    case "group":
      return firstRepetitions(node.body);
    case "sequence":
      return node.parts[0] === undefined ? 0 : firstRepetitions(node.parts[0]);
    case "choice":
      return Math.max(...node.options.map(firstRepetitions));
    case "repeat":
      return node.max;
    default:
      return 1;
  }
}

/** Whether two patterns can begin with the same character. */
function canBeginAlike(one: PatternNode, other: PatternNode): boolean {
  return CODES.some((code) => begins(one, code) && begins(other, code));
}

/** Whether a match can begin with the character with this code. */
export function begins(node: PatternNode, code: number): boolean {
  switch (node.kind) {
    case "set":
    case "character":
      return canContain(node, code);
    case "group":
    case "repeat":
      return begins(node.body, code);
    case "choice":
      return node.options.some((option) => begins(option, code));
    case "sequence": {
      const needed = node.parts.findIndex((part) => !canBeEmpty(part));
      return node.parts.slice(0, needed === -1 ? undefined : needed + 1).some((part) => begins(part, code));
    }
    default:
      return false;
  }
}

/** Whether the character with this code can occur in a match. */
function canContain(node: PatternNode, code: number): boolean {
  return hasNode(node, (inner) =>
    inner.kind === "set" ? includesCode(inner, code) : inner.kind === "character" && code === 128,
  );
}

/** Whether a pattern can match empty text. */
export function canBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case "set":
    case "character":
      return false;
    case "group":
      return canBeEmpty(node.body);
    case "repeat":
      return node.min === 0 || canBeEmpty(node.body);
    case "choice":
      return node.options.some(canBeEmpty);
    case "sequence":
      return node.parts.every(canBeEmpty);
    default:
      return true;
  }
}

/** Anchors of an empty match, as bits. */
const AT_START = 1;
const AT_END = 2;
const AT_BOUNDARY = 4;

/** Whether a pattern has empty matches in non-empty text, as `a*` in each line; `^\s*$` has none. */
export function isEmptyBesideText(node: PatternNode): boolean {
  return emptyMatches(node).some((anchors) => (anchors & AT_START) === 0 || (anchors & AT_END) === 0);
}

/** The anchors of each empty match. */
function emptyMatches(node: PatternNode): readonly number[] {
  switch (node.kind) {
    case "set":
    case "character":
      return [];
    case "group":
      return emptyMatches(node.body);
    case "repeat":
      return node.min === 0 ? [0] : emptyMatches(node.body);
    case "choice":
      return [...new Set(node.options.flatMap(emptyMatches))];
    case "sequence":
      return node.parts.reduce<readonly number[]>(
        (before, part) => {
          const after = emptyMatches(part);
          return [...new Set(before.flatMap((anchors) => after.map((more) => anchors | more)))];
        },
        [0],
      );
    case "start":
      return [AT_START];
    case "end":
      return [AT_END];
    default:
      return [AT_BOUNDARY];
  }
}

/** Length of a pattern with its quantifiers written out. */
function expandedLength(node: PatternNode): number {
  switch (node.kind) {
    case "repeat":
      return expandedLength(node.body) * (node.max === Number.POSITIVE_INFINITY ? node.min + 1 : node.max);
    case "group":
    case "choice":
    case "sequence":
      return childrenOf(node).reduce((sum, child) => sum + expandedLength(child), 0);
    default:
      return 1;
  }
}
