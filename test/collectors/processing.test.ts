import assert from "node:assert/strict";
import { z } from "zod";
import { seconds } from "../support/collectors/losses.ts";
import { POD_LABELS, PROCESSING, PROCESSING_CASES } from "../support/collectors/processing-cases.ts";
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

interface Candidate {
  readonly name: string;
  start(): LocalCollector | undefined | Promise<LocalCollector | undefined>;
  readonly destination: (port: number) => object;
  /** How it limits lines: by the time of each, or by that of its arrival, in which some more come by. */
  readonly limits: "by time" | "by arrival" | undefined;
}

const opensearch = (port: number) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false });
const CANDIDATES: readonly Candidate[] = [
  { name: "fluent-bit", start: localFluentBit, destination: opensearch, limits: "by time" },
  { name: "fluentd", start: () => localFluentd(POD_LABELS), destination: opensearch, limits: "by time" },
  {
    name: "otelcol",
    start: () => localOpenTelemetry(POD_LABELS),
    destination: () => ({ kind: "elasticsearch", host: "elasticsearch.test", tls: false }),
    limits: undefined,
  },
  { name: "vector", start: () => localVector(POD_LABELS), destination: opensearch, limits: "by arrival" },
  { name: "filebeat", start: localFilebeat, destination: () => ELASTICSEARCH, limits: "by arrival" },
  { name: "promtail", start: localPromtail, destination: () => LOKI, limits: "by arrival" },
  { name: "logagent", start: localLogagent, destination: opensearch, limits: "by time" },
];

const Arrived = z.looseObject({
  log: z.string(),
  env: z.string(),
  cost_center: z.string(),
  kubernetes: z.looseObject({ namespace_name: z.string() }),
});

/** Lines in CRI's format, one each microsecond. */
const cri = (lines: readonly string[], stream = "stdout") =>
  lines.map((line, at) => `2026-02-01T10:00:00.${String(at * 1000).padStart(9, "0")}Z ${stream} F ${line}`);
/** Records of several lines on both streams at once. */
const INTERLEAVED = [
  ...cri(["2026-01-01 out"]),
  ...cri(["2026-01-01 err"], "stderr"),
  ...cri(["goes on"]),
  ...cri(["  too"], "stderr"),
  ...cri(["2026-01-02 next"]),
];
const pod = (namespace: string, container = "c") => ({ namespace, pod: "p", container });

describe("Processing of lines", () => {
  for (const { name, start, destination, limits } of CANDIDATES)
    describe(`is done by ${name}`, () => {
      let found: readonly z.infer<typeof Arrived>[] = [];
      const of = (namespace: string) =>
        found.filter(({ kubernetes }) => kubernetes.namespace_name === namespace).map(({ log }) => log);

      before(async function () {
        const local = await start();
        if (local === undefined) return leaveOut(this, whyMissing(name));
        const receiver = await Receiver.start({ keep: 10_000, labels: POD_LABELS });
        const limit = limits ? { limit: [{ namespaces: ["limited"], linesPerSecond: 30 }] } : {};
        const settings = { destination: destination(receiver.port), processing: { ...PROCESSING, ...limit } };
        const sandbox = new Sandbox(local, settings, receiver.port);
        for (const { namespace, stream, lines } of PROCESSING_CASES) sandbox.write(pod(namespace), cri(lines, stream));
        sandbox.write(pod("interleaved"), INTERLEAVED);
        sandbox.write(pod("sampled"), cri(Array.from({ length: 1000 }, (_, at) => `sample ${at}`)));
        sandbox.write(pod("limited"), cri(Array.from({ length: 60 }, (_, at) => `limit ${at}`)));
        sandbox.write(pod("limited", "d"), cri(Array.from({ length: 60 }, (_, at) => `other ${at}`)));
        const running = sandbox.start();
        try {
          found = await records(receiver);
        } finally {
          await running.stop("SIGKILL");
          await receiver.stop();
          sandbox.remove();
          if ("stop" in local && typeof local.stop === "function") local.stop();
        }
      });

      for (const { why, namespace, wanted } of PROCESSING_CASES)
        it(why, () => assert.deepEqual(of(namespace).sort(), [...wanted].sort()));

      it("joins no line of the other stream to a record", () => {
        const wanted = ["2026-01-01 err\n  too", "2026-01-01 out\ngoes on", "2026-01-02 next"];
        assert.deepEqual(of("interleaved").sort(), wanted);
      });

      it("keeps the share of a sample", () => {
        const sampled = of("sampled").length;
        assert.ok(sampled > 190 && sampled < 310, `${sampled} of 1000`);
      });

      it(
        limits ? "keeps no more lines of a pod in a second than its limit" : "keeps all lines, since it has no limit",
        () => {
          const { length } = of("limited");
          if (limits === "by arrival") assert.ok(length >= 30 && length < 110, `${length} of 120`);
          else assert.equal(length, limits === undefined ? 120 : 30);
        },
      );

      it("adds fields to each record", () => {
        assert.ok(found.length > 0);
        for (const { env, cost_center } of found) assert.deepEqual([env, cost_center], ["prod", "cc-1:a/b"]);
      });
    });
});

async function records(receiver: Receiver): Promise<z.infer<typeof Arrived>[]> {
  let [found, quiet] = [0, 0];
  for (let waited = 0; waited < 400 && (quiet < 12 || found === 0); waited += 1) {
    await seconds(0.5);
    const count = (await receiver.kept()).length;
    quiet = count === found ? quiet + 1 : 0;
    found = count;
  }
  const kept = await receiver.kept();
  return kept.filter(({ place }) => !place.startsWith("/")).map(({ json }) => Arrived.parse(JSON.parse(json)));
}
