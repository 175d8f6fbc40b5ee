import { html, type Markup, raw } from "./escape.ts";
import { STYLE } from "./style.ts";

/** A whole page that needs nothing else, no network and no script. `style` comes after the style that all pages have. */
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
