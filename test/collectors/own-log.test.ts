import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import type { Received } from "../support/collectors/protocols.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { POD, records } from "./curl-pod.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { ELASTICSEARCH, localOpenTelemetry } from "./opentelemetry/local.ts";
import { LOKI, localPromtail } from "./promtail/local.ts";
import { localVector } from "./vector/local.ts";

interface Candidate {
  readonly name: string;
  start(): LocalCollector | undefined | Promise<LocalCollector | undefined>;
  readonly destination: (port: number) => object;
  /** How many of the odd lines it sends. Default: all. */
  readonly sent?: number;
}

const opensearch = (port: number) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false });
/** Without Filebeat, which prints the first word of a line that no runtime wrote, before any processor sees it. */
const CANDIDATES: readonly Candidate[] = [
  { name: "fluent-bit", start: localFluentBit, destination: opensearch },
  { name: "fluentd", start: () => localFluentd(), destination: opensearch },
  { name: "promtail", start: localPromtail, destination: () => LOKI },
  { name: "logagent", start: localLogagent, destination: opensearch },
  { name: "otelcol", start: localOpenTelemetry, destination: () => ELASTICSEARCH, sent: 11 },
  { name: "vector", start: () => localVector(), destination: opensearch, sent: 7 },
];

/** What each line has, with a number behind it, and what comes in its place. */
const SECRET = "SECRET-";
const [PATTERN, MASK] = [`${SECRET}\\d+`, "<hidden>"];

/** Lines that no runtime wrote, or whose text a program can hardly read. */
const ODD: readonly Buffer[] = [
  `${SECRET}1 and nothing else`,
  `2026-02-01 ${SECRET}2 F no time`,
  `2026-02-01T10:00:00Z stdout ${SECRET}3`,
  `${SECRET}4 stdout F no time either`,
  `2026-02-01T${SECRET}5 stdout F half a time`,
  `2026-13-41T99:00:00.123456789Z stdout F no such day ${SECRET}6`,
  `{"log":"${SECRET}7 of docker\\n","stream":"stdout","time":"2026-02-01T10:00:00Z"}`,
  Buffer.concat([
    Buffer.from("2026-02-01T10:00:01.123456789Z stdout F \xff\xfe", "latin1"),
    text(`${SECRET}8 no UTF-8`),
  ]),
  Buffer.concat([Buffer.from("\xff\xfe\x00", "latin1"), text(`${SECRET}9 neither time nor UTF-8`)]),
  `2026-02-01T10:00:02.123456789Z stdout F {"level":{"a":"${SECRET}10 broken JSON`,
  `2026-02-01T10:00:03.123456789Z stdout F {"half":"\\ud800","m":"${SECRET}11 half a character"}`,
  `2026-02-01T10:00:04.123456789Z stdout F ${'{"a":'.repeat(200)}"${SECRET}12 deep"${"}".repeat(200)}`,
].map((line) => (typeof line === "string" ? text(line) : line));
/** Of those above, how each record's line ends, or what is in it. */
const WANTED = [
  "and nothing else",
  "F no time",
  `2026-02-01T10:00:00Z stdout ${MASK}`,
  "no time either",
  "half a time",
  `no such day ${MASK}`,
  `${MASK} of docker`,
  `${MASK} no UTF-8`,
  `${MASK} neither time nor UTF-8`,
  `${MASK} broken JSON`,
  `${MASK} half a character`,
  `${MASK} deep`,
];

function text(line: string): Buffer {
  return Buffer.from(line);
}

const cri = (second: number, line: string, tag = "F") =>
  text(`2026-02-01T10:01:${String(second).padStart(2, "0")}.123456789Z stdout ${tag} ${line}`);

describe("A collector's own log", () => {
  for (const { name, start, destination, sent = ODD.length } of CANDIDATES)
    it(`has no secret of a line, and ${sent === ODD.length ? "all" : sent} of ${ODD.length} odd lines are sent: ${name}`, async function () {
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(name));
      const receiver = await Receiver.start();
      const settings = {
        destination: destination(receiver.port),
        multiline: [],
        processing: { redact: [{ pattern: PATTERN, replacement: MASK }] },
      };
      const sandbox = new Sandbox(local, settings, receiver.port);
      const write = (lines: readonly Buffer[]) => sandbox.write(POD, lines);
      write(ODD);
      const running = sandbox.start();
      try {
        const arrived = await come(receiver, sent);
        const lines = records(arrived).map(({ log }) => String(log));
        const all = lines.join("\n");
        assert.ok(lines.length >= sent, all);
        for (const wanted of sent < ODD.length ? [] : WANTED) assert.ok(all.includes(wanted), `${wanted} in ${all}`);
        for (const { json } of arrived) assert.ok(!json.includes(SECRET), json);
        write([cri(1, `poison ${SECRET}20`), cri(2, `${"x".repeat(2 ** 21)} ${SECRET}21`), cri(3, `${SECRET}22 last`)]);
        await come(receiver, sent + 1);
        for (const [at, mode] of (["busy", "failing", "away"] as const).entries()) {
          receiver.set(mode);
          write([cri(10 + at, `${SECRET}23 while it is ${mode}`)]);
          await seconds(3);
        }
        receiver.set("take");
        write([cri(20, `${SECRET}24 cut `, "P")]);
        await come(receiver, sent + 4);
        await running.stop("SIGTERM", local.collector.graceSeconds);
        const printed = readFileSync(sandbox.log, "utf8");
        assert.ok(
          !printed.includes(SECRET),
          printed.split("\n").find((line) => line.includes(SECRET)),
        );
      } finally {
        await running.stop("SIGKILL");
        await receiver.stop();
        sandbox.remove();
        if ("stop" in local && typeof local.stop === "function") local.stop();
      }
    });
});

/** Waits until so many records have come, or none comes any more. */
async function come(receiver: Receiver, wanted: number): Promise<readonly Received[]> {
  for (let wait = 0; wait < 80 && (await receiver.kept()).length < wanted; wait += 1) await seconds(0.5);
  return receiver.kept();
}
