import { type Environment, readTokens, type TokenBlock } from "./caddyfile.ts";
import { spelled, type Token } from "./tokens.ts";

/** One line of a Corefile: a name, its words, and the lines between its braces. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Undefined where there are no braces. */
  readonly block?: readonly Directive[] | undefined;
}

/** One server block: `ZONE… { … }`. */
export interface Block {
  readonly zones: readonly string[];
  readonly directives: readonly Directive[];
}

/** What a Corefile's text holds: its server blocks, with snippets expanded, and the files that it imports. */
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
 * Reads a Corefile's blocks and lines, without knowing any plugin.
 * @throws {CorefileSyntaxError} where CoreDNS would stop before any plugin sees its words.
 * @see https://coredns.io/manual/configuration/
 */
export function parseSyntax(text: string, environment?: Environment): Blocks {
  const { blocks, imports } = readTokens(text, environment);
  return { blocks: blocks.map(blockOf), imports: [...imports, ...blocks.flatMap((block) => block.imports)] };
}

/** Whether a block answers for every name on the port of DNS. */
export function servesRoot({ zones }: Block): boolean {
  return zones.some((zone) => /^(dns:\/\/)?\.(:53)?$/.test(zone.toLowerCase()));
}

function blockOf({ keys, lines }: TokenBlock): Block {
  return { zones: keys, directives: lines.map(({ tokens }) => directiveOf([...tokens])) };
}

/** Takes a line, with its braces, off the front of the tokens. A brace may close on the line of the last option. */
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
