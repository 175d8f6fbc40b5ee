import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { InvalidArgumentError } from "commander";
import { stringify } from "yaml";
import { fluentBit } from "../../components/logging/collectors/fluent-bit/index.ts";
import { logPipeline } from "../../components/logging/pipeline.ts";
import { REDACTION_KINDS } from "../../components/logging/processing/redaction.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import {
  appended,
  between,
  commandLine,
  Failure,
  progress,
  runCommandLine,
  writeOutput,
} from "../../lab/command-line.ts";
import { outputOf } from "../../lab/process.ts";
import { type Configuration, countInstructions, cpuTimeOfLine, LINE_BYTES, type Programs } from "./line-cost-node.ts";
import { median } from "./suite.ts";

const OPENSEARCH = { host: "127.0.0.1", port: 9200 };
const PATH = "/var/log/containers/*.log";
/** What both charts need to send to OpenSearch. */
const OUTPUT = { name: "opensearch", ...OPENSEARCH, suppress_type_name: "on", retry_limit: "no_limits" };

/** This project's configuration, with settings below `logging`. The records do not name the cluster, like those of the charts. */
function ours(name: string, settings: object): Configuration {
  const destination = { kind: "opensearch", ...OPENSEARCH, tls: false };
  const parsed = LoggingSettings.parse({
    collector: fluentBit.id,
    destination,
    metadata: { cluster: false },
    ...settings,
  });
  return { name, files: fluentBit.render(logPipeline(parsed, { cluster: "bench", region: undefined })).files };
}

/** The default values of Fluent Bit's own Helm chart. @see https://github.com/fluent/helm-charts/blob/main/charts/fluent-bit/values.yaml */
const HELM_CHART = {
  service: { flush: 1, log_level: "info" },
  pipeline: {
    inputs: [
      {
        name: "tail",
        path: PATH,
        "multiline.parser": "docker, cri",
        tag: "kube.*",
        mem_buf_limit: "5MB",
        skip_long_lines: "on",
        // Reads existing lines; by default it only reads lines written after its start.
        read_from_head: "on",
      },
    ],
    filters: [
      {
        name: "kubernetes",
        match: "kube.*",
        kube_tag_prefix: "kube.var.log.containers.",
        merge_log: "on",
        keep_log: "off",
        "k8s-logging.parser": "on",
        "k8s-logging.exclude": "on",
      },
    ],
    outputs: [{ ...OUTPUT, match: "kube.*", logstash_format: "on" }],
  },
};

/**
 * Application logs of the chart amazon-cloudwatch-observability, sent to OpenSearch. Its filter queries the kubelet once per pod; here it
 * queries the API server as often.
 * @see https://github.com/aws-observability/helm-charts/tree/main/charts/amazon-cloudwatch-observability
 */
const CLOUDWATCH_CHART = {
  service: {
    flush: 5,
    grace: 30,
    log_level: "error",
    "storage.path": "/var/lib/fluent-bit/flb-storage/",
    "storage.sync": "normal",
    "storage.checksum": "off",
    "storage.backlog.mem_limit": "5M",
  },
  pipeline: {
    inputs: [
      {
        name: "tail",
        tag: "application.*",
        path: PATH,
        "multiline.parser": "docker, cri",
        db: "/var/lib/fluent-bit/flb_container.db",
        mem_buf_limit: "50MB",
        skip_long_lines: "on",
        refresh_interval: 10,
        rotate_wait: 30,
        "storage.type": "filesystem",
        read_from_head: "on",
      },
    ],
    filters: [
      {
        name: "kubernetes",
        match: "application.*",
        kube_tag_prefix: "application.var.log.containers.",
        merge_log: "on",
        merge_log_key: "log_processed",
        "k8s-logging.parser": "on",
        "k8s-logging.exclude": "off",
        labels: "off",
        annotations: "off",
        buffer_size: 0,
      },
    ],
    outputs: [{ ...OUTPUT, match: "application.*", logstash_format: "on" }],
  },
};

/** The compared configurations: this project by default and without stack traces, and two widely used charts. */
export function configurations(): Configuration[] {
  const peer = (name: string, text: object) => ({ name, files: { "fluent-bit.yaml": stringify(text) } });
  return [
    ours("this project", {}),
    ours("this project, multiline: []", { multiline: [] }),
    ours("this project, processing.redact of all kinds", { processing: { redact: REDACTION_KINDS } }),
    peer("Helm chart defaults, kubernetes filter", HELM_CHART),
    peer("amazon-cloudwatch-observability, to OpenSearch", CLOUDWATCH_CHART),
  ];
}

/** Lines of the baseline run, whose count is subtracted: start, pods and end. */
const FEW_LINES = 400;
/** Lines in steady mode, which take a second per fifty. */
const STEADY_LINES = 2000;
/** Rate and duration for measuring CPU time. */
const LOW_RATE = { bytesPerSecond: 1e6, seconds: 15 };

interface Flags {
  readonly lines: number;
  readonly also: readonly string[];
  readonly only?: string;
  readonly profiles?: string;
  readonly steady?: boolean;
  readonly cpu?: number;
  readonly json?: true;
}

interface Row {
  readonly configuration: string;
  readonly instructionsPerLine: number;
}

interface CpuRow {
  readonly configuration: string;
  /** Microseconds per line in each run. */
  readonly runs: readonly number[];
}

const program = commandLine(
  "line-cost",
  "count the instructions that Fluent Bit (FLUENT_BIT_BINARY) takes for a line, with callgrind, which other work on the machine does not change",
)
  .option("--lines <number>", `lines of each run, above ${FEW_LINES}`, lineCount, 10_000)
  .option("--also <file>", "another fluent-bit.yaml to count, as rendered for opensearch at port 9200", appended, [])
  .option("--only <text>", "count only the configurations whose name contains this text")
  .option("--profiles <folder>", "keep callgrind's files there, by configuration")
  .option("--steady", `write ${STEADY_LINES} lines one by one, each read by itself, as at a low rate`)
  .option("--cpu <runs>", "measure CPU time at 1 MB/s instead, in this many runs; needs an idle machine", between(1))
  .option("--json", "print one JSON document instead of the table")
  .action(run);

async function run(flags: Flags): Promise<void> {
  const { also, only = "", cpu, json } = flags;
  const fluentBit = find("fluent-bit", "FLUENT_BIT_BINARY");
  const fromFiles = also.map((file) => ({ name: file, files: { "fluent-bit.yaml": readFileSync(file, "utf8") } }));
  const chosen = [...configurations().filter(({ name }) => name.includes(only)), ...fromFiles];
  const version = (await outputOf(fluentBit, ["--version"])).split("\n")[0] ?? "";
  if (cpu !== undefined) {
    const rows = await cpuTimes(fluentBit, chosen, cpu);
    writeOutput(json ? { version, ...LOW_RATE, lineBytes: LINE_BYTES, rows } : cpuTable(version, rows));
    return;
  }
  const { lines, steady = false, rows } = await instructionsOf(fluentBit, chosen, flags);
  writeOutput(json ? { version, lines, lineBytes: LINE_BYTES, steady, rows } : table(version, lines, rows));
}

async function instructionsOf(
  fluentBit: string,
  chosen: readonly Configuration[],
  { lines: wanted, profiles, steady = false }: Flags,
) {
  const programs = { fluentBit, valgrind: find("valgrind", "VALGRIND_BINARY") };
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const lines = steady ? STEADY_LINES : wanted;
  const shown = await progress("counting");
  const rows: Row[] = [];
  try {
    for (const configuration of chosen) {
      shown.update(`counting: ${configuration.name}`);
      rows.push(await costOf(programs, configuration, { lines, steady, profiles }));
    }
  } finally {
    shown.stop();
  }
  return { lines, steady, rows };
}

/** Measures all configurations in turns, because a machine's speed varies. */
async function cpuTimes(fluentBit: string, chosen: readonly Configuration[], runs: number): Promise<CpuRow[]> {
  const times = new Map<string, number[]>();
  const shown = await progress("measuring");
  try {
    for (let run = 1; run <= runs; run += 1) {
      for (const configuration of chosen) {
        shown.update(`measuring: ${configuration.name}, run ${run} of ${runs}`);
        const time = await cpuTimeOfLine({ fluentBit }, configuration, LOW_RATE);
        times.set(configuration.name, [...(times.get(configuration.name) ?? []), time]);
      }
    }
  } finally {
    shown.stop();
  }
  return [...times].map(([configuration, of]) => ({ configuration, runs: of }));
}

/** A table with the median of the runs, and of their ratios to the first configuration in the same turn. */
export function cpuTable(version: string, rows: readonly CpuRow[]): string {
  const [first] = rows;
  const body = rows.map(({ configuration, runs }) => {
    const ratios = runs.map((time, turn) => time / (first?.runs[turn] ?? Number.NaN));
    const range = `${Math.min(...runs).toFixed(1)}–${Math.max(...runs).toFixed(1)}`;
    return `| ${configuration} | ${median(runs).toFixed(1)} | ${range} | ${median(ratios).toFixed(2)} |`;
  });
  const head = ["| configuration | µs of CPU per line | min–max | ratio |", "|---|---|---|---|"];
  const count = first?.runs.length ?? 0;
  return `${version}, 1 MB/s in lines of ${LINE_BYTES} bytes, half of them JSON, 20 containers, runs in turns: ${count}\n\n${[...head, ...body].join("\n")}\n`;
}

/** The difference between a long and a short run, per line. */
async function costOf(
  programs: Programs,
  configuration: Configuration,
  { lines, steady, profiles }: { lines: number; steady: boolean; profiles: string | undefined },
): Promise<Row> {
  const profile = profiles && join(profiles, configuration.name.replaceAll(/[^a-z0-9.]+/gi, "-"));
  const [few, many] = await Promise.all([
    countInstructions(programs, configuration, { lines: FEW_LINES, steady }),
    countInstructions(programs, configuration, { lines, steady, profile }),
  ]);
  return { configuration: configuration.name, instructionsPerLine: Math.round((many - few) / (lines - FEW_LINES)) };
}

function table(version: string, lines: number, rows: readonly Row[]): string {
  const first = rows[0]?.instructionsPerLine ?? Number.NaN;
  const body = rows.map(
    ({ configuration, instructionsPerLine }) =>
      `| ${configuration} | ${instructionsPerLine.toLocaleString("en")} | ${(instructionsPerLine / first).toFixed(2)} |`,
  );
  const head = ["| configuration | instructions per line | ratio |", "|---|---|---|"];
  return `${version}, ${lines.toLocaleString("en")} lines of ${LINE_BYTES} bytes, half of them JSON, 20 containers\n\n${[...head, ...body].join("\n")}\n`;
}

/** @throws {Failure} if the program is missing. */
function find(name: string, variable: string): string {
  const named = process.env[variable];
  const places = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  const found = [...(named === undefined ? [] : [named]), ...places].find((place) => existsSync(place));
  if (found === undefined)
    throw new Failure(`no ${name} on the PATH or in ${variable}: the cost of a line cannot be measured`, 2);
  return found;
}

function lineCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= FEW_LINES)
    throw new InvalidArgumentError(`It must be an integer above ${FEW_LINES}.`);
  return value;
}

if (import.meta.main) await runCommandLine(program);
