import { type PatternNode, parsePattern } from "./pattern.ts";
import { canBeEmpty } from "./pattern-risk.ts";
import { withoutGroups } from "./pattern-text.ts";

/** Kinds of secrets to mask, in the order of the rules. */
export const REDACTION_KINDS = [
  "private-key",
  "jwt",
  "bearer-token",
  "aws-access-key",
  "api-key",
  "email",
  "credit-card",
  "ipv4",
  "ipv6",
] as const;
export type RedactionKind = (typeof REDACTION_KINDS)[number];

/** A custom pattern and its replacement. */
export interface OwnRedaction {
  readonly pattern: string;
  readonly replacement: string;
}

/** Text, and numbers of groups to keep. */
export type Replacement = readonly (string | number)[];

/**
 * Replaces each match of the pattern in a line, rule after rule. The text is the raw line: JSON is parsed afterwards, so that its fields
 * are redacted too, and the rules leave JSON valid.
 */
export interface RedactionRule {
  /** Undefined for custom rules. */
  readonly kind?: RedactionKind;
  /** Its first group precedes the secret and is kept. */
  readonly pattern: PatternNode;
  readonly replacement: Replacement;
  /** Whether to replace only matches with a valid Luhn check digit in the digits of the second group. */
  readonly luhn: boolean;
  /**
   * The texts that other rules may have left unquoted in a JSON line. The pattern matches each JSON string as its first group, which is
   * kept, and each of these texts outside of strings as its second, which gets quoted. @default an ordinary rule
   */
  readonly bare?: readonly string[];
}

/** Terminal colors, raw and as JSON escapes. */
const COLOR = "(?:\\x1b|\\\\u001[bB])\\[[0-9;]{0,16}m";
/**
 * What may precede a match instead of a word boundary: a JSON escape, whose letter would otherwise count as the text's, as in
 * `\nada@example.com`, or a color, which ends in a letter too.
 */
const ESCAPE = `${COLOR}|\\\\(?:[bfnrt]|u[0-9a-fA-F]{4})`;
/** A quotation mark, also in nested JSON, as some JSON writers escape it, and in URLs. */
const QUOTE = "(?:\\\\{0,7}[\"']|\\\\u002[27]|%2[27])?";
const BLANKS = `(?:[ \\t]|\\\\t|${COLOR})*`;
/** Between a name and its value: `key=`, `"key": "`, `"key"=>"`, the first item of a list, `"key": ["`, and in URLs, `key%3D`. */
const ASSIGN = `${QUOTE}${BLANKS}(?:[:=]|\\\\u003[dD]|%3[aAdD])(?:>|\\\\u003[eE])?${BLANKS}(?:\\[${BLANKS})?${QUOTE}`;
const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const HEX = "[0-9a-fA-F]{1,4}";
const KEY_LABEL = "[A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----";
const CARD = [
  "4\\d{12}(?:\\d{3}){0,2}",
  "[25]\\d{15}",
  "3\\d{13,15}",
  "6\\d{15,18}",
  "[2-6]\\d{3}[ -]\\d{4}[ -]\\d{4}[ -]\\d{4}",
  "3\\d{3}[ -]\\d{6}[ -]\\d{4,5}",
].join("|");

/** Prefixes of keys that services issue. */
const KEY_PREFIXES = [
  "[sr]k_(?:live|test)_[0-9A-Za-z]{16,}",
  "gh[pousr]_[0-9A-Za-z]{36,}",
  "github_pat_\\w{22,}",
  "glpat-[\\w-]{20,}",
  "xox[abprs]-[0-9A-Za-z-]{10,}",
  "AIza[\\w-]{35}",
  "npm_[0-9A-Za-z]{36}",
  "SG\\.[\\w-]{16,}\\.[\\w-]{16,}",
].join("|");
const KEY_NAMES = [
  "api[_-]?key",
  "(?:access|auth|refresh|private)[_-]?token",
  "(?:client|api)[_-]?secret",
  "secret[_-]?key",
].join("|");
const TOKEN = "[\\w.~+/=-]";
/** Escapes of token characters in JSON, where PHP escapes `/` and Gson `=`, and in URLs. */
const TOKEN_ESCAPE = "(?:\\\\/|\\\\u003[dD]|%2[bBfF]|%3[dD])";

/** Matches a token. @param least Its minimum length; after an escape, half of that is enough. */
function token(least: number): string {
  const begin = `(?:${TOKEN}{${least},}|(?:${TOKEN}{0,${least - 1}}${TOKEN_ESCAPE}){1,4}${TOKEN}{${least / 2},})`;
  return `${begin}(?:${TOKEN_ESCAPE}${TOKEN}*)*`;
}

/** Patterns by kind. Group 1 of a pattern is a name before the secret, which is kept. */
const PATTERNS: Readonly<Record<Exclude<RedactionKind, "credit-card">, readonly string[]>> = {
  // Up to its end or, if truncated, to the end of the text.
  "private-key": [
    `()-----BEGIN ${KEY_LABEL}[^"\\\\-]*(?:(?:-?\\\\[^"-]|-[^"\\\\-])[^"\\\\-]*)*(?:-----END ${KEY_LABEL})?`,
  ],
  jwt: ["()\\beyJ[\\w-]{10,}\\.[\\w-]{10,}\\.[\\w-]{10,}"],
  "bearer-token": [
    `(?i)(\\bbearer(?:[ \\t]|%20|${COLOR})+)${token(16)}`,
    `(?i)(\\bauthorization${ASSIGN}(?:basic|token|digest)(?:[ \\t]|%20)+)${token(8)}`,
  ],
  "aws-access-key": [
    "()\\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\\b",
    `(?i)(aws_?secret_?access_?key${ASSIGN})(?:[0-9a-z+/]|\\\\/){40}`,
  ],
  "api-key": [`()\\b(?:${KEY_PREFIXES})`, `(?i)((?:${KEY_NAMES})${ASSIGN})${token(16)}`],
  // After an escape the local part may be missing: in `\n@a.example` the letter belongs to the escape, and masking it would break JSON.
  email: [
    "()\\b(?:[A-Za-z0-9][\\w.%+-]{0,63})?(?:@|%40|\\\\u0040)[A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63}){0,8}\\.[A-Za-z]{2,24}\\b",
  ],
  ipv4: [`()\\b(?:${OCTET}\\.){3}${OCTET}\\b`],
  ipv6: [`()\\b(?:(?:${HEX}:){7}${HEX}|${HEX}(?::${HEX}){0,6}::${HEX}(?::${HEX}){0,6})\\b`],
};

/** The rules for these kinds: custom ones first, which are more specific, then each kind in order. */
export function redactionRules(redact: readonly (RedactionKind | OwnRedaction)[]): RedactionRule[] {
  const custom = redact.filter((rule) => typeof rule === "object");
  const kinds = REDACTION_KINDS.filter((kind) => redact.includes(kind));
  const rules: RedactionRule[] = [
    ...custom.map(({ pattern, replacement }) => ({
      pattern: withEscape(/\$/.test(replacement) ? parsePattern(pattern) : withoutGroups(parsePattern(pattern))),
      replacement: [1, ...replacementParts(replacement, 1)],
      luhn: false,
    })),
    ...kinds.flatMap((kind) => (kind === "credit-card" ? [cardRule()] : kindRules(kind))),
  ];
  return [...rules, ...bareTextRules(rules)];
}

/** Kinds that may match a JSON number. */
const NUMBERS: ReadonlySet<RedactionKind> = new Set(["aws-access-key", "api-key", "credit-card"]);

/** The last rule: quotes masks that replaced a JSON number, as a value and in a list. */
function bareTextRules(rules: readonly RedactionRule[]): RedactionRule[] {
  const ofNumbers = rules.filter(({ kind }) => kind === undefined || NUMBERS.has(kind));
  const bare = bareTexts(
    ofNumbers.flatMap(({ replacement }) => replacement.filter((part) => typeof part === "string")),
  );
  return bare.length === 0 ? [] : [{ pattern: bareTextPattern(bare), replacement: [], luhn: false, bare }];
}

/** Replacement for a secret. */
export function mask(kind: RedactionKind): string {
  return `[REDACTED:${kind}]`;
}

function kindRules(kind: Exclude<RedactionKind, "credit-card">): RedactionRule[] {
  return PATTERNS[kind].map((pattern) => ({
    kind,
    pattern: withEscape(parsePattern(pattern)),
    replacement: [1, 2, mask(kind)],
    luhn: false,
  }));
}

/** What may precede a card number: no digits before a decimal point, since a tenth of all fractions of 16 digits pass the check. */
const BEFORE_CARD = `${ESCAPE}|(?:^|[^\\w.])|(?:^|[^\\d])\\.`;

/** Matches card numbers by their check digit. */
function cardRule(): RedactionRule {
  const kind = "credit-card";
  return {
    kind,
    pattern: parsePattern(`(${BEFORE_CARD})(${CARD})\\b`),
    replacement: [1, mask(kind)],
    luhn: true,
  };
}

/** Allows a JSON escape before the pattern, which becomes group 1 and is kept. */
function withEscape(pattern: PatternNode): PatternNode {
  const jsonEscape = parsePattern(ESCAPE);
  // There is no boundary between the letter of an escape and the next word, so an escape may stand in its place.
  const escapeOrBoundary: PatternNode = {
    kind: "group",
    body: { kind: "choice", options: [jsonEscape, { kind: "boundary" }] },
  };
  const parts = partsOf(pattern);
  const first = parts.findIndex((part) => !(part.kind === "group" && canBeEmpty(part.body) && !hasBoundary(part)));
  if (parts[first]?.kind === "boundary")
    return sequence([escapeOrBoundary, ...parts.slice(0, first), ...parts.slice(first + 1)]);
  const group = parts[0];
  if (group?.kind === "group" && partsOf(group.body)[0]?.kind === "boundary") {
    const rest: PatternNode = { kind: "group", body: sequence(partsOf(group.body).slice(1)) };
    return sequence([escapeOrBoundary, rest, ...parts.slice(1)]);
  }
  const optionalEscape: PatternNode = { kind: "repeat", body: jsonEscape, min: 0, max: 1, lazy: false };
  return sequence([{ kind: "group", body: optionalEscape }, ...parts]);
}

function partsOf(node: PatternNode): readonly PatternNode[] {
  return node.kind === "sequence" ? node.parts : [node];
}

function hasBoundary(node: PatternNode): boolean {
  return node.kind === "boundary" || (node.kind === "group" && partsOf(node.body).some(hasBoundary));
}

function sequence(parts: readonly PatternNode[]): PatternNode {
  return { kind: "sequence", parts };
}

/** Parses a replacement with `$1` to `$9` for groups. @param shift Number of groups before the user's. */
function replacementParts(text: string, shift: number): Replacement {
  return text
    .split(/(\$[1-9])/)
    .filter((part) => part !== "")
    .map((part) => (/^\$[1-9]$/.test(part) ? Number(part.slice(1)) + shift : part));
}

/** The text before JSON. */
const BEFORE_JSON = '^[ \\t]*[^"{\\[ \\t][^"{]*';
/** A JSON string, or a truncated one up to the end: else an engine would search for its end from each quotation mark in it. */
const JSON_TEXT = '"[^"\\\\]*(?:\\\\(?:.|\\n)[^"\\\\]*)*\\\\?(?:"|$)';
/** What may remain of a number before and after its replaced part; its sign may not. */
const [REST_BEFORE, REST_AFTER] = ["(?:[0-9+.eE][0-9+.eE-]{0,39})?", "[0-9+.eE-]{0,40}"];
/**
 * A line that begins as a JSON object, that begins and ends as a JSON list, or that ends as an object after other text: other beginnings
 * only resemble JSON, as in `[info] …`.
 */
const JSON_LINE: PatternNode = parsePattern(
  [
    '^[ \\t]*(?:\\{|\\[\\s*(?:[\\["{0-9-]|true|false|null)(?:.|\\n)*\\]\\s*$)',
    '^[^"{]*\\{[ \\t]*"(?:.|\\n)*\\}\\s*$',
  ].join("|"),
);

/** The replacement texts that are not valid JSON without quotation marks, the longest first. */
export function bareTexts(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter(isInvalidInJson).sort((one, other) => other.length - one.length);
}

/** Matches each JSON string and the text before JSON as group 1, and outside of them the mask of a number. */
function bareTextPattern(bare: readonly string[]): PatternNode {
  return parsePattern(
    `(${BEFORE_JSON}|${JSON_TEXT})|-?(${REST_BEFORE}(?:${bare.map(literal).join("|")})${REST_AFTER})`,
  );
}

/** Conditions on a line: it contains one of the texts, which is checked first, and is JSON. */
export function bareTextConditions(bare: readonly string[]): readonly [text: PatternNode, json: PatternNode] {
  return [parsePattern(bare.map(literal).join("|")), JSON_LINE];
}

/** Whether a text cannot occur in JSON outside of quotation marks, with at most a part of a number before and after it. */
function isInvalidInJson(text: string): boolean {
  if (/["\\\p{Cc}]/u.test(text)) return false;
  const words = text.match(/[A-Za-z]+/g) ?? [];
  const isWord = (word: string) => ["true", "false", "null", "e", "E"].some((literal) => literal.includes(word));
  return /[^A-Za-z0-9+.,:{}[\] -]/.test(text) || words.some((word) => !isWord(word));
}

function literal(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~ ]/g, "\\$&");
}
