import assert from "node:assert/strict";
import { z } from "zod";
import { REDACTION_KINDS } from "../../components/logging/processing/redaction.ts";
import { ODD_SECRETS } from "../support/collectors/json-secrets.ts";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { OWN_REDACTION, type PlantedLine, plantedLines } from "../support/collectors/secrets.ts";
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
}

const opensearch = (port: number) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false });
const CANDIDATES: readonly Candidate[] = [
  { name: "fluent-bit", start: localFluentBit, destination: opensearch },
  {
    name: "otelcol",
    start: localOpenTelemetry,
    destination: () => ({ kind: "elasticsearch", host: "elasticsearch.test", tls: false }),
  },
  { name: "logagent", start: localLogagent, destination: opensearch },
  { name: "vector", start: localVector, destination: opensearch },
  { name: "filebeat", start: localFilebeat, destination: () => ELASTICSEARCH },
  { name: "fluentd", start: () => localFluentd(), destination: opensearch },
  { name: "promtail", start: localPromtail, destination: () => LOKI },
];

const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
const SEED = Number(process.env.SECRETS_SEED ?? 1);
const Arrived = z.looseObject({ log: z.string(), fields: z.unknown().optional() });

describe("Secrets in 3,000 of 13,000 lines", () => {
  for (const { name, start, destination } of CANDIDATES)
    it(`${name} masks each of them, in the line and its fields, and leaves the other lines as they are`, async function () {
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(name));
      const lines = [...plantedLines(SEED), ...ODD_SECRETS.filter(({ text }) => !text.includes("\n"))];
      const receiver = await Receiver.start({ keep: 2 * lines.length });
      const settings = {
        destination: destination(receiver.port),
        multiline: [],
        processing: { redact: [...REDACTION_KINDS, OWN_REDACTION] },
      };
      const sandbox = new Sandbox(local, settings, receiver.port);
      sandbox.write(POD, lines.flatMap(inParts));
      const running = sandbox.start();
      try {
        const arrived = await records(receiver, lines.length);
        const wanted = lines.map(({ masked }) => masked);
        assert.deepEqual(arrived.map(({ log }) => log).sort(), wanted.sort());
        for (const { log, fields } of arrived) assert.deepEqual(fields, fieldsOf(log), log);
      } finally {
        await running.stop("SIGKILL");
        await receiver.stop();
        sandbox.remove();
        if ("stop" in local && typeof local.stop === "function") local.stop();
      }
    });
});

/** A line as the runtime writes it; each seventh in parts, so that some secrets are divided. */
function inParts({ text }: PlantedLine, number: number): string[] {
  const time = `2026-02-01T10:00:00.${String(number).padStart(9, "0")}Z stdout`;
  if (number % 7 !== 0) return [`${time} F ${text}`];
  const middle = Math.floor(text.length / 2);
  return [`${time} P ${text.slice(0, middle)}`, `${time} F ${text.slice(middle)}`];
}

async function records(receiver: Receiver, wanted: number): Promise<z.infer<typeof Arrived>[]> {
  let [found, quiet] = [0, 0];
  while (found < wanted && quiet < 60) {
    await seconds(0.5);
    const count = (await receiver.kept()).length;
    quiet = count === found ? quiet + 1 : 0;
    found = count;
  }
  await seconds(1);
  const kept = await receiver.kept();
  return kept.filter(({ place }) => !place.startsWith("/")).map(({ json }) => Arrived.parse(JSON.parse(json)));
}

/** The fields of a line that is JSON. A search engine gets no name with a dot, which these have not. */
function fieldsOf(line: string): unknown {
  if (!line.startsWith("{")) return undefined;
  return JSON.parse(line);
}
