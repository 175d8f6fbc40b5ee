import { randomInt } from "node:crypto";
import { Failure } from "../command-line.ts";
import { type Cluster, failAt } from "../kubernetes/cluster.ts";
import { html, htmlDocument, type Markup } from "../output/markup.ts";
import { columns, ms } from "../output/text.ts";
import {
  BENCH_SCRIPT,
  BUCKETS,
  type Load,
  NUMBER,
  readSamples,
  type Summary,
  scriptArguments,
  summarize,
} from "./bench-script.ts";
import type { DnsClient } from "./dns-client.ts";
import { ask, isName } from "./queries.ts";

/** Upper limits, whatever the flags say: this is a measurement, not a load test. */
export const LIMITS = { perSecond: 200, seconds: 60 } as const;
/** Maximum rate of one connection, so that an answer arrives before the next query is sent. */
const PER_CONNECTION = 25;
/** Slower or failing names are skipped: they would only measure how long their upstream takes to fail. */
const TOO_SLOW_MS = 500;
const BASELINE_SECONDS = 2;

export interface BenchOptions {
  /** Queries per second for each kind of name. */
  readonly perSecond: number;
  readonly seconds: number;
  /** A name in the cluster. Default: the API server's Service. */
  readonly internal?: string | undefined;
  /** A name outside the cluster. */
  readonly outside: string;
}

/** One kind of name and its statistics; `skipped` says why it was not measured. */
export interface BenchRow {
  readonly kind: "internal" | "outside" | "unknown";
  /** `########` stands for a number that differs in each query. */
  readonly name: string;
  readonly summary: Summary | undefined;
  readonly skipped: string | undefined;
}

export interface BenchResult {
  readonly from: string;
  readonly server: string;
  readonly context: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
  /** The same with pipes alone: the overhead of the method. */
  readonly own: Summary;
}

/** Measures the kinds of names one after the other. `onStep` receives the current step. */
export async function bench(
  cluster: Cluster,
  client: DnsClient,
  options: BenchOptions,
  onStep: (what: string) => void = () => {},
): Promise<BenchResult> {
  const { pod, resolver } = client;
  const zone = resolver.search.find((domain) => domain.startsWith("svc."))?.replace(/\.$/, "") ?? "svc.cluster.local";
  const names = [
    { kind: "internal", name: options.internal ?? `kubernetes.default.${zone}` },
    { kind: "outside", name: options.outside },
    { kind: "unknown", name: `${NUMBER}.${pod.namespace}.${zone}` },
  ] as const;
  for (const { kind, name } of names.slice(0, 2))
    if (!isName(name)) throw new Failure(`--${kind} must be a DNS name (found '${name}')`, 2);
  const server = resolver.nameservers[0] ?? "";
  onStep("the measurement itself");
  const baseline = await measure(cluster, client, "-", loadOf(names[0].name, options.perSecond, BASELINE_SECONDS));
  checkMethod(baseline, options.perSecond, client);
  const rows: BenchRow[] = [];
  for (const { kind, name } of names) {
    onStep(`${kind} names`);
    const skipped = await whyNot(cluster, client, name);
    const load = loadOf(name, options.perSecond, options.seconds);
    const summary = skipped === undefined ? await measure(cluster, client, server, load) : undefined;
    rows.push({ kind, name, summary, skipped });
  }
  const { perSecond, seconds } = options;
  return {
    from: `${pod.namespace}/${pod.name}`,
    server,
    context: cluster.context,
    perSecond,
    seconds,
    rows,
    own: baseline,
  };
}

/** Checks the method's own overhead: it queries no server, so it shows whether this shell can keep the pace. */
function checkMethod(baseline: Summary, perSecond: number, { pod, container }: DnsClient): void {
  const place = `container ${container} of ${pod.namespace}/${pod.name}`;
  if (baseline.answered === 0)
    throw new Failure(`the shell in ${place} has no microsecond clock: bench needs the sh of BusyBox 1.33 or later`, 2);
  if (baseline.perSecond > 1.5 * perSecond)
    throw new Failure(`the shell in ${place} cannot sleep for less than a second, so the rate cannot be limited`, 2);
}

/** Spreads a rate over enough connections to keep each slow. */
export function loadOf(name: string, perSecond: number, seconds: number): Load {
  const connections = Math.ceil(perSecond / PER_CONNECTION);
  return { name, connections, count: Math.ceil((perSecond * seconds) / connections), gap: connections / perSecond };
}

/** Sends one query first, and returns the reason if the name should not be measured. */
async function whyNot(cluster: Cluster, client: DnsClient, name: string): Promise<string | undefined> {
  const [first] = await ask(cluster, client, name.replace(NUMBER, String(firstNumber())));
  const took = first?.milliseconds === undefined ? "" : ` after ${ms(first.milliseconds)} ms`;
  if (first?.answer === undefined) return "no answer: is TCP port 53 open?";
  const { code } = first.answer;
  if (code !== "NOERROR" && code !== "NXDOMAIN")
    return `the server returned ${code}${took}: its upstream does not answer`;
  if (first.milliseconds !== undefined && first.milliseconds > TOO_SLOW_MS)
    return `the first answer came${took}: too slow to measure`;
  return undefined;
}

async function measure(cluster: Cluster, { pod, container }: DnsClient, server: string, load: Load): Promise<Summary> {
  const command = ["sh", "-c", BENCH_SCRIPT, "bench", ...scriptArguments(server, load, firstNumber())];
  const seconds = load.count * load.gap * 1.5 + 20;
  const { stdout } = await cluster.exec(pod, container, command, seconds).catch(failAt(`${pod.namespace}/${pod.name}`));
  return summarize(readSamples(stdout));
}

/** Eight digits, with room for all queries of a run. The start is random, so that no cache knows the names. */
function firstNumber(): number {
  return randomInt(10_000_000, 99_000_000);
}

const BAR = 40;

/** The result for a terminal: a table, and a histogram for each kind of name. */
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
    // A single answer among thousands matters most, so it gets a visible mark.
    const bar = "█".repeat(count === 0 ? 0 : Math.max(1, Math.round((count / highest) * BAR)));
    return `  ${bucketName(index).padStart(10)} ${String(count).padStart(6)} ${bar}`.trimEnd();
  });
  return [`${KINDS[kind]}, ${name}`, ...lines];
}

/** CSS of the bars. */
const BARS = "svg .bar { fill: var(--pass); } svg .number { text-anchor: end; }";
const WIDTH = 760;
const ROW = 26;
const LABEL = 110;
const COUNT = 70;

/** The result as a self-contained HTML page, without scripts. */
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
    // A single answer among thousands matters most, so it gets a visible mark.
    const width = count === 0 ? 0 : Math.max(2, Math.round((count / highest) * widest));
    return html`<text class="number" x="${LABEL}" y="${y + 14}">${bucketName(index)}</text><rect class="bar" x="${LABEL + 10}" y="${y}" width="${width}" height="${ROW - 8}"/><text class="soft" x="${LABEL + 18 + width}" y="${y + 14}">${count}</text>\n`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${histogram.length * ROW + 4}" role="img" aria-label="${title}">
${rows}</svg>`;
}

/** Labels for the kinds of names. */
const KINDS: Readonly<Record<BenchRow["kind"], string>> = {
  internal: "cluster name",
  outside: "outside name",
  unknown: "nonexistent names",
};

/** The method in one sentence, without which the figures mean nothing. */
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
