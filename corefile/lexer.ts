/** One word of a Corefile, and where it stands. */
export interface Token {
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly line: number;
  /** Line of its last character: a quoted word may span several. */
  readonly endLine: number;
}

/** White space as CoreDNS sees it. */
const SPACE = /[\s\u0085]/;

/**
 * Splits a Corefile into words as CoreDNS does: by white space, a comment from `#` to the end of its line even inside a word,
 * a word in double quotes whole, and in it only `\"` is an escape.
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
  // CoreDNS drops a carriage return without ending the word there.
  while (end < text.length && text.charAt(end) !== "#" && !(SPACE.test(text.charAt(end)) && text.charAt(end) !== "\r"))
    end += 1;
  return { text: text.slice(from, end).replaceAll("\r", ""), end };
}

function quoted(text: string, from: number): Word {
  let value = "";
  for (let position = from; position < text.length; position += 1) {
    const char = text.charAt(position);
    if (char === '"') return { text: value, end: position + 1 };
    if (char === "\\") {
      const next = text.charAt(position + 1);
      value += next === '"' ? next : char + next;
      position += 1;
    } else {
      value += char;
    }
  }
  return { text: value, end: text.length };
}

/**
 * A word as it must be written so that CoreDNS reads it back unchanged.
 * @throws where no spelling does that: a brace alone, or an odd run of backslashes before a quote in a word with spaces.
 */
export function spelled(word: string): string {
  if (word === "{" || word === "}") throw new Error(`a Corefile cannot hold a single brace as a word: ${word}`);
  if (word !== "" && !SPACE.test(word) && !/[#\uFEFF]/.test(word) && !word.startsWith('"')) return word;
  if (/(?<!\\)(\\\\)*\\("|$)/.test(word)) {
    throw new Error(`a Corefile cannot hold a backslash before a quote in a word that needs quotes: ${word}`);
  }
  return `"${word.replaceAll('"', '\\"')}"`;
}
