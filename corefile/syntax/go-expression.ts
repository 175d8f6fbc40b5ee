import {
  BINDING,
  BUILT_IN,
  combined,
  eitherOf,
  elementOf,
  FUNCTIONS,
  isList,
  isName,
  type Kind,
  LITERALS,
  listOf,
  METHODS,
  type Names,
  NEGATED,
  NOT,
  numberOf,
  PREDICATES,
  Problem,
  SIGN,
  type Signature,
  textOf,
  UNREAD,
  Unread,
  wanted,
  wordsOf,
} from "./go-expression-language.ts";
import { isGoRegexp } from "./go-values.ts";

/** The result of checking an expression. */
export interface Expression {
  /** Why CoreDNS rejects it; undefined if it does not, or if that is unknown. */
  readonly problem?: string | undefined;
  readonly kind?: Kind | undefined;
  /** Whether the whole expression was parsed; parts of the language are not covered. */
  readonly isRead: boolean;
}

/** Maximum nesting of expressions. */
const MAX_DEPTH = 300;

/** Checks an expression as CoreDNS compiles it at its start. */
export function readExpression(text: string, names: Names = {}): Expression {
  const bare = text.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`/g, "''");
  if (UNREAD.test(bare)) return { isRead: false };
  try {
    return { kind: new Reader(wordsOf(text), names).whole(), isRead: true };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message, isRead: true };
    if (error instanceof Unread) return { isRead: false };
    throw error;
  }
}

/** A recursive-descent parser over tokens. */
class Reader {
  private readonly words: readonly string[];
  private cursor = 0;
  private depth = 0;
  private readonly functions: Readonly<Record<string, Signature>>;
  /** Variables, those declared with `let` last. */
  private readonly variables: (readonly [name: string, kind: Kind])[];
  /** Functions whose predicate is being parsed, innermost last, with the types of `#` and `#NAME`. */
  private readonly scopes: { readonly name: string; readonly element: Kind }[] = [];

  constructor(words: readonly string[], { functions = FUNCTIONS, variables = [] }: Names) {
    this.words = words;
    this.functions = functions;
    this.variables = [...variables];
  }

  whole(): Kind {
    const kind = this.sequence();
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

  /** Expressions separated by `;`, optionally with a trailing one; the last determines the result. */
  private sequence(): Kind {
    let kind = this.value();
    while (this.takes(";") && this.word !== undefined) kind = this.value();
    return kind;
  }

  /** An expression, optionally after `let` declarations. */
  private value(): Kind {
    this.deeper();
    const kind = this.takes("let") ? this.declared() : this.conditional(this.piped());
    this.depth -= 1;
    return kind;
  }

  private deeper(): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new Unread();
  }

  private declared(): Kind {
    const name = this.word ?? "the end";
    this.cursor += 1;
    if (!isName(name)) throw new Problem(`let needs a name instead of ${name}`);
    const isTaken = [this.functions, BUILT_IN].some((names) => Object.hasOwn(names, name));
    if (isTaken || this.variable(name) !== undefined) throw new Problem(`let ${name}: the name is taken`);
    this.expect("=");
    const value = this.value();
    this.expect(";");
    this.variables.push([name, value]);
    const kind = this.sequence();
    this.variables.pop();
    return kind;
  }

  private variable(name: string): Kind | undefined {
    return this.variables.findLast(([variable]) => variable === name)?.[1];
  }

  /** The rest of a conditional after `?`: two values, or with `?:` only the alternative. */
  private conditional(condition: Kind): Kind {
    let kind = condition;
    while (this.takes("?")) {
      wanted(kind, "boolean", "?");
      if (this.takes(":")) {
        kind = eitherOf(kind, this.value());
        continue;
      }
      const first = this.value();
      this.expect(":");
      kind = eitherOf(first, this.value());
    }
    return kind;
  }

  /** An expression, piped through functions with `|`. Operators and members may follow a function. */
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
    this.deeper();
    const kind = this.operated(this.operand(), binding);
    this.depth -= 1;
    return kind;
  }

  /** Parses binary operators after an operand that bind tighter than `binding`. */
  private operated(operand: Kind, binding: number): Kind {
    let left = operand;
    for (;;) {
      const isNegated = this.word === "not" && NEGATED.includes(this.words[this.cursor + 1] ?? "");
      const operator = isNegated ? this.words[this.cursor + 1] : this.word;
      const precedence = operator === undefined ? undefined : BINDING.get(operator);
      if (operator === undefined || precedence === undefined || precedence <= binding) return left;
      this.cursor += isNegated ? 2 : 1;
      const next = this.word;
      const right = this.expression(operator === "**" || operator === "^" ? precedence - 1 : precedence);
      left = combined(left, operator, right);
      const pattern = operator === "matches" ? /^['"`](.*)['"`]$/s.exec(next ?? "")?.[1] : undefined;
      if (pattern !== undefined && !pattern.includes("\\") && !isGoRegexp(pattern))
        throw new Problem(`${next} is not a regular expression in Go's syntax`);
    }
  }

  private operand(): Kind {
    const word = this.word;
    if (word === undefined) throw new Problem("it ends too early");
    this.cursor += 1;
    if (word === "not" || word === "!") return wanted(this.expression(NOT), "boolean", word);
    if (word === "-" || word === "+") {
      const signed = this.expression(SIGN);
      wanted(signed, "number", word);
      return signed;
    }
    return this.continued(this.primary(word));
  }

  private primary(word: string): Kind {
    if (/^['"`]/.test(word)) return textOf(word);
    if (/^\.?\d/.test(word)) return numberOf(word);
    if (/^[#.]/.test(word)) return this.pointer(word);
    // A map literal.
    if (word === "{") throw new Unread();
    if (word === "(") {
      const kind = this.sequence();
      this.expect(")");
      return kind;
    }
    if (word === "[") return listOf(this.list("]"));
    if (!isName(word)) throw new Problem(`${word} is not expected`);
    const literal = Object.hasOwn(LITERALS, word) ? LITERALS[word] : undefined;
    if (literal !== undefined) return literal;
    const variable = this.variable(word);
    if (variable !== undefined) return this.takes("(") ? this.calledVariable(word, variable) : variable;
    const known = this.known(word);
    return this.takes("(") ? this.called(word, known) : "function";
  }

  /** The element of a predicate, `#`, or a variable of it, such as `#index`. A member may follow without `#`. */
  private pointer(word: string): Kind {
    const scope = this.scopes.at(-1);
    if (scope === undefined) throw new Problem(`${word} is not expected`);
    if (word === ".") {
      this.cursor -= 1;
      return scope.element;
    }
    // Right behind #, an operator such as matches is a name too.
    const isBare = word === "#";
    const name = isBare ? this.word : word.slice(1);
    if (name === undefined || (isBare && !isName(name))) return scope.element;
    if (isBare) this.cursor += 1;
    const pointers = PREDICATES[scope.name]?.pointers ?? {};
    const kind = Object.hasOwn(pointers, name) ? pointers[name] : undefined;
    if (kind === undefined) throw new Problem(`${scope.name} has no #${name}`);
    return kind;
  }

  private calledVariable(name: string, kind: Kind): Kind {
    if (kind !== "function" && kind !== "any") throw new Problem(`${name} is a ${kind}, not a function`);
    this.list(")");
    return "any";
  }

  private known(name: string): Signature | undefined {
    const signature = Object.hasOwn(this.functions, name) ? this.functions[name] : undefined;
    if (signature === undefined && !(Object.hasOwn(BUILT_IN, name) && this.word === "("))
      throw new Problem(`${name} is not a function of a query, and a text needs quotes, as 'A'`);
    return signature;
  }

  private called(name: string, signature: Signature | undefined, before: readonly Kind[] = []): Kind {
    if (Object.hasOwn(PREDICATES, name)) return this.collected(name, before[0]);
    const given = [...before, ...this.list(")")];
    if (signature === undefined) return BUILT_IN[name] ?? "any";
    const [parameters, kind, takes = "text"] = signature;
    if (given.length !== parameters) throw new Problem(`${name} takes ${parameters} arguments (found ${given.length})`);
    for (const argument of takes === "any" ? [] : given) wanted(argument, takes, name);
    return kind;
  }

  /** A function with a predicate. @param before The list, if it was piped with `|`. */
  private collected(name: string, before: Kind | undefined): Kind {
    const predicate = PREDICATES[name];
    if (predicate === undefined) return "any";
    const missing = () => new Problem(`${name} takes a list and a predicate`);
    if (before === undefined && this.word === ")") throw missing();
    const list = before ?? this.value();
    if (!isList(list) && list !== "any") throw new Problem(`${name} takes a list, not a ${list}`);
    let made: Kind | undefined;
    if (this.word === ")") {
      if (!predicate.isOptional) throw missing();
    } else {
      if (before === undefined) this.expect(",");
      made = this.predicate(name, elementOf(list));
      if (predicate.isCondition && made !== "boolean" && made !== "any")
        throw new Problem(`the predicate of ${name} must be a boolean, not a ${made}`);
      if (predicate.more !== undefined && this.takes(",")) {
        const given = this.value();
        if (predicate.more !== "any") wanted(given, predicate.more, name);
      }
      this.takes(",");
    }
    this.expect(")");
    return predicate.gives(list, made);
  }

  private predicate(name: string, element: Kind): Kind {
    const hasBraces = this.takes("{");
    this.scopes.push({ name, element });
    const kind = hasBraces ? this.sequence() : this.value();
    this.scopes.pop();
    if (!hasBraces && this.word === ";") throw new Problem(`a predicate of several expressions needs braces`);
    if (hasBraces) this.expect("}");
    return kind;
  }

  /** Comma-separated expressions, optionally with a trailing comma. */
  private list(end: string): Kind[] {
    const kinds: Kind[] = [];
    while (!this.takes(end)) {
      kinds.push(this.value());
      if (this.takes(end)) break;
      this.expect(",");
    }
    return kinds;
  }

  /** The members, methods and indices after an operand. */
  private continued(kind: Kind): Kind {
    for (let found = kind; ; ) {
      if (this.takes(".")) found = this.member(found);
      else if (this.takes("[")) found = this.element(found);
      else return found;
    }
  }

  /** A member or method after its dot. */
  private member(of: Kind): Kind {
    if (of !== "any") throw new Problem(`a ${of} has no fields`);
    const name = this.word ?? "the end";
    this.cursor += 1;
    if (!/^[a-z_$]/i.test(name)) throw new Problem(`a field needs a name instead of ${name}`);
    if (!this.takes("(")) return of;
    this.list(")");
    return METHODS.get(name) ?? "any";
  }

  /** An index or slice after its bracket. */
  private element(of: Kind): Kind {
    const isSlice = this.places(of);
    if (of !== "any" && !isList(of) && !(isSlice && of === "text"))
      throw new Problem(`a ${of} has no ${isSlice ? "parts" : "places"}`);
    return isSlice ? of : elementOf(of);
  }

  /** Parses the content of brackets. @returns whether it is a slice, such as `1:3`, instead of an index. */
  private places(of: Kind): boolean {
    const place = () => {
      const kind = this.value();
      // An operand of unknown type may be a map.
      if (of !== "any") wanted(kind, "number", "[ ]");
    };
    if (this.word !== ":") place();
    const isSlice = this.takes(":");
    if (isSlice && this.word !== "]") place();
    this.expect("]");
    return isSlice;
  }
}
