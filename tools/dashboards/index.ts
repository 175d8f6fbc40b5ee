import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { between, commandLine, Failure, runCommandLine } from "../../lab/command-line.ts";
import { outputOf } from "../../lab/process.ts";
import { type Ask, cloudWatchPicture, grafanaPicture, prometheusAt, prometheusVersion } from "./data-source.ts";
import { drawPicture, type Window } from "./picture.ts";

/** Samples per graph: more would only enlarge the picture. */
const SAMPLES = 90;
const AWS_TIMEOUT_SECONDS = 60;

/**
 * A Grafana dashboard as one SVG, with the date and source of its data.
 * @param dashboard Grafana's JSON, as in the ConfigMap `eks-dns-logging-dashboard`.
 * @param source Source of the data, such as `Prometheus 3.9.1`.
 * @param ask Evaluates its expressions.
 */
export async function pictureOf(dashboard: unknown, source: string, ask: Ask, window: Window): Promise<string> {
  return drawPicture(await grafanaPicture(dashboard, ask, window), source, window);
}

/** The programs that a Prometheus scrapes, with their versions. */
async function sourceOf(url: string, ask: Ask, window: Window): Promise<string> {
  const builds = await ask('group by (__name__, version) ({__name__=~".+_build_info",version!=""})', window);
  const names: Readonly<Record<string, string>> = { coredns: "CoreDNS", fluentbit: "Fluent Bit", vector: "Vector" };
  const programs = builds.flatMap(({ labels: { __name__: metric = "", version = "" } }) => {
    const name = names[metric.replace(/_build_info$/, "")];
    return name === undefined ? [] : [`${name} ${version}`];
  });
  return [`Prometheus ${await prometheusVersion(url)}`, ...new Set(programs)].join(", ");
}

interface Flags {
  readonly prometheus?: string;
  readonly cloudwatch?: string;
  readonly minutes: number;
  readonly until?: string;
  readonly source?: string;
  readonly note?: string;
}

async function draw(dashboard: string, out: string, flags: Flags): Promise<void> {
  const { prometheus, cloudwatch: region, minutes, until, source, note } = flags;
  const either = new Failure("give either --prometheus or --cloudwatch", 2);
  if (prometheus !== undefined && region !== undefined) throw either;
  const end = until === undefined ? Date.now() : Date.parse(until);
  if (Number.isNaN(end)) throw new Failure(`--until must be a time such as 2026-11-28T23:30:00Z (found ${until})`, 2);
  const to = Math.floor(end / 1000);
  const window = { from: to - minutes * 60, to, step: Math.max(15, Math.round((minutes * 60) / SAMPLES)) };
  const headed = (found: string) => [source ?? found, ...(note === undefined ? [] : [note])].join(". ");
  let svg: string;
  if (region !== undefined) {
    const aws = (args: readonly string[]) =>
      outputOf("aws", [...args, "--region", region], { timeoutSeconds: AWS_TIMEOUT_SECONDS });
    const picture = await cloudWatchPicture({ cluster: dashboard, region }, aws, window);
    svg = drawPicture(picture, headed("CloudWatch"), window);
  } else {
    if (prometheus === undefined) throw either;
    const ask = prometheusAt(prometheus);
    const found = headed(await sourceOf(prometheus, ask, window));
    svg = await pictureOf(JSON.parse(await readFile(dashboard, "utf8")), found, ask, window);
  }
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${svg}\n`);
  process.stdout.write(`wrote ${out}, ${Math.ceil(svg.length / 1000)} KB\n`);
}

if (import.meta.main) {
  await runCommandLine(
    commandLine("dashboards", "draw a dashboard with the data of a Prometheus or of CloudWatch")
      .argument(
        "<dashboard>",
        "file with Grafana's JSON, as in the ConfigMap eks-dns-logging-dashboard; with --cloudwatch, the cluster's name",
      )
      .argument("<picture.svg>", "file to write")
      .option("--prometheus <url>", "address of the Prometheus, such as http://127.0.0.1:9090")
      .option("--cloudwatch <region>", "read the dashboard, its metrics and alarms in a region with the AWS CLI")
      .option("--minutes <number>", "length of the period", between(5, 1440), 60)
      .option("--until <time>", "end of the period (default: now)")
      .option("--source <text>", "source of the data, for the picture's header (default: the program that answered)")
      .option("--note <text>", "what happened in the period, for the picture's header")
      .action(draw),
  );
}
