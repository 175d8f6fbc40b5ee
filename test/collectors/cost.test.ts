import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { criLine, LINE_BYTES } from "../../tools/bench/line-cost-node.ts";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { ELASTICSEARCH, localFilebeat } from "./filebeat/local.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { LOKI, localPromtail } from "./promtail/local.ts";
import { localVector } from "./vector/local.ts";

interface Measured {
  readonly program: string;
  readonly start: () => Promise<(LocalCollector & { stop?(): void }) | undefined>;
  /** Default: Elasticsearch, which is the receiver. */
  readonly destination?: object;
}

const MEASURED: readonly Measured[] = [
  { program: "fluent-bit", start: () => Promise.resolve(localFluentBit()) },
  { program: "otelcol", start: localOpenTelemetry, destination: ELASTICSEARCH },
  { program: "vector", start: localVector },
  { program: "fluentd", start: localFluentd },
  { program: "filebeat", start: localFilebeat, destination: ELASTICSEARCH },
  { program: "promtail", start: localPromtail, destination: LOKI },
  { program: "logagent", start: localLogagent },
];
const CONTAINERS = 20;
/** Lines until all pods are known and everything has been used once. */
const FIRST_LINES = 2000;
const LINES = Number(process.env.COST_LINES ?? 20_000);
/** Of the kernel's clock ticks, in which it counts the time of processes. */
const MICROSECONDS_PER_TICK = 10_000;

/** CPU of a line in microseconds, by program, in the order of the runs. */
const costs = new Map<string, number>();

describe(`The CPU time of a line of ${LINE_BYTES} bytes, half of them JSON`, () => {
  for (const { program, start, destination } of MEASURED)
    it(`of ${program}, which sends each line`, async function () {
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(program));
      const receiver = await Receiver.start({ keep: 1, labels: { "app.kubernetes.io/name": "web" } });
      const elasticsearch = { kind: "elasticsearch", host: "127.0.0.1", port: receiver.port, tls: false };
      const sandbox = new Sandbox(local, { destination: destination ?? elasticsearch }, receiver.port);
      write(sandbox, 0, FIRST_LINES);
      const running = sandbox.start();
      try {
        await arrival(receiver, FIRST_LINES);
        const before = cpuTicks(running.pid ?? 0);
        write(sandbox, FIRST_LINES, LINES);
        await arrival(receiver, FIRST_LINES + LINES);
        const cost = ((cpuTicks(running.pid ?? 0) - before) * MICROSECONDS_PER_TICK) / LINES;
        costs.set(program, cost);
        assert.ok(cost > 0, "no CPU was counted");
      } finally {
        await running.stop("SIGKILL");
        await receiver.stop();
        sandbox.remove();
        local.stop?.();
      }
    });

  after(() => {
    const first = costs.get("fluent-bit") ?? Number.NaN;
    for (const [program, cost] of costs)
      process.stdout.write(
        `        ${program}: ${cost.toFixed(1)} µs a line, ${(cost / first).toFixed(2)} × Fluent Bit\n`,
      );
  });
});

/** Writes some lines more, to each container in turn. */
function write(sandbox: Sandbox, from: number, count: number): void {
  for (let container = 0; container < CONTAINERS; container += 1) {
    const lines = Array.from({ length: count / CONTAINERS }, (_, at) =>
      criLine(container, from / CONTAINERS + at).trimEnd(),
    );
    const namespace = container < 2 ? `t${container}-team` : `app-${container}`;
    sandbox.write({ namespace, pod: `web-${container}`, container: "web" }, lines);
  }
}

/** Waits until as many records have come. */
async function arrival(receiver: Receiver, wanted: number): Promise<void> {
  let [found, quiet] = [0, 0];
  while (found < wanted && quiet < 120) {
    await seconds(0.25);
    const { records } = await receiver.stats();
    quiet = records === found ? quiet + 1 : 0;
    found = records;
  }
  assert.equal(found, wanted);
}

/** Time that a process and all below it have used, in ticks. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function cpuTicks(root: number): number {
  const found = readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // After the name, which may have blanks.
      const fields = readFileSync(`/proc/${name}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return [{ pid: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
    } catch {
      // It has ended.
      return [];
    }
  });
  const sum = (pid: number): number =>
    (found.find((each) => each.pid === pid)?.ticks ?? 0) +
    found.filter(({ parent }) => parent === pid).reduce((total, child) => total + sum(child.pid), 0);
  return sum(root);
}
