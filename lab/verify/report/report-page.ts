import { html, htmlDocument, type Markup } from "../../output/markup.ts";
import { causes, type Row, summarize, summaryLine, type VerifyResult } from "../result.ts";
import { diagram } from "./diagram.ts";

/** The report as a self-contained HTML page, without scripts. */
export function reportPage(result: VerifyResult): string {
  const { fail } = summarize(result.rows);
  const verdict = fail === 0 ? "pass" : "fail";
  const body = html`<h1 class="${verdict}">${fail === 0 ? "The lab works" : "The lab does not work"}</h1>
<p>${summaryLine(result)}</p>
<dl>
<dt>Cluster</dt><dd>${result.context}, Kubernetes ${result.version}, ${result.server}</dd>
<dt>Stack</dt><dd>${result.stack}</dd>
<dt>Started</dt><dd><time datetime="${result.startedAt}">${result.startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time></dd>
</dl>
${causesSection(result.rows)}
<figure>
${diagram(result)}
<figcaption><span class="pass">passed</span> <span class="warn">warning</span> <span class="fail">failed</span> <span class="skip">not checked</span>; hover over a line for its rows</figcaption>
</figure>
<h2>Rows</h2>
<div class="wide"><table>
<thead><tr><th>Result</th><th>Row</th><th>What</th><th>From</th><th>To</th><th>Detail</th><th>Time</th></tr></thead>
<tbody>
${result.rows.map(tableRow)}
</tbody>
</table></div>
${corefile(result.rows)}`;
  return htmlDocument(`${result.context}: ${summaryLine(result)}`, body);
}

function causesSection(rows: readonly Row[]): Markup {
  const groups = causes(rows);
  if (groups.length === 0) return html``;
  const items = groups.map(
    ({ status, cause, ids }) => html`<li class="${status}">${cause} <small>${ids.join(", ")}</small></li>\n`,
  );
  return html`<h2>Likely causes</h2>\n<ul class="causes">\n${items}</ul>`;
}

function tableRow({ status, id, what, from, to, detail, milliseconds }: Row): Markup {
  return html`<tr><td><span class="badge ${status}">${status}</span></td><td><code>${id}</code></td><td>${what}</td><td>${from}</td><td>${to}</td><td>${detail}</td><td class="number">${milliseconds} ms</td></tr>\n`;
}

/** The Corefile, which explains most surprises with names. */
function corefile(rows: readonly Row[]): Markup {
  const text = rows.find((row) => row.group === "coredns")?.facts?.corefile;
  if (typeof text !== "string" || text === "") return html``;
  return html`<h2>Corefile</h2>\n<pre>${text.trimEnd()}</pre>`;
}
