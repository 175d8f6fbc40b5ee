import { blocksOf, type Corefile, isSnippet, modelOf } from "./model.ts";
import { rankOf } from "./order.ts";
import { type Block, type Directive, parseBlocks } from "./syntax.ts";

/** A Corefile without its snippets: each stands where it was imported. Imports of files stay. */
export function expanded(corefile: Corefile): Corefile {
  const { blocks, imports } = blocksOf(corefile);
  return modelOf({ blocks: withoutSnippets(blocks), imports });
}

/**
 * The server blocks of a Corefile's text, with snippets expanded.
 * @throws {CorefileSyntaxError} where the text cannot be read.
 */
export function serverBlocks(text: string): readonly Block[] {
  return withoutSnippets(parseBlocks(text));
}

/** Whether a block answers for every name on the port of DNS. */
export function servesRoot({ zones }: Block): boolean {
  return zones.some((zone) => /^(dns:\/\/)?\.(:53)?$/.test(zone.toLowerCase()));
}

/** A snippet may hold whole blocks, which are not looked into. */
function withoutSnippets(blocks: readonly Block[]): Block[] {
  const snippets = new Map(
    blocks.filter(isSnippet).map(({ zones, directives }) => [zones[0]?.slice(1, -1), directives]),
  );
  const expand = (lines: readonly Directive[], depth: number): Directive[] =>
    lines.flatMap((line) => {
      const snippet = line.name === "import" && depth < MAX_DEPTH ? snippets.get(line.args[0]) : undefined;
      if (snippet !== undefined) return expand(snippet, depth + 1);
      return [line.block === undefined ? line : { ...line, block: expand(line.block, depth) }];
    });
  return blocks
    .filter((block) => !isSnippet(block))
    .map(({ zones, directives }) => ({ zones, directives: expand(directives, 0) }));
}

/** CoreDNS stops at a snippet that imports itself; deeper than this nobody writes them. */
const MAX_DEPTH = 20;

/**
 * Whether two Corefiles do the same: snippets expanded, plugins in CoreDNS's own order, and options of a plugin in any order.
 * Lines of the same name keep theirs, since it counts.
 */
export function sameMeaning(one: Corefile, other: Corefile): boolean {
  return canonical(one) === canonical(other);
}

function canonical(corefile: Corefile): string {
  const blocks: Block[] = blocksOf(expanded(corefile)).blocks.map(({ zones, directives }) => ({
    zones: [...zones].sort(),
    directives: directives.map(sortedOptions).sort((a, b) => place(a) - place(b) || compare(a.name, b.name)),
  }));
  const sorted = blocks.sort((a, b) => compare(String(a.zones), String(b.zones)));
  return JSON.stringify({ sorted, imports: [...corefile.imports].sort() });
}

/** JavaScript's sort keeps the order of equals. */
function sortedOptions({ name, args, block }: Directive): Directive {
  const options = block?.map(sortedOptions).sort((a, b) => compare(a.name, b.name)) ?? [];
  return options.length === 0 ? { name, args } : { name, args, block: options };
}

function place({ name }: Directive): number {
  return rankOf(name) ?? Number.MAX_SAFE_INTEGER;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
