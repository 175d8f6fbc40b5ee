import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { between, commandLine, Failure, runCommandLine } from "../../lab/command-line.ts";
import { clock, Dashboard, type Drawn, drawDashboard } from "./picture.ts";
import { type Ask, prometheusAt, prometheusVersion, type Window } from "./prometheus-data.ts";

/** Samples of a graph: more would only enlarge the picture. */
const SAMPLES = 90;

/**
 * A picture of a dashboard, as one SVG with the date and source of its data.
 * @param dashboard Grafana's JSON, as the ConfigMap `eks-dns-logging-dashboard` has it.
 * @param source What the data come from, such as `Prometheus 3.9.1`.
 * @param ask Answers its expressions.
 */
export async function pictureOf(dashboard: unknown, source: string, ask: Ask, window: Window): Promise<string> {
  const { title, panels, annotations } = Dashboard.parse(dashboard);
  const firing = (await Promise.all(annotations.list.map(({ expr }) => ask(expr, window)))).flat();
  const drawn: Drawn[] = [];
  for (const panel of panels) {
    const series =
      panel.type === "row" ? [] : (await Promise.all(panel.targets.map(({ expr }) => ask(expr, window)))).flat();
    const own = firing.filter(({ labels }) => labels.alertname === panel.title);
    drawn.push({ panel, series, fired: own.flatMap(({ samples }) => periods(samples, window.step)) });
  }
  const day = new Date(window.from * 1000).toISOString().slice(0, 10);
  return drawDashboard(title, `${day}, ${clock(window.from)} to ${clock(window.to)} UTC. ${source}.`, drawn, window);
}

/** Samples that follow each other without a gap, as periods. */
function periods(samples: readonly (readonly [number, number])[], step: number): [number, number][] {
  const found: [number, number][] = [];
  for (const [at] of samples) {
    const last = found.at(-1);
    if (last !== undefined && at - last[1] <= step * 1.5) last[1] = at;
    else found.push([at, at]);
  }
  return found.map(([from, to]) => [from, to + step]);
}

/** The programs whose metrics a Prometheus has, with their versions. */
async function sourceOf(url: string, ask: Ask, window: Window): Promise<string> {
  const known = await ask('group by (__name__, version) ({__name__=~".+_build_info",version!=""})', window);
  const names: Readonly<Record<string, string>> = { coredns: "CoreDNS", fluentbit: "Fluent Bit", vector: "Vector" };
  const programs = known.flatMap(({ labels: { __name__: metric = "", version = "" } }) => {
    const name = names[metric.replace(/_build_info$/, "")];
    return name === undefined ? [] : [`${name} ${version}`];
  });
  return [`Prometheus ${await prometheusVersion(url)}`, ...new Set(programs)].join(", ");
}

interface Flags {
  readonly prometheus: string;
  readonly minutes: number;
  readonly until?: string;
  readonly note?: string;
}

async function draw(file: string, out: string, { prometheus, minutes, until, note }: Flags): Promise<void> {
  const end = until === undefined ? Date.now() : Date.parse(until);
  if (Number.isNaN(end)) throw new Failure(`--until must be a time such as 2026-11-28T23:30:00Z (found ${until})`, 2);
  const to = Math.floor(end / 1000);
  const window = { from: to - minutes * 60, to, step: Math.max(15, Math.round((minutes * 60) / SAMPLES)) };
  const ask = prometheusAt(prometheus);
  const source = [await sourceOf(prometheus, ask, window), ...(note === undefined ? [] : [note])].join(". ");
  const svg = await pictureOf(JSON.parse(await readFile(file, "utf8")), source, ask, window);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${svg}\n`);
  process.stdout.write(`wrote ${out}, ${Math.ceil(svg.length / 1000)} KB\n`);
}

if (import.meta.main) {
  await runCommandLine(
    commandLine("dashboards", "draw a dashboard of Grafana with the data of a Prometheus")
      .argument("<dashboard.json>", "the dashboard, as the ConfigMap eks-dns-logging-dashboard has it")
      .argument("<picture.svg>", "file to write")
      .requiredOption("--prometheus <url>", "address of the Prometheus, such as http://127.0.0.1:9090")
      .option("--minutes <number>", "length of the period", between(5, 1440), 60)
      .option("--until <time>", "end of the period (default: now)")
      .option("--note <text>", "what happened in it, for the picture's head")
      .action(draw),
  );
}
