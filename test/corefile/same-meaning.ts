import { blocksOf, type Corefile } from "../../corefile/model.ts";
import { rankOf } from "../../corefile/releases.ts";
import type { Directive } from "../../corefile/syntax/syntax.ts";

/**
 * Whether two Corefiles do the same: plugins in CoreDNS's own order, and options of a plugin in any order. Lines of the same name
 * keep theirs, since it counts.
 */
export function sameMeaning(one: Corefile, other: Corefile): boolean {
  return canonical(one) === canonical(other);
}

function canonical(corefile: Corefile): string {
  const { blocks, imports } = blocksOf(corefile);
  const sorted = blocks
    .map(({ zones, directives }) => ({
      zones: [...zones].sort(),
      directives: directives.map(sortedOptions).sort((a, b) => place(a) - place(b) || compare(a.name, b.name)),
    }))
    .sort((a, b) => compare(String(a.zones), String(b.zones)));
  return JSON.stringify({ sorted, imports: [...imports].sort() });
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
