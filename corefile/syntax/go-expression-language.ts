import { integer, unsigned } from "./go-values.ts";

/** The type of an expression; `any` if it is unknown here. */
export type Kind = "text" | "number" | "boolean" | "list of texts" | "list of numbers" | "list" | "function" | "any";

/** Why CoreDNS rejects an expression. */
export class Problem extends Error {}

/** Syntax that is not covered, or nested too deeply. */
export class Unread extends Error {}

/** The number of a function's parameters, its result type, and the type of its arguments if it is not text. */
export type Signature = readonly [parameters: number, kind: Kind, given?: Kind];

/** Functions of a query. @see https://coredns.io/plugins/view/ */
export const FUNCTIONS: Readonly<Record<string, Signature>> = {
  bufsize: [0, "number"],
  class: [0, "text"],
  client_ip: [0, "text"],
  do: [0, "boolean"],
  id: [0, "number"],
  incidr: [2, "boolean"],
  metadata: [1, "text"],
  name: [0, "text"],
  opcode: [0, "number"],
  port: [0, "text"],
  proto: [0, "text"],
  server_ip: [0, "text"],
  server_port: [0, "text"],
  size: [0, "number"],
  type: [0, "text"],
};
/** Functions of a query that a template matches. @see https://coredns.io/plugins/template/ */
export const TEMPLATE_FUNCTIONS: Readonly<Record<string, Signature>> = { ...FUNCTIONS, group: [1, "text", "any"] };

/** Names that an expression may use. */
export interface Names {
  /** Functions of a query. @default those of view */
  readonly functions?: Readonly<Record<string, Signature>>;
  readonly variables?: readonly (readonly [name: string, kind: Kind])[];
}

/** Built-in functions, with their result type if it is always the same. @see https://expr-lang.org/docs/language-definition */
export const BUILT_IN: Readonly<Record<string, Kind>> = Object.fromEntries(
  (
    [
      ["text", "join lower repeat replace string toBase64 toJSON trim trimPrefix trimSuffix upper"],
      ["number", "count float indexOf int lastIndexOf len"],
      ["boolean", "all any hasPrefix hasSuffix none one"],
      ["list of texts", "split splitAfter"],
      [
        "any",
        "abs bitand bitnand bitnot bitor bitshl bitshr bitushr bitxor ceil concat date duration filter find findIndex findLast",
      ],
      [
        "any",
        "findLastIndex first flatten floor fromBase64 fromJSON fromPairs get groupBy keys last map max mean median",
      ],
      ["any", "min now reduce reverse round sort sortBy sum take timezone toPairs uniq values"],
    ] as const
  ).flatMap(([kind, names]) => names.split(" ").map((name) => [name, kind])),
);
/**
 * The signature of a function of a list and an expression about `#`, an element of it.
 * @see https://expr-lang.org/docs/language-definition#predicate
 */
interface Predicate {
  /** Whether the expression must be Boolean. */
  readonly isCondition: boolean;
  /** Whether the expression is optional. */
  readonly isOptional: boolean;
  /** The type of another argument that may follow; undefined if none may. */
  readonly more?: Kind;
  /** Types of `#NAME` inside the expression. */
  readonly pointers: Readonly<Record<string, Kind>>;
  /** The result type. @param made Type of the expression; undefined if it is omitted. */
  readonly gives: (list: Kind, made: Kind | undefined) => Kind;
}

const CONDITION: Predicate = {
  isCondition: true,
  isOptional: false,
  pointers: {},
  gives: () => "boolean",
};
const VALUE: Predicate = { ...CONDITION, isCondition: false, gives: () => "any" };
const FOUND: Predicate = { ...CONDITION, gives: elementOf };
const PLACE: Predicate = { ...CONDITION, gives: () => "number" };

/** Functions that take a predicate. */
export const PREDICATES: Readonly<Record<string, Predicate>> = {
  all: CONDITION,
  any: CONDITION,
  none: CONDITION,
  one: CONDITION,
  count: { ...PLACE, isOptional: true },
  filter: { ...CONDITION, gives: (list) => (list === "any" ? "list" : list) },
  find: FOUND,
  findLast: FOUND,
  findIndex: PLACE,
  findLastIndex: PLACE,
  groupBy: VALUE,
  map: { ...VALUE, pointers: { index: "number" }, gives: (_list, made) => listOf(made === undefined ? [] : [made]) },
  reduce: {
    ...VALUE,
    more: "any",
    pointers: { index: "number", acc: "any" },
    gives: (_list, made) => made ?? "any",
  },
  sortBy: { ...VALUE, more: "text", gives: (list) => list },
  sum: { ...VALUE, isOptional: true, gives: (list, made) => made ?? elementOf(list) },
};

/** Methods of a time, and their result type if it is always text. Only values of unknown type can be times. */
export const METHODS: ReadonlyMap<string, Kind> = new Map([
  ["Format", "text"],
  ["String", "text"],
]);
/** Constants; `$env` stands for all names. */
export const LITERALS: Readonly<Record<string, Kind>> = { true: "boolean", false: "boolean", nil: "any", $env: "any" };

const TEXT_OPERATORS = ["matches", "contains", "startsWith", "endsWith"];
export const NEGATED = ["in", ...TEXT_OPERATORS];
/** Precedence of binary operators; a higher number binds tighter. */
export const BINDING: ReadonlyMap<string, number> = new Map(
  [
    ["||", "or"],
    ["&&", "and"],
    ["==", "!=", "<", ">", "<=", ">=", ...NEGATED],
    [".."],
    ["+", "-"],
    ["*", "/", "%"],
    ["**", "^"],
  ].flatMap((operators, index) => operators.map((operator) => [operator, index + 1])),
);
/** Precedence of `not`, between sums and products, and of a sign, between products and powers. */
export const [NOT, SIGN] = [5.5, 6.5];

/** Requires a type. @returns the required type. @throws {Problem} if the found one differs. */
export function wanted(found: Kind, kind: Kind, where: string): Kind {
  if (found !== kind && found !== "any")
    throw new Problem(`${where} takes a ${kind}, not a ${found}${parentheses(found)}`);
  return kind;
}

export function isList(kind: Kind): boolean {
  return kind.startsWith("list");
}

/** Type of a list with elements of these types. */
export function listOf(kinds: readonly Kind[]): Kind {
  const every = (kind: Kind) => kinds.length > 0 && kinds.every((other) => other === kind);
  return every("text") ? "list of texts" : every("number") ? "list of numbers" : "list";
}

/** Type of a list's elements. */
export function elementOf(list: Kind): Kind {
  return list === "list of texts" ? "text" : list === "list of numbers" ? "number" : "any";
}

/** Common type of two alternatives. */
export function eitherOf(one: Kind, other: Kind): Kind {
  return one === other ? one : isList(one) && isList(other) ? "list" : "any";
}

/** Whether a list may contain an element of a type; a text has no elements. */
function mayHold(list: Kind, element: Kind): boolean {
  if (list === "any" || list === "list" || element === "any") return list === "any" || isList(list);
  return list === `list of ${element}s`;
}

function parentheses(...kinds: readonly Kind[]): string {
  return kinds.includes("function") ? "; a function needs parentheses, as name()" : "";
}

/** Result type of a binary operator. */
export function combined(left: Kind, operator: string, right: Kind): Kind {
  const both = (kind: Kind) => [left, right].every((side) => side === kind || side === "any");
  const fail = (): never => {
    throw new Problem(`${operator} does not take a ${left} and a ${right}${parentheses(left, right)}`);
  };
  if (["&&", "||", "and", "or"].includes(operator)) return both("boolean") ? "boolean" : fail();
  if (TEXT_OPERATORS.includes(operator)) return both("text") ? "boolean" : fail();
  if (operator === "in") return mayHold(right, left) ? "boolean" : fail();
  if (operator === "==" || operator === "!=")
    return left === right || left === "any" || right === "any" || (isList(left) && isList(right)) ? "boolean" : fail();
  // Comparisons can be chained, as in 1 < id() < 9.
  if (/^[<>]/.test(operator)) return both("number") || both("text") || left === "boolean" ? "boolean" : fail();
  const isSum = operator === "+";
  if (!both("number") && !(isSum && both("text"))) return fail();
  if (operator === "..") return "list of numbers";
  // Times and durations support sums and products too.
  if (left === "any" || right === "any") return "any";
  return left;
}

const WORD =
  /\s*(?:('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`[^`]*`)|(0[xX]\w*|\.?\d\w*(?:\.(?!\.)\w*)*(?:(?<=[eE])[-+]\w*)?)|(#?[A-Za-z_$][\w$]*)|((?<=\blet\s+[^\s=]+\s*)=(?!=)|&&|\|\|?|[=!<>]=|\*\*|\.\.|[-+*/%^<>!.,?:;#(){}[\]]))/y;
/** Syntax that this parser does not cover. */
export const UNREAD = /\?[?.]|::|\/[/*]|\b(?:if|else)\b/;

/** Splits an expression into tokens, with their quotes. @throws {Problem} */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let position = 0;
  while (text.slice(position).trim() !== "") {
    WORD.lastIndex = position;
    const found = WORD.exec(text);
    const rest = text.slice(position).trim();
    if (found === null) throw new Problem(`${JSON.stringify(rest)} is not understood`);
    words.push(found[0].trim());
    position = WORD.lastIndex;
  }
  return words;
}

/** The type of a token in quotes. @throws {Problem} for an unknown escape. */
export function textOf(word: string): Kind {
  const unknown = word.startsWith("`") ? undefined : /(?:^|[^\\])(?:\\\\)*(\\[^\\'"`abfnrtvxuU0-7])/.exec(word)?.[1];
  if (unknown !== undefined) throw new Problem(`${word} has ${unknown}, which is not an escape: write \\${unknown}`);
  return "text";
}

/** The type of a token that begins with a digit. @throws {Problem} if it is not a number. */
export function numberOf(word: string): Kind {
  if (!/^(0[xob][\da-f_]+|(\d[\d_]*(\.[\d_]*)?|\.[\d_]+)(e[+-]?\d+)?)$/i.test(word))
    throw new Problem(`${word} is not a number`);
  const digits = word.replaceAll("_", "");
  const isLarge = /^\d+$/.test(digits)
    ? integer(digits) === undefined
    : /^0[xob]/i.test(digits) && unsigned(digits, 63, 0) === undefined;
  if (isLarge) throw new Problem(`${word} is too large for an integer`);
  return "number";
}

/** Whether a token is an identifier. */
export function isName(word: string): boolean {
  return /^[A-Za-z_$]/.test(word) && !BINDING.has(word) && word !== "not" && word !== "let";
}

/** Whether a name may be that of a variable. @param functions Those of the query. */
export function isFree(name: string, functions: Readonly<Record<string, Signature>>): boolean {
  const isTaken = [functions, BUILT_IN, LITERALS].some((names) => Object.hasOwn(names, name));
  return isName(name) && !isTaken && name !== "if" && name !== "else";
}
