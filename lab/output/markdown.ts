/** Longest comment on a pull request: GitHub's limit is 65,536 characters, and the workflow adds some text. */
export const MAX_COMMENT = 60_000;

/** One line of text, escaped so that nothing is Markdown, HTML or an `@name` mention. */
export function plainText(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`*_{}[\]<>#|~$]/g, (character) => `\\${character}`)
    .replaceAll(/&(?=[#\w])/g, "&amp;")
    .replaceAll(/@(?=\w)/g, "@<!-- -->")
    .replaceAll(/(?<=\bhttps?|\bwww):?(?=\/\/|\.)/gi, (colon) => `${colon}<!-- -->`);
}

/** Any text as a code span. */
export function code(text: string): string {
  const line = oneLine(text);
  const ticks = "`".repeat(longestRun(line, "`") + 1);
  const space = line.startsWith("`") || line.endsWith("`") || line === "" ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
}

/** Any text as a code block. */
export function fenced(language: string, text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text, "`") + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}

function longestRun(text: string, character: string): number {
  return Array.from(text.matchAll(new RegExp(`${character}+`, "g"))).reduce(
    (longest, [run]) => Math.max(longest, run.length),
    0,
  );
}
