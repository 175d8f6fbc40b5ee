import type { Release } from "../releases.ts";
import type { TokenBlock } from "../syntax/syntax.ts";
import type { Token } from "../syntax/tokens.ts";

/**
 * Why CoreDNS does not see a plugin's options: their opening brace is not on the line that they belong to, so that CoreDNS reads each as a
 * plugin's line of its own.
 */
export function looseBrace(tokens: readonly Token[]): string | undefined {
  const brace = tokens.find(({ text, line }, index) => text === "{" && line !== (tokens[index - 1]?.endLine ?? line));
  if (brace === undefined) return undefined;
  return `the brace on line ${brace.line} opens no options, because it is on a line of its own; move it to the end of the previous line`;
}

/** Words after a block that were meant to be in it: after a superfluous closing brace, CoreDNS reads them as zones. */
export function strayLines(blocks: readonly TokenBlock[], { plugins }: Release): string[] {
  return blocks.flatMap(({ keys, line, hasBraces }, index): string[] => {
    const [first = ""] = keys;
    const isBrace = keys.includes("}");
    const isPlugin = !hasBraces && index > 0 && plugins.some(({ name }) => name === first);
    if (!isBrace && !isPlugin) return [];
    const what = isBrace ? "a closing brace" : `the line of ${first}`;
    return [`line ${line}: ${what} is outside the server blocks, so CoreDNS reads it as a zone; remove a brace above`];
  });
}
