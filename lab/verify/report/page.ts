import { html, htmlDocument, type Markup } from "../../output/html.ts";
import type { Row } from "../check.ts";
import { causes, summarize, summaryLine, type TeamView, type VerifyResult } from "../result.ts";
import { COREDNS, LOGS, type Way, worst } from "./connections.ts";
import { picture } from "./diagram.ts";

/** The report: one page that needs nothing else, no network and no script. */
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
${picture(result)}
<figcaption><span class="pass">passed</span> <span class="warn">warning</span> <span class="fail">failed</span> <span class="skip">not tried</span>; point at a line for its rows</figcaption>
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
  const found = causes(rows);
  if (found.length === 0) return html``;
  const items = found.map(
    ({ status, cause, ids }) => html`<li class="${status}">${cause} <small>${ids.join(", ")}</small></li>\n`,
  );
  return html`<h2>Likely causes</h2>\n<ul class="causes">\n${items}</ul>`;
}

function tableRow({ status, id, what, from, to, detail, milliseconds }: Row): Markup {
  return html`<tr><td><span class="badge ${status}">${status}</span></td><td><code>${id}</code></td><td>${what}</td><td>${from}</td><td>${to}</td><td>${detail}</td><td class="number">${milliseconds} ms</td></tr>\n`;
}

/** What CoreDNS was told, since it explains most surprises with names. */
function corefile(rows: readonly Row[]): Markup {
  const text = rows.find((row) => row.group === "coredns")?.facts?.corefile;
  if (typeof text !== "string" || text === "") return html``;
  return html`<h2>Corefile</h2>\n<pre>${text.trimEnd()}</pre>`;
}

const CELL = 22;
const NAMES = 130;
/** More than this nobody can read; the table holds them all. */
const MOST_TEAMS = 60;

/** Who reached whom, for more teams than lines can show: a row for each team, a cell for each place that it tried. */
export function matrix(teams: readonly TeamView[], ways: readonly Way[]): Markup {
  const names = teams.map(({ team }) => team).slice(0, MOST_TEAMS);
  const columns = [...names, COREDNS, LOGS];
  const size = { width: NAMES + columns.length * CELL + 20, height: NAMES + names.length * CELL + 40 };
  const left = teams.length - names.length;
  const note = left > 0 ? `; ${left} more teams are in the table only` : "";
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Which team reached which" style="max-width:${size.width}px">
${columns.map((name, index) => heading(name, index))}
${names.map((from, row) => rowOf(from, row, columns, ways))}
<text class="soft" x="0" y="${size.height - 8}">rows: from, columns: to${note}</text>
</svg>`;
}

function heading(name: string, index: number): Markup {
  const x = NAMES + index * CELL + 15;
  return html`<text class="soft" transform="translate(${x} ${NAMES - 6}) rotate(-60)">${name.replace(/[()]/g, "")}</text>\n`;
}

function rowOf(from: string, row: number, columns: readonly string[], ways: readonly Way[]): Markup {
  const y = NAMES + row * CELL;
  const cells = columns.map((to, column) => {
    const taken = ways.filter((way) => way.from === from && way.to === to);
    if (taken.length === 0) return html``;
    const title = taken.map((way) => `${way.from} to ${way.to}: ${way.label}`).join("\n");
    const status = worst(taken.map((way) => way.status));
    return html`<g class="${status}"><title>${title}</title><rect fill="currentColor" x="${NAMES + column * CELL + 3}" y="${y + 3}" width="${CELL - 6}" height="${CELL - 6}" rx="3"/></g>`;
  });
  return html`<text class="soft" x="0" y="${y + 15}">${from}</text>${cells}\n`;
}
