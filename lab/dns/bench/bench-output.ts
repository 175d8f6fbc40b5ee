import { html, htmlDocument, type Markup } from "../../output/html.ts";
import { columns, ms } from "../../output/table.ts";
import type { BenchResult, BenchRow } from "./bench.ts";
import { BUCKETS, type Summary } from "./script.ts";

const BAR = 40;

/** The result for a terminal: a table, and the times of each kind of name as bars. */
export function formatBench(result: BenchResult): string {
  const head = ["names", "asked", "answered", "q/s", "p50 ms", "p90", "p99", "max", "answers"];
  const measured = result.rows.filter((row) => row.summary !== undefined);
  const lines = [
    `DNS of ${result.context} from ${result.from}`,
    methodOf(result),
    "",
    ...columns(head, measured.map(cells), [1, 2, 3, 4, 5, 6, 7]),
    ...result.rows.flatMap(({ kind, name, skipped }) =>
      skipped === undefined ? [] : [`not measured: ${KINDS[kind]}, ${name}: ${skipped}`],
    ),
    ...measured.flatMap((row) => ["", ...diagram(row)]),
  ];
  return `${lines.join("\n")}\n`;
}

function cells({ kind, summary }: BenchRow): string[] {
  if (summary === undefined) return [];
  const { asked, answered, perSecond, p50, p90, p99, max, codes } = summary;
  const counts = [String(asked), String(answered), perSecond.toFixed(0)];
  return [KINDS[kind], ...counts, ...[p50, p90, p99, max].map(ms), codesOf(codes)];
}

function diagram({ kind, name, summary }: BenchRow): string[] {
  const counts = summary?.histogram ?? [];
  const highest = Math.max(1, ...counts);
  const lines = counts.map((count, index) => {
    // One answer among thousands is the one that matters, so it gets a mark.
    const bar = "█".repeat(count === 0 ? 0 : Math.max(1, Math.round((count / highest) * BAR)));
    return `  ${bucketName(index).padStart(10)} ${String(count).padStart(6)} ${bar}`.trimEnd();
  });
  return [`${KINDS[kind]}, ${name}`, ...lines];
}

/** Style of the bars. */
const BARS = "svg .bar { fill: var(--pass); } svg .number { text-anchor: end; }";
const WIDTH = 760;
const ROW = 26;
const LABEL = 110;
const COUNT = 70;

/** The result as one page that needs nothing else, no network and no script. */
export function benchPage(result: BenchResult): string {
  const body = html`<h1>DNS of ${result.context}</h1>
<p>From ${result.from}. ${methodOf(result)}.</p>
<div class="wide"><table>
<thead><tr><th>Names</th><th>Name</th><th>Asked</th><th>Answered</th><th>q/s</th><th>p50</th><th>p90</th><th>p99</th><th>Max</th><th>Answers</th></tr></thead>
<tbody>
${result.rows.map(tableRow)}
</tbody>
</table></div>
${result.rows.map(figure)}`;
  return htmlDocument(`DNS of ${result.context}`, body, BARS);
}

function tableRow({ kind, name, summary, skipped }: BenchRow): Markup {
  const start = html`<td>${KINDS[kind]}</td><td><code>${name}</code></td>`;
  if (summary === undefined) return html`<tr>${start}<td colspan="8">not measured: ${skipped ?? ""}</td></tr>\n`;
  const { asked, answered, perSecond, p50, p90, p99, max, codes } = summary;
  const numbers = [String(asked), String(answered), perSecond.toFixed(0), ...[p50, p90, p99, max].map(ms)];
  return html`<tr>${start}${numbers.map((number) => html`<td class="number">${number}</td>`)}<td>${codesOf(codes)}</td></tr>\n`;
}

function figure({ kind, name, summary }: BenchRow): Markup {
  if (summary === undefined) return html``;
  return html`<h2>${KINDS[kind]}</h2>
<figure>${bars(summary, `Times of ${name}`)}<figcaption>${name}: answers by their time, p50 ${ms(summary.p50)} ms, p99 ${ms(summary.p99)} ms</figcaption></figure>
`;
}

function bars({ histogram }: Summary, title: string): Markup {
  const highest = Math.max(1, ...histogram);
  const widest = WIDTH - LABEL - COUNT - 10;
  const rows = histogram.map((count, index) => {
    const y = index * ROW + 4;
    // One answer among thousands is the one that matters, so it gets a mark.
    const width = count === 0 ? 0 : Math.max(2, Math.round((count / highest) * widest));
    return html`<text class="number" x="${LABEL}" y="${y + 14}">${bucketName(index)}</text><rect class="bar" x="${LABEL + 10}" y="${y}" width="${width}" height="${ROW - 8}"/><text class="soft" x="${LABEL + 18 + width}" y="${y + 14}">${count}</text>\n`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${histogram.length * ROW + 4}" role="img" aria-label="${title}">
${rows}</svg>`;
}

/** Labels of the kinds of names. */
const KINDS: Readonly<Record<BenchRow["kind"], string>> = {
  internal: "cluster name",
  outside: "outside name",
  unknown: "nonexistent names",
};

/** The method in a sentence, since a figure is worth what its method is. */
function methodOf({ perSecond, seconds, server, own }: BenchResult): string {
  const cost =
    own.p50 === undefined
      ? ""
      : `; of each time, the shell's own pipes take ${own.p50.toFixed(2)} ms (p50), ${(own.p99 ?? 0).toFixed(2)} (p99)`;
  return `A queries to ${server} over TCP at ${perSecond}/s for ${seconds} s, timed in the pod${cost}`;
}

function codesOf(codes: Readonly<Record<string, number>>): string {
  return Object.entries(codes)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
}

/** Such as `to 0.5 ms`, and `over 64 ms` for the last. */
function bucketName(index: number): string {
  const end = BUCKETS[index] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(end) ? `to ${end} ms` : `over ${BUCKETS[index - 1]} ms`;
}
