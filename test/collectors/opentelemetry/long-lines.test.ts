import assert from "node:assert/strict";
import { z } from "zod";
import { whyMissing } from "../../support/collectors/program.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { collected, line, POD } from "../curl-pod.ts";
import { ELASTICSEARCH, LOKI, localOpenTelemetry } from "./local.ts";

const COUNT = 100;
/** Bytes of a part, as a runtime cuts lines. */
const PART = 16_384;
/** A long line is divided after 3 MiB, at the end of a part. */
const PIECE = 3 * 2 ** 20 + PART;
const otelcol = suiteCollector(localOpenTelemetry, () => whyMissing("otelcol"));

const short = (of: string) => Array.from({ length: COUNT }, (_, at) => line(1, `stdout F ${of} ${at}`));
const parts = (text: string) => {
  const all = text.match(new RegExp(`.{1,${PART}}`, "g")) ?? [];
  return all.map((part, at) => line(1, `stdout ${at + 1 === all.length ? "F" : "P"} ${part}`));
};
const Record = z.looseObject({ log: z.string(), fields: z.unknown().optional() });
const Value = z.object({ stringValue: z.string().optional() }).loose();
const Body = z.object({ kvlistValue: z.object({ values: z.array(z.object({ key: z.string(), value: Value })) }) });

/** A record as each destination has it. */
function recordOf(json: string): z.infer<typeof Record> {
  const parsed: unknown = JSON.parse(json);
  const body = Body.safeParse(parsed);
  if (!body.success) return Record.parse(parsed);
  return Record.parse(
    Object.fromEntries(body.data.kvlistValue.values.map(({ key, value }) => [key, value.stringValue ?? value])),
  );
}

/** What comes of a long line between short ones, beside those of another pod. */
async function around(destination: object, long: string) {
  const kept = await collected(
    otelcol.found(),
    { destination },
    (sandbox) => {
      sandbox.write(POD, [...short("before"), ...parts(long), ...short("after")]);
      sandbox.write({ ...POD, pod: "other" }, short("other"));
    },
    async ({ receiver }) => void (await receiver.settled(4 * COUNT, 10)),
  );
  const records = kept.map(({ json }) => recordOf(json));
  const logs = records.map(({ log }) => log);
  return {
    short: ["before", "after", "other"].map((of) => new Set(logs.filter((log) => log.startsWith(`${of} `))).size),
    long: logs.filter((log) => log.length > 1000).map((log) => log.length),
    fields: records.filter(({ fields }) => fields !== undefined).length,
  };
}

describe("Long lines of the OpenTelemetry Collector", () => {
  otelcol.use();

  for (const [name, destination, fields] of [
    ["Elasticsearch", ELASTICSEARCH, 1],
    ["Loki", LOKI, 0],
  ] as const) {
    it(`arrive at ${name} and take no other along: JSON of 2.5 MB, with fields only where they fit`, async () => {
      const long = JSON.stringify({ text: "x".repeat(2_500_000) });
      const wanted = { short: [COUNT, COUNT, COUNT], long: [long.length], fields };
      assert.deepEqual(await around(destination, long), wanted);
    });

    it(`arrive at ${name} and take no other along: 7 MB, in three pieces`, async () => {
      const long = "x".repeat(7_000_000);
      const wanted = { short: [COUNT, COUNT, COUNT], long: [PIECE, PIECE, 7_000_000 - 2 * PIECE], fields: 0 };
      assert.deepEqual(await around(destination, long), wanted);
    });
  }
});
