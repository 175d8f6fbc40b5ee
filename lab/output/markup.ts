/** A self-contained HTML page, without scripts. `style` follows the common style sheet. */
export function htmlDocument(title: string, body: Markup, style = ""): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(STYLE + style)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.text;
}

/** Markup that is safe to embed in a page. Only {@link html} and {@link raw} create it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | readonly Markup[];

/** A template tag that escapes its values, unless they are Markup. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const values = parts.map(asText);
  return new Markup(strings.map((text, index) => text + (values[index] ?? "")).join(""));
}

/** Marks text as safe, such as our own style sheet. */
export function raw(text: string): Markup {
  return new Markup(text);
}

function asText(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map((markup) => markup.text).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Colors by result, for light and dark mode, without external resources. */
const STYLE = `
:root { color-scheme: light dark; --text: #1c2128; --soft: #59636e; --page: #ffffff; --box: #f3f5f8; --line: #cfd6de;
  --pass: #1a7f37; --warn: #b26a00; --fail: #c4212f; --skip: #8a939d; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --soft: #9aa4b0; --page: #12161c; --box: #1b2129; --line: #37404b;
  --pass: #4ac26b; --warn: #e3a008; --fail: #ff6b6b; --skip: #77818c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { margin: 0; font-size: 26px; }
h2 { margin: 32px 0 8px; font-size: 18px; }
p { margin: 4px 0 16px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.pass { color: var(--pass); } .warn { color: var(--warn); } .fail { color: var(--fail); } .skip { color: var(--skip); }
.causes { padding-left: 20px; } .causes small { display: block; color: var(--soft); }
figure { margin: 24px 0 0; }
figcaption { color: var(--soft); font-size: 13px; }
figcaption span { margin-right: 8px; } figcaption span::before { content: "\\25CF\\00A0"; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: 5px 10px 5px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code, pre { font: 12.5px/1.5 ui-monospace, monospace; }
td { overflow-wrap: anywhere; min-width: 3.5em; }
td code { white-space: nowrap; }
@media (max-width: 900px) { td code { white-space: normal; } th:nth-child(4), td:nth-child(4) { display: none; } }
pre { padding: 12px 16px; background: var(--box); border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; }
.badge { display: inline-block; min-width: 3.2em; padding: 0 6px; border: 1px solid currentColor; border-radius: 9px; text-align: center; font-size: 12px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
svg .soft { fill: var(--soft); font-size: 12px; }
svg .title { font-weight: 600; }
svg .box { fill: none; stroke: var(--line); stroke-width: 1.2; }
svg .filled { fill: var(--box); }
svg .dashed { stroke-dasharray: 5 4; }
svg .path { fill: none; stroke: currentColor; stroke-width: 2.4; }
svg .path.warn, svg .path.skip { stroke-dasharray: 6 4; }
svg .hit { fill: none; stroke: transparent; stroke-width: 14; }
svg .label { fill: currentColor; font-size: 12px; paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
svg .rim { stroke: currentColor; stroke-width: 2.4; }
svg a:hover .path, svg g.connection:hover .path { stroke-width: 4; }
`;

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
