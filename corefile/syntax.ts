import { spelled, type Token, tokens } from "./lexer.ts";

/** One line of a Corefile: a name, its words, and the lines between its braces. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Undefined where there are no braces. */
  readonly block?: readonly Directive[] | undefined;
}

/** One `ZONE… { … }` of a Corefile. A snippet is a block whose only zone is `(name)`. */
export interface Block {
  readonly zones: readonly string[];
  readonly directives: readonly Directive[];
}

/** What a Corefile's text holds: its blocks, and the files that it imports beside them. */
export interface Blocks {
  readonly blocks: readonly Block[];
  /** File names or patterns, such as k3s's `/etc/coredns/custom/*.server`, whose blocks come on top. */
  readonly imports: readonly string[];
}

/** Text that CoreDNS would not read as a Corefile. */
export class CorefileSyntaxError extends Error {
  /** Line of the text, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = "CorefileSyntaxError";
    this.line = line;
  }
}

/** The blocks of a Corefile's text, snippets among them; see {@link parseSyntax}. */
export function parseBlocks(text: string): readonly Block[] {
  return parseSyntax(text).blocks;
}

/**
 * Reads a Corefile's blocks and lines, without knowing any plugin.
 * @throws {CorefileSyntaxError} where a brace is missing or too many, or a snippet is not there for an import.
 * @see https://coredns.io/manual/configuration/
 */
export function parseSyntax(text: string): Blocks {
  const reader = new Reader(tokens(text));
  const blocks: Block[] = [];
  const imports: string[] = [];
  const snippets = new Map<string, readonly Import[]>();
  for (let word = reader.peek(); word !== undefined; word = reader.peek()) {
    if (word.text === "import") {
      imports.push(importOf(reader));
      continue;
    }
    const one = block(reader);
    const imported = reader.takeImports();
    const name = snippetName(one);
    if (name === undefined) checkImports(imported, snippets);
    else snippets.set(name, imported);
    blocks.push(one);
  }
  return { blocks, imports };
}

/** Name of a snippet; undefined for a block that serves zones. */
export function snippetName({ zones }: Block): string | undefined {
  const [zone = ""] = zones;
  return zones.length === 1 && zone.startsWith("(") && zone.endsWith(")") ? zone.slice(1, -1) : undefined;
}

/** CoreDNS looks for a snippet among those above the block, and else for a file, which a name alone hardly is. */
function checkImports(
  imports: readonly Import[],
  snippets: ReadonlyMap<string, readonly Import[]>,
  within: readonly string[] = [],
): void {
  for (const { name, line } of imports) {
    const inner = snippets.get(name);
    if (within.includes(name)) throw new CorefileSyntaxError(line, `the snippet (${name}) imports itself`);
    if (inner !== undefined) checkImports(inner, snippets, [...within, name]);
    else if (/^[\w-]+$/.test(name)) {
      throw new CorefileSyntaxError(line, `import ${name}: no snippet (${name}) stands above this block`);
    }
  }
}

function importOf(reader: Reader): string {
  const line = reader.next()?.line ?? 1;
  const file = reader.sameLine() ? reader.next() : undefined;
  if (file === undefined || reader.sameLine()) throw new CorefileSyntaxError(line, "import takes one file or pattern");
  return file.text;
}

interface Import {
  readonly name: string;
  readonly line: number;
}

class Reader {
  private imports: Import[] = [];
  private readonly words: readonly Token[];
  private position = 0;

  constructor(words: readonly Token[]) {
    this.words = words;
  }

  peek(): Token | undefined {
    return this.words[this.position];
  }

  next(): Token | undefined {
    const word = this.words[this.position];
    this.position += 1;
    return word;
  }

  /** Whether the next word stands on the line of the one before it. */
  sameLine(): boolean {
    const [before, word] = [this.words[this.position - 1], this.words[this.position]];
    return before !== undefined && word !== undefined && word.line === before.endLine;
  }

  /** Notes an import within a block. */
  imported(one: Import): void {
    this.imports.push(one);
  }

  /** The imports noted since the last call. */
  takeImports(): readonly Import[] {
    const taken = this.imports;
    this.imports = [];
    return taken;
  }

  line(): number {
    return this.words.at(Math.min(this.position, this.words.length) - 1)?.endLine ?? 1;
  }
}

function block(reader: Reader): Block {
  const zones: string[] = [];
  for (;;) {
    const word = reader.next();
    if (word === undefined) throw new CorefileSyntaxError(reader.line(), "a zone needs its plugins in braces");
    if (word.text === "}") throw new CorefileSyntaxError(word.line, "a closing brace without an opening one");
    if (word.text === "{") break;
    const more = word.text.endsWith(",");
    zones.push(more ? word.text.slice(0, -1) : word.text);
    const following = reader.peek();
    if (!more && following !== undefined && following.text !== "{" && !reader.sameLine()) {
      throw new CorefileSyntaxError(following.line, `expected { after the zones, found ${following.text}`);
    }
  }
  if (zones.length === 0) throw new CorefileSyntaxError(reader.line(), "a block needs a zone before its {");
  return { zones, directives: directives(reader) };
}

function directives(reader: Reader): Directive[] {
  const found: Directive[] = [];
  for (;;) {
    const word = reader.next();
    if (word === undefined) throw new CorefileSyntaxError(reader.line(), "the text ends before a closing brace");
    if (word.text === "}") return found;
    if (word.text === "{") throw new CorefileSyntaxError(word.line, "an opening brace must follow a name on its line");
    const one = directive(reader, word.text);
    if (one.name === "import") {
      const [name, ...more] = one.args;
      if (name === undefined || more.length > 0) {
        throw new CorefileSyntaxError(word.line, "import takes one snippet, file or pattern");
      }
      reader.imported({ name, line: word.line });
    }
    found.push(one);
  }
}

function directive(reader: Reader, name: string): Directive {
  const args: string[] = [];
  while (reader.sameLine()) {
    const word = reader.next();
    if (word === undefined) break;
    if (word.text === "}") throw new CorefileSyntaxError(word.line, "a closing brace must stand on its own line");
    if (word.text === "{") return { name, args, block: innerBlock(reader) };
    args.push(word.text);
  }
  return { name, args };
}

/** CoreDNS takes what follows a closing brace on its line for another argument. */
function innerBlock(reader: Reader): Directive[] {
  const inner = directives(reader);
  const following = reader.peek();
  if (following !== undefined && reader.sameLine()) {
    throw new CorefileSyntaxError(following.line, `expected a new line after }, found ${following.text}`);
  }
  return inner;
}

const INDENT = "    ";

/** Text of a Corefile, each plugin on its line, as `coredns` reads it. */
export function renderBlocks({ blocks, imports }: Blocks): string {
  const text = blocks.map((one) => `${one.zones.map(spelled).join(" ")} {\n${lines(one.directives, INDENT)}}\n`);
  return [...text, ...imports.map((file) => `import ${spelled(file)}\n`)].join("");
}

function lines(list: readonly Directive[], indent: string): string {
  return list
    .map(({ name, args, block: inner }) => {
      const head = `${indent}${[name, ...args].map(spelled).join(" ")}`;
      return inner === undefined ? `${head}\n` : `${head} {\n${lines(inner, indent + INDENT)}${indent}}\n`;
    })
    .join("");
}
