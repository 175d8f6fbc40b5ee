import { isGoRegexp } from "./go-values.ts";

/** What an expression comes to; `any` where that is not known here. */
type Kind = "text" | "number" | "boolean" | "list of texts" | "list of numbers" | "list" | "function" | "any";

/** What is known of an expression. */
export interface Expression {
  /** Why CoreDNS does not take it; undefined where it does, or where that is not known. */
  readonly problem?: string | undefined;
  readonly kind?: Kind | undefined;
  /** Whether all of it was read: some of the language is not. */
  readonly isRead: boolean;
}

/** Functions of a query, with what they take and give. @see https://coredns.io/plugins/view/ */
const FUNCTIONS: Readonly<Record<string, readonly [parameters: number, kind: Kind]>> = {
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
/** Functions of the language, with what they give where that is always the same. @see https://expr-lang.org/docs/language-definition */
const BUILT_IN: Readonly<Record<string, Kind>> = Object.fromEntries(
  (
    [
      ["text", "lower repeat replace string toBase64 toJSON trim trimPrefix trimSuffix upper"],
      ["number", "count float indexOf int lastIndexOf len"],
      ["boolean", "all any hasPrefix hasSuffix none one"],
      ["list of texts", "split splitAfter"],
      [
        "any",
        "abs bitand bitnand bitnot bitor bitshl bitshr bitushr bitxor ceil concat date duration filter find findIndex findLast",
      ],
      [
        "any",
        "findLastIndex first flatten floor fromBase64 fromJSON fromPairs get groupBy join keys last map max mean median",
      ],
      ["any", "min now reduce reverse round sort sortBy sum take timezone toPairs uniq values"],
    ] as const
  ).flatMap(([kind, names]) => names.split(" ").map((name) => [name, kind])),
);
/** Words that stand for something, which `$env` does for all names. */
const LITERALS: Readonly<Record<string, Kind>> = { true: "boolean", false: "boolean", nil: "any", $env: "any" };

const TEXT_OPERATORS = ["matches", "contains", "startsWith", "endsWith"];
const NEGATED = ["in", ...TEXT_OPERATORS];
/** The higher the number, the closer an operator binds. */
const BINDING: ReadonlyMap<string, number> = new Map(
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
/** That of `not`, between sums and products, and of a sign, between products and powers. */
const [NOT, SIGN] = [5.5, 6.5];

const WORD =
  /\s*(?:('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`)|(0[xX]\w*|\.?\d\w*(?:\.(?!\.)\w*)*(?:(?<=[eE])[-+]\w*)?)|([A-Za-z_$][\w$]*)|(&&|\|\|?|[=!<>]=|\*\*|\.\.|[-+*/%^<>!.,()[\]]))/y;
/** Signs and words of which more is to know than is here. */
const UNREAD = /[?:;{}#]|\/[/*]|\b(?:let|if|else)\b/;

/** The most expressions inside of each other that are read. */
const MAX_DEPTH = 300;

class Problem extends Error {}
class TooDeep extends Error {}

/** Checks an expression as CoreDNS compiles it before it starts. */
export function readExpression(text: string): Expression {
  const bare = text.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`/g, "''");
  if (UNREAD.test(bare)) return { isRead: false };
  try {
    const kind = new Reader(wordsOf(text)).whole();
    return { kind, isRead: true };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message, isRead: true };
    if (error instanceof TooDeep) return { isRead: false };
    throw error;
  }
}

function wordsOf(text: string): string[] {
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

/** Words with a cursor, from left to right. */
class Reader {
  private readonly words: readonly string[];
  private cursor = 0;
  private depth = 0;

  constructor(words: readonly string[]) {
    this.words = words;
  }

  whole(): Kind {
    const kind = this.piped();
    if (this.word !== undefined) throw new Problem(`${this.word} is not expected`);
    return kind;
  }

  private get word(): string | undefined {
    return this.words[this.cursor];
  }

  private takes(word: string): boolean {
    if (this.word !== word) return false;
    this.cursor += 1;
    return true;
  }

  private expect(word: string): void {
    if (!this.takes(word)) throw new Problem(`${word} is expected instead of ${this.word ?? "the end"}`);
  }

  /** An expression, and functions behind `|`, each of which takes what precedes it. Operators and fields may follow what it gives. */
  private piped(): Kind {
    let kind = this.expression(0);
    while (this.takes("|")) {
      const name = this.word ?? "the end";
      this.cursor += 1;
      const known = this.known(name);
      this.expect("(");
      kind = this.operated(this.continued(this.called(name, known, [kind])), 0);
    }
    return kind;
  }

  private expression(binding: number): Kind {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new TooDeep();
    const kind = this.operated(this.operand(), binding);
    this.depth -= 1;
    return kind;
  }

  /** What an operand comes to with the operators behind it that bind closer than one before it. */
  private operated(operand: Kind, binding: number): Kind {
    let left = operand;
    for (;;) {
      const isNegated = this.word === "not" && NEGATED.includes(this.words[this.cursor + 1] ?? "");
      const operator = isNegated ? this.words[this.cursor + 1] : this.word;
      const own = operator === undefined ? undefined : BINDING.get(operator);
      if (operator === undefined || own === undefined || own <= binding) return left;
      this.cursor += isNegated ? 2 : 1;
      const next = this.word;
      const right = this.expression(operator === "**" || operator === "^" ? own - 1 : own);
      left = combined(left, operator, right);
      const pattern = operator === "matches" ? /^['"`](.*)['"`]$/s.exec(next ?? "")?.[1] : undefined;
      if (pattern !== undefined && !pattern.includes("\\") && !isGoRegexp(pattern))
        throw new Problem(`${next} is no regular expression in Go's syntax`);
    }
  }

  private operand(): Kind {
    const word = this.word;
    if (word === undefined) throw new Problem("it ends too early");
    this.cursor += 1;
    if (word === "not" || word === "!") return wanted(this.expression(NOT), "boolean", word);
    if (word === "-" || word === "+") return wanted(this.expression(SIGN), "number", word);
    return this.continued(this.primary(word));
  }

  private primary(word: string): Kind {
    if (/^['"`]/.test(word)) return this.text(word);
    if (/^\.?\d/.test(word)) return this.number(word);
    if (word === "(") {
      const kind = this.piped();
      this.expect(")");
      return kind;
    }
    if (word === "[") {
      return listOf(this.list("]"));
    }
    if (!/^[A-Za-z_$]/.test(word) || BINDING.has(word)) throw new Problem(`${word} is not expected`);
    const literal = Object.hasOwn(LITERALS, word) ? LITERALS[word] : undefined;
    if (literal !== undefined) return literal;
    const known = this.known(word);
    return this.takes("(") ? this.called(word, known) : "function";
  }

  private known(name: string): readonly [parameters: number, kind: Kind] | undefined {
    const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (known === undefined && !(Object.hasOwn(BUILT_IN, name) && this.word === "("))
      throw new Problem(`${name} is no function of a query, and a text needs quotes, as 'A'`);
    return known;
  }

  private text(word: string): Kind {
    const unknown = word.startsWith("`") ? undefined : /(?:^|[^\\])(?:\\\\)*(\\[^\\'"`abfnrtvxuU0-7])/.exec(word)?.[1];
    if (unknown !== undefined) throw new Problem(`${word} has ${unknown}, which is no escape: write \\${unknown}`);
    return "text";
  }

  private number(word: string): Kind {
    if (!/^(0[xob][\da-f_]+|(\d[\d_]*(\.[\d_]*)?|\.[\d_]+)(e[+-]?\d+)?)$/i.test(word))
      throw new Problem(`${word} is no number`);
    return "number";
  }

  private called(
    name: string,
    known: readonly [parameters: number, kind: Kind] | undefined,
    before: readonly Kind[] = [],
  ): Kind {
    const given = [...before, ...this.list(")")];
    if (known === undefined) return BUILT_IN[name] ?? "any";
    const [parameters, kind] = known;
    if (given.length !== parameters) throw new Problem(`${name} takes ${parameters} arguments (found ${given.length})`);
    for (const argument of given) wanted(argument, "text", name);
    return kind;
  }

  /** Expressions with commas between them, and perhaps one behind the last. */
  private list(end: string): Kind[] {
    const kinds: Kind[] = [];
    while (!this.takes(end)) {
      kinds.push(this.piped());
      if (this.takes(end)) break;
      this.expect(",");
    }
    return kinds;
  }

  /** A field, a method or a place of an operand, behind it. */
  private continued(kind: Kind): Kind {
    let found = kind;
    for (;;) {
      if (this.takes(".")) {
        if (found !== "any") throw new Problem(`a ${found} has no fields`);
        this.cursor += 1;
        if (this.takes("(")) this.list(")");
      } else if (this.takes("[")) {
        this.expression(0);
        this.expect("]");
        if (found !== "any" && !isList(found)) throw new Problem(`a ${found} has no places`);
        found = "any";
      } else return found;
    }
  }
}

function wanted(found: Kind, kind: Kind, where: string): Kind {
  if (found !== kind && found !== "any")
    throw new Problem(`${where} takes a ${kind}, not a ${found}${parentheses(found)}`);
  return kind;
}

function isList(kind: Kind): boolean {
  return kind.startsWith("list");
}

function listOf(kinds: readonly Kind[]): Kind {
  const every = (kind: Kind) => kinds.length > 0 && kinds.every((one) => one === kind);
  return every("text") ? "list of texts" : every("number") ? "list of numbers" : "list";
}

/** Whether a list may have an element of a kind; a text has none. */
function mayHold(list: Kind, element: Kind): boolean {
  if (list === "any" || list === "list" || element === "any") return list === "any" || isList(list);
  return list === `list of ${element}s`;
}

function parentheses(...kinds: readonly Kind[]): string {
  return kinds.includes("function") ? "; a function needs parentheses, as name()" : "";
}

/** What two operands come to. */
function combined(left: Kind, operator: string, right: Kind): Kind {
  const both = (kind: Kind) => [left, right].every((one) => one === kind || one === "any");
  const fail = (): never => {
    throw new Problem(`${operator} does not take a ${left} and a ${right}${parentheses(left, right)}`);
  };
  if (["&&", "||", "and", "or"].includes(operator)) return both("boolean") ? "boolean" : fail();
  if (TEXT_OPERATORS.includes(operator)) return both("text") ? "boolean" : fail();
  if (operator === "in") return mayHold(right, left) ? "boolean" : fail();
  if (operator === "==" || operator === "!=")
    return left === right || left === "any" || right === "any" || (isList(left) && isList(right)) ? "boolean" : fail();
  // A comparison may go on, as in 1 < id() < 9.
  if (/^[<>]/.test(operator)) return both("number") || both("text") || left === "boolean" ? "boolean" : fail();
  const isSum = operator === "+";
  if (!both("number") && !(isSum && both("text"))) return fail();
  if (operator === "..") return "list of numbers";
  // Times and durations have sums and products too.
  if (left === "any" || right === "any") return isSum && both("text") && left !== right ? "text" : "any";
  return left;
}
