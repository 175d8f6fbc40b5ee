import type { Release } from "../releases.ts";
import type { TokenBlock } from "../syntax/syntax.ts";
import type { Token } from "../syntax/tokens.ts";

/**
 * Why the options of a plugin are none to CoreDNS: their opening brace does not stand on the line of what they belong to, so that
 * the plugin takes the words in the braces for lines of its own.
 */
export function looseBrace(tokens: readonly Token[]): string | undefined {
  const brace = tokens.find(({ text, line }, index) => text === "{" && line !== (tokens[index - 1]?.endLine ?? line));
  if (brace === undefined) return undefined;
  return `the brace on line ${brace.line} opens no options, since it stands on a line of its own; put it at the end of the line before`;
}

/** Words outside the blocks that were meant to be inside: a closing brace too many makes CoreDNS read them as zones. */
export function strayLines(blocks: readonly TokenBlock[], { plugins }: Release): string[] {
  return blocks.flatMap(({ keys, line, hasBraces }, index): string[] => {
    const [first = ""] = keys;
    const isBrace = keys.includes("}");
    const isPlugin = !hasBraces && index > 0 && plugins.some(({ name }) => name === first);
    if (!isBrace && !isPlugin) return [];
    const what = isBrace ? "a closing brace" : `the line of ${first}`;
    return [
      `line ${line}: ${what} stands outside the server blocks, so CoreDNS reads it as a zone; remove a brace above`,
    ];
  });
}
