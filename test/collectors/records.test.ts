import assert from "node:assert/strict";
import { IndexFormat, indexName } from "../../components/logging/indexing/index-format.ts";
import { whyMissing } from "../support/collectors/program.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { ELASTICSEARCH, localFilebeat } from "./filebeat/local.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { LOKI, localPromtail } from "./promtail/local.ts";
import { collectCases, containerOf, type Found, ODD_LABELS } from "./records/collect.ts";
import { EXCEPTIONS } from "./records/exceptions.ts";
import { JSON_CASES } from "./records/json.ts";
import type { RecordCase, Wanted } from "./records/lines.ts";
import { REPORTED_TRACES } from "./records/reported-traces.ts";
import { TEXT_CASES } from "./records/texts.ts";
import { TRACE_CASES } from "./records/traces.ts";
import { localVector } from "./vector/local.ts";

interface Tried {
  readonly program: string;
  readonly start: () => Promise<(LocalCollector & { stop?(): void }) | undefined>;
  /** Default: Elasticsearch, which is the receiver. */
  readonly destination?: (port: number) => object;
  /** By how many nanoseconds its times may be wrong. Default: none. */
  readonly tolerance?: bigint;
  /** Default: '.' becomes '_'. */
  readonly label?: RegExp;
  /** Whether large whole numbers are rounded. */
  readonly rounds?: true;
  /** Whether labels without a value are left out. */
  readonly dropsEmptyLabels?: true;
}

const elasticsearch = (port: number) => ({ kind: "elasticsearch", host: "127.0.0.1", port, tls: false });
const TRIED: readonly Tried[] = [
  // It reads the fraction as a floating number.
  { program: "fluent-bit", start: () => Promise.resolve(localFluentBit()), tolerance: 1n },
  { program: "fluentd", start: localFluentd },
  // Version 7 writes milliseconds.
  { program: "filebeat", start: localFilebeat, destination: () => ELASTICSEARCH, tolerance: 999_999n },
  { program: "otelcol", start: localOpenTelemetry, destination: () => ELASTICSEARCH, dropsEmptyLabels: true },
  // Its labels are Prometheus'.
  { program: "promtail", start: localPromtail, destination: () => LOKI, label: /\W/g, dropsEmptyLabels: true },
  { program: "logagent", start: localLogagent, rounds: true },
  { program: "vector", start: localVector },
];
const CASES: readonly RecordCase[] = [...TEXT_CASES, ...JSON_CASES, ...TRACE_CASES, ...REPORTED_TRACES];

for (const {
  program,
  start,
  destination = elasticsearch,
  tolerance = 0n,
  label = /\./g,
  rounds,
  dropsEmptyLabels,
} of TRIED) {
  describe(`Records of odd lines by ${program}`, () => {
    let local: Awaited<ReturnType<Tried["start"]>>;
    let found: ReadonlyMap<string, readonly Found[]> = new Map();

    before(async function () {
      local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(program));
      found = await collectCases(local, destination, CASES);
    });
    after(() => local?.stop?.());

    const exceptions = EXCEPTIONS[program === "otelcol" ? "opentelemetry" : program] ?? {};
    for (const one of CASES) {
      const { namespace, pod, container } = containerOf(one);
      it(`are as promised or documented: ${one.name}`, () => {
        const records = found.get(`${namespace}/${pod}`) ?? [];
        const wanted = exceptions[one.name] ?? one.wanted;
        const chosen = one.more ? records.filter(({ log }) => wanted.some((other) => other.log === log)) : records;
        assert.deepEqual(chosen.map(short).sort(byText), wanted.map(shortWanted).sort(byText));
        for (const record of chosen) {
          const times = wanted.filter(({ log }) => log === record.log).map(({ at }) => nanoseconds(at));
          const at = timeOf(record);
          assert.ok(
            times.some((time) => abs(time - at) <= tolerance),
            `${at} for ${record.log}`,
          );
          checkPlace(record, { namespace, pod, container }, at);
          if (one.literally !== undefined && !rounds)
            assert.ok(record.received.json.includes(`"n":${one.literally}}`), record.received.json);
        }
      });
    }

    it(`have the labels of their pod${dropsEmptyLabels ? " that have a value" : ", empty ones too"}`, () => {
      const labels = found.get("ts-team/quotes")?.[0]?.kubernetes.labels;
      const all = Object.entries(ODD_LABELS).filter(([, value]) => value !== "" || !dropsEmptyLabels);
      assert.deepEqual(labels, Object.fromEntries(all.map(([key, value]) => [key.replaceAll(label, "_"), value])));
    });
  });
}

/** What is compared, with the fields in no order. */
function short({ log, stream, fields }: Found): object {
  return { log, stream, fields };
}

function shortWanted({ log, stream = "stdout", fields }: Wanted): object {
  return { log, stream, fields: fields === undefined ? undefined : JSON.parse(fields) };
}

function byText(one: object, other: object): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

/** Checks names, team and index, which follow from the container and the time. */
function checkPlace(record: Found, names: { namespace: string; pod: string; container: string }, at: bigint): void {
  const team = /^(.+)-team$/.exec(names.namespace)?.[1];
  const { namespace_name, pod_name, container_name } = record.kubernetes;
  assert.deepEqual({ namespace: namespace_name, pod: pod_name, container: container_name }, names);
  assert.equal(record.team, team);
  const { place } = record.received;
  // Loki has labels, and no index.
  if (place.startsWith("{")) {
    const labels = { job: "eks-dns-logging", ...names, stream: record.stream, ...(team === undefined ? {} : { team }) };
    assert.deepEqual(JSON.parse(place), labels);
    return;
  }
  const date = new Date(Number(at / 1_000_000n));
  assert.equal(place, indexName(IndexFormat.parse({ splitBy: "team" }), date, { team }));
}

/** When it was written, as the destination has it: Loki beside the record. */
function timeOf({ received, ...record }: Found): bigint {
  return received.at === undefined ? nanoseconds(String(record["@timestamp"])) : BigInt(received.at);
}

function nanoseconds(text: string): bigint {
  const [, fraction = ""] = /\.(\d+)/.exec(text) ?? [];
  return BigInt(Date.parse(text.replace(/\.\d+/, ""))) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
