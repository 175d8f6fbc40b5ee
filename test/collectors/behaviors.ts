import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { IndexFormat, indexName } from "../../components/logging/indexing/index-format.ts";
import type { Received } from "../support/collectors/protocols.ts";
import type { LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { LABELS, LEFT_OUT } from "./cluster-api.ts";
import { collected, KUBERNETES, line, POD, records, sortedLogs, stoppedAfter } from "./curl-pod.ts";

/** When the lines of the suites were written. */
export const TIME = "2026-01-01T00:30:00.123456789Z";

interface Collected {
  /** What the collector itself wrote. */
  readonly output: string;
  readonly sandbox: Sandbox;
}

/** Runs a collector until so many records have come, or ten seconds have passed. */
export type Collect = (
  settings: { readonly destination?: (port: number) => object; readonly [key: string]: unknown },
  write: (sandbox: Sandbox) => void,
  wanted?: number,
  check?: (collected: Collected) => void,
) => Promise<readonly Received[]>;

/**
 * How a collector of this machine is run.
 * @param local The collector, once a suite has found it.
 * @param defaults Settings of every run.
 */
export function collectWith(local: () => LocalCollector | undefined, defaults: object = {}): Collect {
  return (settings, write, wanted = 1, check = () => {}) => {
    const program = local();
    assert.ok(program);
    const { destination = (port: number) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false }), ...rest } =
      settings;
    return collected(
      program,
      (port) => ({ ...defaults, destination: destination(port), ...rest }),
      write,
      async (collecting) => {
        await stoppedAfter(collecting, wanted);
        const { sandbox } = collecting;
        check({ output: readFileSync(sandbox.log, "utf8"), sandbox });
      },
    );
  };
}

/** What differs between the collectors. */
interface RecordOptions {
  /** {@link TIME} as the runtime may write it too. Default: the same. */
  readonly zoned?: string;
  /** Whether equal lines of different files have ids of their own. */
  readonly hasIds?: boolean;
}

/** Tests of the record that each collector makes. */
export function testRecords(collect: Collect, { zoned = TIME, hasIds = false }: RecordOptions = {}): void {
  it("matches the model, to the nanosecond", async () => {
    const found = await collect({}, (sandbox) => sandbox.write(POD, [`${TIME} stdout F {"a.b":1,"c":{"d":"x"}}`]));
    const record = {
      "@timestamp": TIME,
      fields: { a_b: 1, c: { d: "x" } },
      kubernetes: KUBERNETES,
      log: '{"a.b":1,"c":{"d":"x"}}',
      stream: "stdout",
      team: "ts",
    };
    assert.deepEqual(records(found), [record]);
    assert.equal(found[0]?.place, "logs-2026.01.01");
    assert.match(found[0]?.id ?? "", /^[0-9a-f]{40}$/);
  });

  it("has annotations only if enabled, no labels if disabled, and no team for other namespaces", async () => {
    const settings = { metadata: { labels: false, annotations: true }, parseJson: false };
    const found = await collect(settings, (sandbox) =>
      sandbox.write({ ...POD, namespace: "shop" }, [`${zoned} stderr F {"a":1}`]),
    );
    const { labels: _labels, ...kubernetes } = { ...KUBERNETES, namespace_name: "shop" };
    const expected = {
      "@timestamp": TIME,
      kubernetes: { ...kubernetes, annotations: { "example_com/note": "kept" } },
      log: '{"a":1}',
      stream: "stderr",
    };
    assert.deepEqual(records(found), [expected]);
  });

  it("joins the parts of a line of 1 MiB without separators", async () => {
    const parts = Array.from({ length: 64 }, (_, at) => String.fromCharCode(97 + (at % 26)).repeat(16_384));
    const found = await collect({}, (sandbox) =>
      sandbox.write(
        POD,
        parts.map((part, at) => `${TIME} stdout ${at < 63 ? "P" : "F"} ${part}`),
      ),
    );
    assert.deepEqual(sortedLogs(found), [parts.join("")]);
  });

  it("holds a stack trace together, and each stream apart", async () => {
    const written = [
      "stderr F java.lang.IllegalStateException: boom",
      "stdout F between",
      "stderr F \tat app.Main.run(Main.java:7)",
      "stderr F Caused by: java.io.IOException",
      "stderr F \t... 3 more",
      "stderr F next",
    ];
    const found = await collect(
      {},
      (sandbox) =>
        sandbox.write(
          POD,
          written.map((line, at) => `2026-01-01T00:30:0${at}Z ${line}`),
        ),
      3,
    );
    const trace =
      "java.lang.IllegalStateException: boom\n\tat app.Main.run(Main.java:7)\nCaused by: java.io.IOException\n\t... 3 more";
    assert.deepEqual(sortedLogs(found), ["between", trace, "next"].sort());
  });

  it("is collected neither from its own namespace, nor from pods that opt out or that the settings exclude", async () => {
    const settings = { namespaces: { include: ["ts-team", "sa-team"], exclude: ["sa-team"] }, labels: { team: "ts" } };
    const write = (sandbox: Sandbox) => {
      for (const namespace of ["ts-team", "sa-team", "logging", "shop"])
        sandbox.write({ ...POD, namespace }, [`${TIME} stdout F ${namespace}`]);
      sandbox.write({ ...POD, pod: LEFT_OUT }, [`${TIME} stdout F left out`]);
    };
    assert.deepEqual(sortedLogs(await collect(settings, write)), ["ts-team"]);
    assert.deepEqual(sortedLogs(await collect({}, write, 3)), ["sa-team", "shop", "ts-team"]);
    assert.deepEqual(sortedLogs(await collect({ labels: { team: "sa" } }, write)), []);
  });

  it("comes unchanged from an application's files, even if they begin alike", async () => {
    const found = await collect(
      { mode: "sidecar", index: { splitBy: "namespace" } },
      (sandbox) => {
        const folder = join(sandbox.folder, "app");
        mkdirSync(folder);
        appendFileSync(join(folder, "access.log"), "same\n");
        appendFileSync(join(folder, "app.log"), `same\n{"a":1}\n${"y".repeat(2 ** 20)}\n`);
      },
      4,
    );
    assert.deepEqual(sortedLogs(found), ["same", "same", `{"a":1}`, "y".repeat(2 ** 20)].sort());
    const [record] = found.map(({ json }) => JSON.parse(json)).filter(({ log }) => log === '{"a":1}');
    const { "@timestamp": time, ...rest } = record;
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    const kubernetes = { container_name: "none", host: "node", namespace_name: "none", pod_name: "none" };
    assert.deepEqual(rest, { fields: { a: 1 }, kubernetes, log: '{"a":1}' });
    assert.match(found[0]?.place ?? "", /^logs-none-\d{4}\.\d\d\.\d\d$/);
    if (hasIds) assert.equal(new Set(found.map(({ id }) => id)).size, 4);
  });
}

/** A destination, and under which name the record comes there. */
export interface Place {
  readonly destination: (port: number) => object;
  readonly place: string;
}

/** The destinations that take JSON by HTTP, for lines of a day such as `2026-01-01`. */
export function httpPlaces(day: string): Readonly<Record<string, Place>> {
  const place = `logs-${day.replaceAll("-", ".")}`;
  return {
    http: {
      destination: (port) => ({ kind: "http", url: `http://127.0.0.1:${port}/ingest?a=$1` }),
      place: "/ingest?a=$1",
    },
    opensearch: { destination: (port) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false }), place },
    elasticsearch: { destination: (port) => ({ kind: "elasticsearch", host: "127.0.0.1", port, tls: false }), place },
  };
}

/** Fails unless the text is the record of {@link writeHello}. */
export function assertHello(json: string, time: string): void {
  const { "@timestamp": came, log, team } = JSON.parse(json);
  assert.deepEqual([came, log, team], [time, "hello", "ts"]);
}

/** Writes one line. */
export function writeHello(sandbox: Sandbox, time: string): void {
  sandbox.write(POD, [`${time} stdout F hello`]);
}

/** Tests of where a line comes that was written at a time. */
export function testDelivery(collect: Collect, time: string, places: Readonly<Record<string, Place>>): void {
  const write = (sandbox: Sandbox) => writeHello(sandbox, time);

  it("its own stdout", async () => {
    await collect({ destination: () => ({ kind: "stdout" }) }, write, 1, ({ output }) =>
      assertHello(output.split("\n").find((line) => line.startsWith("{")) ?? "", time),
    );
  });

  it("a file", async () => {
    await collect({ destination: () => ({ kind: "file" }) }, write, 1, ({ sandbox }) =>
      assertHello(readFileSync(join(sandbox.folder, "collected", "pods.log"), "utf8").trim(), time),
    );
  });

  for (const [name, { destination, place }] of Object.entries(places)) {
    it(name, async () => {
      const [record, ...more] = await collect({ destination }, write);
      assert.deepEqual(more, []);
      // CloudWatch Logs has the time beside the record.
      if (name === "cloudwatch") assert.equal(JSON.parse(record?.json ?? "")["@timestamp"], undefined);
      else assertHello(record?.json ?? "", time);
      const { place: came = "" } = record ?? {};
      assert.deepEqual(
        came.startsWith("{") ? JSON.parse(came) : came,
        place.startsWith("{") ? JSON.parse(place) : place,
      );
    });
  }
}

/** Runs a collector on lines that are there when it starts, until nothing comes any more. */
type CollectAll = (settings: object, write: (sandbox: Sandbox) => void) => Promise<readonly Received[]>;

const TRACE = "java.lang.Error: no\n\tat com.example.Main(Main.java:1)\nCaused by: nothing";

/**
 * Tests of which lines become which records.
 * @param own Lines of this collector's test beside those of all, and the streams and texts of their records.
 */
export function testRecordsOfLines(
  collect: CollectAll,
  own: { readonly lines: readonly string[]; readonly records: readonly string[] },
): void {
  it("equal those of Fluent Bit, with their own ids", async () => {
    const kept = await collect({}, (sandbox) => {
      const lines = [
        line(1, "stdout P one "),
        line(2, "stdout F line "),
        line(3, 'stdout F {"level":{"name":"info"},"count":1234567890123456}'),
        line(4, "stderr F java.lang.Error: no"),
        line(4, "stdout F between"),
        line(5, "stderr F \tat com.example.Main(Main.java:1)"),
        line(6, "stderr F Caused by: nothing"),
        line(8, `stdout F ${"x".repeat(2 ** 20)}`),
        ...own.lines,
      ];
      const timeOf = (text: string) => text.split(" ")[0] ?? "";
      sandbox.write(
        POD,
        lines.toSorted((one, other) => timeOf(one).localeCompare(timeOf(other))),
      );
      sandbox.write({ ...POD, pod: LEFT_OUT }, [line(1, "stdout F never")]);
      sandbox.write({ ...POD, namespace: "logging" }, [line(1, "stdout F never")]);
    });
    const found = new Map(records(kept).map((record) => [String(record.log).slice(0, 20), record]));
    assert.deepEqual(found.get("one line "), {
      "@timestamp": "2026-02-01T10:00:00.123456781Z",
      log: "one line ",
      stream: "stdout",
      kubernetes: KUBERNETES,
      team: "ts",
    });
    assert.deepEqual(found.get('{"level":{"name":"in')?.fields, { level: { name: "info" }, count: 1234567890123456 });
    assert.equal(found.get(TRACE.slice(0, 20))?.log, TRACE);
    assert.equal(String(found.get("x".repeat(20))?.log).length, 2 ** 20);
    assert.deepEqual(
      records(kept)
        .map(({ stream, log }) => `${stream} ${String(log).slice(0, 20)}`)
        .sort(),
      [
        "stdout between",
        `stderr ${TRACE.slice(0, 20)}`,
        "stdout one line ",
        `stdout ${"x".repeat(20)}`,
        'stdout {"level":{"name":"in',
        ...own.records,
      ].sort(),
    );
    assert.equal(new Set(kept.map(({ id }) => id)).size, kept.length);
    assert.ok(!kept.some(({ json }) => json.includes("never")));
  });

  it("come only from configured namespaces and labels, without disabled metadata", async () => {
    const settings = {
      namespaces: { include: ["ts-team", "sa-team"] },
      labels: { "app.kubernetes.io/name": "curl" },
      metadata: { labels: false, annotations: true },
      parseJson: false,
      multiline: [],
    };
    const kept = await collect(settings, (sandbox) => {
      sandbox.write(POD, [line(1, 'stdout F {"a":1}'), line(2, "stdout F  indented")]);
      sandbox.write({ ...POD, namespace: "kube-system" }, [line(1, "stdout F never")]);
    });
    const { labels: _, ...kubernetes } = KUBERNETES;
    assert.deepEqual(
      records(kept).map(({ log, fields, kubernetes: found }) => ({ log, fields, found })),
      ['{"a":1}', " indented"].map((log) => ({
        log,
        fields: undefined,
        found: { ...kubernetes, annotations: { "example_com/note": "kept" } },
      })),
    );
  });
}

/** Tests of which pods' lines come, and under which names. @param indices Settings of `logging.index`. */
export function testSelection(collect: CollectAll, indices: readonly object[]): void {
  it("exclude pods without a required label", async () => {
    const kept = await collect({ labels: { team: "other" } }, (sandbox) => sandbox.write(POD, [line(1, "stdout F a")]));
    assert.deepEqual(kept, []);
  });

  for (const index of indices) {
    it(`are in the index of ${JSON.stringify(index)}`, async () => {
      const kept = await collect({ index }, (sandbox) => {
        sandbox.write(POD, ["2025-12-31T23:59:59.999999999Z stdout F a"]);
        sandbox.write({ ...POD, namespace: "other" }, ["2026-01-01T00:00:00Z stdout F b"]);
      });
      const format = IndexFormat.parse(index);
      const app = LABELS["app.kubernetes.io/name"];
      assert.deepEqual(kept.map(({ log, place }) => `${log.slice(0, 1)} ${place}`).sort(), [
        `a ${indexName(format, new Date("2025-12-31T23:59:59.999Z"), { team: "ts", namespace: "ts-team", app })}`,
        `b ${indexName(format, new Date("2026-01-01T00:00:00Z"), { namespace: "other", app })}`,
      ]);
    });
  }
}
