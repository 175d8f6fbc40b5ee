import type { Token } from "./lexer.ts";

/**
 * The words of a plugin, read as CoreDNS's plugins read theirs. Where a brace stands decides what they see: in a block on one line
 * the closing brace is one more word of the option.
 * @see https://github.com/coredns/caddy/blob/master/caddyfile/dispenser.go
 */
export class Dispenser {
  private readonly tokens: readonly Token[];
  /** Before CoreDNS 1.13 a block whose words have run out ends at its last word, where that is a brace. */
  private readonly lenient: boolean;
  private cursor = -1;
  private nesting = 0;

  constructor(tokens: readonly Token[], lenient: boolean) {
    this.tokens = tokens;
    this.lenient = lenient;
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

  /** Steps to the next word, where it is on the same line. */
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

  /** Steps to the next option in braces; false at the end of the braces, or where there are none. */
  nextBlock(): boolean {
    if (this.nesting > 0) {
      if (!this.next() && !this.lenient) return false;
      if (this.value !== "}") return true;
      this.nesting -= 1;
      return false;
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
