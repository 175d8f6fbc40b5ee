import assert from "node:assert/strict";
import { z } from "zod";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";

interface Candidate {
  readonly name: string;
  start(): LocalCollector | undefined | Promise<LocalCollector | undefined>;
  readonly destination: (port: number) => object;
  readonly limits: boolean;
}

const CANDIDATES: readonly Candidate[] = [
  {
    name: "fluent-bit",
    start: localFluentBit,
    destination: (port) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false }),
    limits: true,
  },
  {
    name: "otelcol",
    start: localOpenTelemetry,
    destination: () => ({ kind: "elasticsearch", host: "elasticsearch.test", tls: false }),
    limits: false,
  },
];

const PROCESSING = {
  redact: ["email"],
  drop: [
    { pattern: "^GET /health" },
    { levels: ["debug"], namespaces: ["ts-team", "other"] },
    { pattern: "noise", streams: ["stderr"] },
  ],
  sample: [{ namespaces: ["sampled"], ratio: 0.25 }],
  firstLines: [{ namespaces: ["joined"], pattern: "^\\d{4}-\\d\\d-\\d\\d " }],
  fields: { env: "prod", cost_center: "cc-1:a/b" },
};
const Arrived = z.looseObject({
  log: z.string(),
  env: z.string(),
  cost_center: z.string(),
  kubernetes: z.looseObject({ namespace_name: z.string() }),
});

/** Lines in CRI's format, one each microsecond. */
const cri = (lines: readonly string[], stream = "stdout") =>
  lines.map((line, at) => `2026-02-01T10:00:00.${String(at * 1000).padStart(9, "0")}Z ${stream} F ${line}`);

describe("What is done with lines on their way", () => {
  for (const { name, start, destination, limits } of CANDIDATES)
    it(`is done by ${name}`, async function () {
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(name));
      const receiver = await Receiver.start({ keep: 10_000 });
      const limit = limits ? { limit: [{ namespaces: ["limited"], linesPerSecond: 30 }] } : {};
      const settings = {
        destination: destination(receiver.port),
        processing: { ...PROCESSING, ...limit },
      };
      const sandbox = new Sandbox(local, settings, receiver.port);
      const pod = (namespace: string, container = "c") => ({ namespace, pod: "p", container });
      sandbox.write(pod("ts-team"), [
        ...cri([
          "GET /health 200",
          "GET /orders",
          "x GET /health",
          '{"level":"DEBUG","m":1}',
          '{"level":"info","m":"a@b.io"}',
          "noise",
        ]),
        ...cri(["noise", "loud"], "stderr"),
      ]);
      sandbox.write(pod("elsewhere"), cri(['{"level":"debug","m":2}']));
      sandbox.write(pod("sampled"), cri(Array.from({ length: 1000 }, (_, at) => `sample ${at}`)));
      sandbox.write(pod("joined"), cri(["2026-01-01 first", "second of a@b.io", "  third", "2026-01-02 next"]));
      sandbox.write(pod("limited"), cri(Array.from({ length: 60 }, (_, at) => `limit ${at}`)));
      sandbox.write(pod("limited", "d"), cri(Array.from({ length: 60 }, (_, at) => `other ${at}`)));
      const running = sandbox.start();
      try {
        const arrived = await records(receiver);
        const of = (namespace: string) =>
          arrived.filter(({ kubernetes }) => kubernetes.namespace_name === namespace).map(({ log }) => log);
        assert.deepEqual(
          of("ts-team").sort(),
          ["GET /orders", "loud", "noise", "x GET /health", '{"level":"info","m":"[REDACTED:email]"}'].sort(),
        );
        assert.deepEqual(of("elsewhere"), ['{"level":"debug","m":2}']);
        assert.deepEqual(of("joined").sort(), [
          "2026-01-01 first\nsecond of [REDACTED:email]\n  third",
          "2026-01-02 next",
        ]);
        const sampled = of("sampled").length;
        assert.ok(sampled > 190 && sampled < 310, `${sampled} of 1000`);
        assert.equal(of("limited").length, limits ? 30 : 120);
        for (const { env, cost_center } of arrived) assert.deepEqual([env, cost_center], ["prod", "cc-1:a/b"]);
      } finally {
        await running.stop("SIGKILL");
        await receiver.stop();
        sandbox.remove();
        if ("stop" in local && typeof local.stop === "function") local.stop();
      }
    });
});

async function records(receiver: Receiver): Promise<z.infer<typeof Arrived>[]> {
  let [found, quiet] = [0, 0];
  for (let waited = 0; waited < 120 && (quiet < 12 || found === 0); waited += 1) {
    await seconds(0.5);
    const count = (await receiver.kept()).length;
    quiet = count === found ? quiet + 1 : 0;
    found = count;
  }
  const kept = await receiver.kept();
  return kept.filter(({ place }) => !place.startsWith("/")).map(({ json }) => Arrived.parse(JSON.parse(json)));
}
