import { atLine } from "../finding.ts";
import { spelled, type Token, tokens } from "./tokens.ts";

/** Text that CoreDNS cannot parse as a Corefile. */
export class CorefileSyntaxError extends Error {
  /** Line of the text, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(atLine(line, message));
    this.name = "CorefileSyntaxError";
    this.line = line;
  }
}

/** What a function reads from a Corefile; undefined if CoreDNS cannot parse it. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return undefined;
    throw error;
  }
}

/** The tokens of one plugin in one server block: all its lines in order, as CoreDNS passes them to the plugin's setup. */
export interface PluginTokens {
  readonly name: string;
  readonly tokens: readonly Token[];
}

/** A server block as CoreDNS's parser sees it, with snippets expanded. */
export interface TokenBlock {
  /** As written, such as `.:53`. Empty if the block's only key is an empty word. */
  readonly keys: readonly string[];
  /** Line of its first word. */
  readonly line: number;
  /** Whether the block has braces; without them it ends at the end of the text, or at a closing brace. */
  readonly hasBraces: boolean;
  /** The lines with their tokens, in the order of the text. */
  readonly lines: readonly PluginTokens[];
  /** Imported files with further lines of this block, which are not read. */
  readonly imports: readonly string[];
}

/** The content of a Corefile's text. */
export interface TokenFile {
  readonly blocks: readonly TokenBlock[];
  /** Blocks without zones, of which CoreDNS only reads the plugins' names. */
  readonly withoutZones: readonly TokenBlock[];
  /** Imported files between the blocks, such as k3s's `/etc/coredns/custom/*.server`, which are not read. */
  readonly imports: readonly string[];
}

/** Value of an environment variable; undefined if unknown, which leaves the variable's name in the text. */
export type Environment = (name: string) => string | undefined;

const MAX_SNIPPETS = 10_000;

/**
 * Parses a Corefile as CoreDNS does: with or without braces, with snippets and variables expanded.
 * @throws {CorefileSyntaxError} if CoreDNS fails before it calls any plugin's setup.
 * @see https://github.com/coredns/caddy/blob/master/caddyfile/parse.go
 */
export function readTokens(text: string, environment: Environment = () => undefined): TokenFile {
  return new Parser(tokens(text), environment).file();
}

/** Tokens with a cursor; `import` splices tokens in. */
class Parser {
  /** What is left to read and what was read: an import replaces its two words by those of its snippet. */
  private words: Token[];
  private readonly environment: Environment;
  private readonly snippets = new Map<string, readonly Token[]>();
  private readonly imports: string[] = [];
  private expansions = 0;
  private cursor = -1;

  constructor(words: readonly Token[], environment: Environment) {
    this.words = [...words];
    this.environment = environment;
  }

  file(): TokenFile {
    const found: TokenBlock[] = [];
    while (this.next()) {
      const block = this.block();
      if (block !== undefined) found.push(block);
    }
    const hasZones = ({ keys }: TokenBlock) => keys.length > 0;
    return {
      blocks: found.filter(hasZones),
      withoutZones: found.filter((block) => !hasZones(block)),
      imports: this.imports,
    };
  }

  private block(): TokenBlock | undefined {
    const line = this.words[this.cursor]?.line ?? 1;
    const { keys, ended } = this.keys();
    if (keys.length === 0 && ended) return undefined;
    if (ended) return { keys, line, hasBraces: false, lines: [], imports: [] };
    const [key = ""] = keys;
    if (keys.length === 1 && key.startsWith("(") && key.endsWith(")")) {
      this.snippet(key.slice(1, -1));
      return undefined;
    }
    return this.contents(keys, line);
  }

  private keys(): { readonly keys: string[]; readonly ended: boolean } {
    const keys: string[] = [];
    let another = false;
    for (;;) {
      const word = this.replaced(this.text());
      if (word === "import" && this.isNewLine()) {
        this.importOfBlocks();
        if (this.cursor >= this.words.length) return { keys, ended: true };
        continue;
      }
      if (word === "{" && another) throw this.error("expected another zone after the comma, found {");
      if (word === "{") return { keys, ended: false };
      if (word !== "") {
        another = word.endsWith(",");
        keys.push(another ? word.slice(0, -1) : word);
      }
      if (!this.next()) {
        if (another) throw this.error("the text ends after a comma");
        return { keys, ended: true };
      }
      if (!another && this.isNewLine()) return { keys, ended: false };
    }
  }

  private importOfBlocks(): void {
    const file = this.import();
    if (file !== undefined) this.imports.push(file);
  }

  private snippet(name: string): void {
    if (this.snippets.has(name)) throw this.error(`the snippet (${name}) is defined twice`);
    if (this.text() !== "{") throw this.error(`expected { after (${name}), found ${this.text()}`);
    const inner: Token[] = [];
    let depth = 1;
    while (this.next()) {
      if (this.text() === "}") depth -= 1;
      if (depth === 0) break;
      if (this.text() === "{") depth += 1;
      const token = this.words[this.cursor];
      if (token !== undefined) inner.push(token);
    }
    if (depth !== 0) throw this.error(`the snippet (${name}) has no closing brace`);
    for (const [index, token] of inner.entries()) {
      const starts = index === 0 || inner[index - 1]?.line !== token.line;
      if (starts && token.text === "import" && this.replaced(inner[index + 1]?.text ?? "") === name)
        throw new CorefileSyntaxError(token.line, `the snippet (${name}) imports itself`);
    }
    this.snippets.set(name, inner);
  }

  private contents(keys: readonly string[], line: number): TokenBlock {
    const hasBraces = this.text() === "{";
    if (!hasBraces) this.cursor -= 1;
    const lines: PluginTokens[] = [];
    const imports: string[] = [];
    while (this.next()) {
      if (this.text() === "}") break;
      if (this.text() === "import") {
        const file = this.import();
        if (file !== undefined) imports.push(file);
        this.cursor -= 1;
        continue;
      }
      lines.push(this.line(imports));
    }
    if (hasBraces && this.text() !== "}") throw this.error("the text ends before a closing brace");
    return { keys, line, hasBraces, lines, imports };
  }

  /** Parses a plugin's line with its braces. */
  private line(imports: string[]): PluginTokens {
    const name = this.replaced(this.text());
    const found: Token[] = [];
    const first = this.words[this.cursor];
    if (first !== undefined) found.push(first);
    let depth = 0;
    while (this.next()) {
      const word = this.text();
      if (word === "{") depth += 1;
      else if (this.isNewLine() && depth === 0) {
        this.cursor -= 1;
        break;
      } else if (word === "}" && depth > 0) depth -= 1;
      else if (word === "}") throw this.error("a closing brace needs a line of its own");
      else if (word === "import" && this.isNewLine()) {
        const file = this.import();
        if (file !== undefined) imports.push(file);
        this.cursor -= 1;
        continue;
      }
      const token = this.words[this.cursor];
      if (token === undefined) continue;
      const replaced = { ...token, text: this.replaced(token.text) };
      this.words[this.cursor] = replaced;
      found.push(replaced);
    }
    if (depth > 0) throw this.error("the text ends before a closing brace");
    return { name, tokens: found };
  }

  /** Replaces an import by its snippet. @returns the name of the file to import if there is no such snippet. */
  private import(): string | undefined {
    if (!this.nextArgument()) throw this.error("import takes a snippet, a file or a pattern");
    const name = this.replaced(this.text());
    if (name === "") throw this.error("import takes the name of a snippet, a file or a pattern, found nothing");
    if (this.nextArgument()) throw this.error("import takes one word");
    const snippet = this.snippets.get(name);
    if (snippet !== undefined) this.expansions += 1;
    if (this.expansions > MAX_SNIPPETS) throw this.error(`the snippet (${name}) imports itself`);
    if (snippet === undefined && /\*.*\*|\?.*\?|\[.*\]|\].*\[/.test(name))
      throw this.error(`import ${name}: a pattern takes one * or one ?`);
    this.words.splice(this.cursor - 1, 2, ...(snippet ?? []));
    this.cursor -= 1;
    return snippet === undefined ? name : undefined;
  }

  private next(): boolean {
    if (this.cursor >= this.words.length - 1) return false;
    this.cursor += 1;
    return true;
  }

  private nextArgument(): boolean {
    const [here, after] = [this.words[this.cursor], this.words[this.cursor + 1]];
    if (here === undefined || after === undefined || after.line !== here.endLine) return false;
    this.cursor += 1;
    return true;
  }

  private isNewLine(): boolean {
    const [before, here] = [this.words[this.cursor - 1], this.words[this.cursor]];
    return before === undefined || (here !== undefined && before.endLine < here.line);
  }

  private text(): string {
    return this.words[this.cursor]?.text ?? "";
  }

  private error(message: string): CorefileSyntaxError {
    return new CorefileSyntaxError(this.words[this.cursor]?.line ?? this.words.at(-1)?.line ?? 1, message);
  }

  private replaced(word: string): string {
    return word.replace(VARIABLE, (whole, percent: string | undefined, dollar: string | undefined) => {
      return this.environment(percent ?? dollar ?? "") ?? whole;
    });
  }
}

const VARIABLE = /\{%([^{}]+?)%\}|\{\$([^{}]+?)\}/g;

/** Whether a word contains an unexpanded environment variable, `{$NAME}` or `{%NAME%}`. */
export function hasVariable(word: string): boolean {
  return /\{%[^{}]+?%\}|\{\$[^{}]+?\}/.test(word);
}

/** A line of a Corefile: a name, its arguments, and the lines in its braces. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Undefined without braces. */
  readonly block?: readonly Directive[] | undefined;
}

/** A server block: `ZONE… { … }`. */
export interface Block {
  readonly zones: readonly string[];
  readonly directives: readonly Directive[];
}

/** The content of a Corefile's text: its server blocks, with snippets expanded, and imported files. */
export interface Blocks {
  readonly blocks: readonly Block[];
  /** File names or patterns, such as k3s's `/etc/coredns/custom/*.server`, which are not read. */
  readonly imports: readonly string[];
}

/** The server blocks of a Corefile's text; see {@link parseSyntax}. */
export function parseBlocks(text: string): readonly Block[] {
  return parseSyntax(text).blocks;
}

/**
 * Parses a Corefile's blocks and lines, without knowledge of plugins.
 * @throws {CorefileSyntaxError} if CoreDNS fails before it calls any plugin's setup.
 * @see https://coredns.io/manual/configuration/
 */
export function parseSyntax(text: string, environment?: Environment): Blocks {
  const { blocks, imports } = readTokens(text, environment);
  return { blocks: blocks.map(blockOf), imports: [...imports, ...blocks.flatMap((block) => block.imports)] };
}

function blockOf({ keys, lines }: TokenBlock): Block {
  return { zones: keys, directives: lines.map(({ tokens }) => directiveOf([...tokens])) };
}

/** Removes a line, with its braces, from the front of the tokens. The last option's line may contain the closing brace. */
function directiveOf(tokens: Token[]): Directive {
  const first = tokens.shift();
  const name = first?.text ?? "";
  const args: string[] = [];
  let line = first?.endLine;
  for (let token = tokens[0]; token !== undefined && token.line === line && token.text !== "}"; token = tokens[0]) {
    tokens.shift();
    if (token.text === "{") return { name, args, block: optionsOf(tokens) };
    args.push(token.text);
    line = token.endLine;
  }
  return { name, args };
}

function optionsOf(tokens: Token[]): Directive[] {
  const found: Directive[] = [];
  while (tokens.length > 0 && tokens[0]?.text !== "}") found.push(directiveOf(tokens));
  tokens.shift();
  return found;
}

const INDENT = "    ";

/** Renders a Corefile, one line per plugin. */
export function renderBlocks({ blocks, imports }: Blocks): string {
  const text = blocks.map((block) => `${block.zones.map(spelled).join(" ")} {\n${lines(block.directives, INDENT)}}\n`);
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
