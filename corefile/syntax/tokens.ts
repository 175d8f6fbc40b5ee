/** A word of a Corefile, and its position. */
export interface Token {
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly line: number;
  /** Line of its last character: a quoted word may span several lines. */
  readonly endLine: number;
}

/** White space as defined by CoreDNS, which excludes the byte order mark. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/**
 * Splits a Corefile into words as CoreDNS does, at white space. A comment reaches from `#` to the end of its line, but inside a word only
 * to the end of that word. A word may be in double quotes, in which only `\"` is an escape.
 * @see https://coredns.io/manual/configuration/
 */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  let position = text.startsWith("\uFEFF") ? 1 : 0;

  while (position < text.length) {
    const char = text.charAt(position);
    if (char === "\n") line += 1;
    if (SPACE.test(char)) {
      position += 1;
    } else if (char === "#") {
      position = endOfLine(text, position);
    } else {
      const word = char === '"' ? quoted(text, position + 1) : bare(text, position);
      // A quote at the end of the text is not a word.
      if (word.text === "" && word.end > text.length) break;
      const endLine = line + (word.text.match(/\n/g)?.length ?? 0);
      found.push({ text: word.text, line, endLine });
      line = endLine;
      position = word.end;
    }
  }
  return found;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

function bare(text: string, from: number): Word {
  let end = from;
  // CoreDNS drops a carriage return without ending the word.
  while (end < text.length && (!SPACE.test(text.charAt(end)) || text.charAt(end) === "\r")) end += 1;
  const [word = ""] = text.slice(from, end).split("#");
  return { text: word.replaceAll("\r", ""), end };
}

function quoted(text: string, from: number): Word {
  let value = "";
  for (let position = from; position < text.length; position += 1) {
    const char = text.charAt(position);
    if (char === '"') return { text: value, end: position + 1 };
    if (char === "\\") {
      const next = text.charAt(position + 1);
      // A backslash at the end of the text is dropped.
      if (next !== "") value += next === '"' ? next : char + next;
      position += 1;
    } else {
      value += char;
    }
  }
  return { text: value, end: text.length + 1 };
}

/**
 * Quotes a word so that CoreDNS reads it back unchanged.
 * @throws if that is impossible: for a single brace, or an odd run of backslashes before a quote in a word with spaces.
 */
export function spelled(word: string): string {
  if (word === "{" || word === "}") throw new Error(`a Corefile cannot hold a single brace as a word: ${word}`);
  if (word !== "" && !SPACE.test(word) && !/[#\uFEFF]/.test(word) && !word.startsWith('"')) return word;
  if (/(?<!\\)(\\\\)*\\("|$)/.test(word)) {
    throw new Error(`a Corefile cannot hold a backslash before a quote in a word that needs quotes: ${word}`);
  }
  return `"${word.replaceAll('"', '\\"')}"`;
}

/**
 * The tokens of a plugin, with the cursor that CoreDNS gives its plugins. The positions of braces matter: in a block on one line, the
 * closing brace is another word of the option.
 * @see https://github.com/coredns/caddy/blob/master/caddyfile/dispenser.go
 */
export class Dispenser {
  private readonly tokens: readonly Token[];
  /** Whether a block without a closing brace ends at its last word, if that is a brace, as before CoreDNS 1.13. */
  private readonly lenient: boolean;
  /** Whether an option may have options in braces. */
  private readonly nests: boolean;
  private cursor = -1;
  private nesting = 0;

  constructor(tokens: readonly Token[], { lenient, nests }: { readonly lenient: boolean; readonly nests: boolean }) {
    this.tokens = tokens;
    this.lenient = lenient;
    this.nests = nests;
  }

  /** The word at the cursor; empty before the first. */
  get value(): string {
    return this.at(this.cursor);
  }

  private at(index: number): string {
    return this.tokens[index]?.text ?? "";
  }

  next(): boolean {
    if (this.cursor >= this.tokens.length - 1) return false;
    this.cursor += 1;
    return true;
  }

  /** Advances to the next word, if it is on the same line. */
  nextArgument(): boolean {
    if (this.cursor < 0) {
      this.cursor += 1;
      return true;
    }
    const [here, after] = [this.tokens[this.cursor], this.tokens[this.cursor + 1]];
    if (here === undefined || after === undefined || after.line !== here.endLine) return false;
    this.cursor += 1;
    return true;
  }

  /** Advances to the next option in braces; false at their end, or without braces. */
  nextBlock(): boolean {
    if (this.nesting > 0) {
      const moves = this.next();
      if (!moves && !this.lenient) return false;
      if (this.nests && this.value === "{") this.cursor -= 1;
      else if (this.value === "}") {
        this.nesting -= 1;
        return false;
      } else return moves || this.endlessly();
    }
    if (!this.nextArgument()) return false;
    if (this.value !== "{") {
      this.cursor -= 1;
      return false;
    }
    if (!this.next() && !this.lenient) return false;
    if (this.at(this.cursor) === "}") return false;
    this.nesting += 1;
    return true;
  }

  /** Reports braces whose last word CoreDNS before 1.13 reads again and again. */
  protected endlessly(): boolean {
    return false;
  }

  /** The words up to the end of the line, or to an opening brace. */
  remaining(): string[] {
    const words: string[] = [];
    while (this.nextArgument()) {
      if (this.value === "{") {
        this.cursor -= 1;
        break;
      }
      words.push(this.value);
    }
    return words;
  }
}
