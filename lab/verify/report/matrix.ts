import type { TeamView } from "../result.ts";
import { html, type Markup } from "./escape.ts";
import { COREDNS, LOGS, type Way, worst } from "./ways.ts";

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
