import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { IndexFormat, indexName } from "../../../components/logging/indexing/index-format.ts";
import { seconds } from "../../support/collectors/losses.ts";
import type { Received } from "../../support/collectors/protocols.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
const UID = "95c1ec06-0000-0000-0000-000000000000";
const LABELS = { "app.kubernetes.io/name": "Curl", team: "ts" };
/** What is known of a pod by the tag alone. */
const NAMES = { namespace_name: "ts-team", pod_name: "curl-ts", container_name: "curl" };
const TIME = "2026-02-01T10:00:00.123456789Z";
const Record = z.looseObject({ log: z.string(), kubernetes: z.looseObject({}).optional() });

interface Place {
  readonly sandbox: Sandbox;
  readonly receiver: Receiver;
}
interface Collecting {
  readonly settings?: object;
  readonly adapt?: (text: string) => string;
  readonly meanwhile?: (place: Place) => Promise<void>;
  readonly wanted: number;
}

/** Runs Fluent Bit until so many records have come and no more do. */
async function collect(write: (sandbox: Sandbox) => void, { settings, adapt, meanwhile, wanted }: Collecting) {
  const local = localFluentBit();
  assert.ok(local);
  const receiver = await Receiver.start({ labels: LABELS });
  const destination = { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false };
  const adapted = {
    ...local,
    adapt: (...[text, place]: Parameters<typeof local.adapt>) => (adapt ?? String)(local.adapt(text, place)),
  };
  const sandbox = new Sandbox(adapted, { destination, ...settings }, receiver.port);
  write(sandbox);
  const collector = sandbox.start();
  try {
    await meanwhile?.({ sandbox, receiver });
    for (let wait = 0; wait < 60 && (await receiver.kept()).length < wanted; wait += 1) await seconds(0.25);
    await seconds(1.5);
    const kept = await receiver.kept();
    return { kept, records: kept.map(({ json }) => Record.parse(JSON.parse(json))) };
  } finally {
    await collector.stop("SIGKILL");
    await receiver.stop();
    sandbox.remove();
  }
}
const places = (kept: readonly Received[]) => kept.map(({ place }) => place).sort();
const sorted = (records: readonly z.infer<typeof Record>[]) => records.map(({ log }) => log).sort();

describe("Fluent Bit's record", () => {
  before(skipWithoutFluentBit);

  it("matches the model, with the values of its JSON unchanged", async () => {
    const json =
      '{"a.b":1,"c":{"d":"x\\n"},"end":"y\\n","path":"C:\\\\n","nothing":null,"none":[],"large":9007199254740993}';
    const { kept, records } = await collect((sandbox) => sandbox.write(POD, [`${TIME} stdout F ${json}`]), {
      wanted: 1,
    });
    const { kubernetes, ...record } = records[0] ?? {};
    assert.deepEqual(record, {
      "@timestamp": TIME,
      time: TIME,
      stream: "stdout",
      _p: "F",
      team: "ts",
      log: json,
      fields: { a_b: 1, c: { d: "x\n" }, end: "y\n", path: "C:\\n", nothing: null, none: [], large: 2 ** 53 },
    });
    assert.match(kept[0]?.json ?? "", /"large":9007199254740993/);
    assert.deepEqual(kubernetes, {
      ...NAMES,
      host: "node",
      labels: { "app_kubernetes_io/name": "Curl", team: "ts" },
      pod_id: UID,
      docker_id: UID,
      pod_ip: "10.0.0.1",
    });
  });

  it("has namespace, pod, container, team and fields without the API server", async () => {
    for (const splitBy of ["team", "namespace"] as const) {
      const { kept, records } = await collect((sandbox) => sandbox.write(POD, [`${TIME} stdout F {"a":1}`]), {
        settings: { index: { splitBy } },
        adapt: (text) => text.replaceAll(/kube_url: .*/g, "kube_url: http://127.0.0.1:9"),
        wanted: 1,
      });
      assert.deepEqual(records[0]?.kubernetes, NAMES);
      assert.deepEqual([records[0]?.team, records[0]?.fields], ["ts", { a: 1 }]);
      assert.deepEqual(places(kept), [`logs-${splitBy === "team" ? "ts" : "ts-team"}-2026.02.01`]);
    }
  });

  it("looks up a new pod with an old name, but not again for each of its files", async () => {
    const { records } = await collect((sandbox) => sandbox.write(POD, [`${TIME} stdout F old`]), {
      meanwhile: async ({ sandbox, receiver }) => {
        while ((await receiver.kept()).length < 1) await seconds(0.2);
        const old = join(sandbox.pods, `ts-team_curl-ts_${UID}`);
        const renewed = join(sandbox.pods, "ts-team_curl-ts_95c1ec06-0000-0000-0000-000000000001", "curl");
        rmSync(old, { recursive: true });
        mkdirSync(renewed, { recursive: true });
        receiver.relabel({ "app.kubernetes.io/name": "renewed" });
        writeFileSync(join(renewed, "0.log"), `${TIME} stdout F new\n`);
      },
      wanted: 2,
    });
    const labels = records.map(({ log, kubernetes }) => [log, JSON.stringify(kubernetes?.labels)]);
    assert.deepEqual(labels, [
      ["old", '{"app_kubernetes_io/name":"Curl","team":"ts"}'],
      ["new", '{"app_kubernetes_io/name":"renewed"}'],
    ]);
  });

  for (const format of [
    { splitBy: "team", separator: "_", prefix: "a.b" },
    { splitBy: "namespace", datePattern: "xxxx.ww", separator: "." },
    { splitBy: "app", datePattern: "yyyy-MM-dd-HH" },
  ]) {
    it(`is in the index that the model names: ${JSON.stringify(format)}`, async () => {
      const pods = ["ts-team", "a--b-team", "team", "kube-system", "team-team", "0"];
      const time = "2025-12-29T23:59:59.999999999Z";
      const { kept } = await collect(
        (sandbox) => {
          for (const namespace of pods) sandbox.write({ ...POD, namespace, pod: "a.b.c-0" }, [`${time} stdout F line`]);
        },
        { settings: { index: format }, wanted: pods.length },
      );
      const wanted = pods.map((namespace) => {
        const team = /^(.+)-team$/.exec(namespace)?.[1];
        return indexName(IndexFormat.parse(format), new Date(time), { team, namespace, app: "Curl" });
      });
      assert.deepEqual(places(kept), wanted.sort());
    });
  }

  it("has the same id after each start of Fluent Bit, also if a script found its app", async () => {
    const ids = new Set<string | undefined>();
    for (let run = 0; run < 3; run += 1) {
      const { kept } = await collect((sandbox) => sandbox.write(POD, [`${TIME} stdout F line`]), {
        settings: { index: { splitBy: "app" } },
        wanted: 1,
      });
      ids.add(kept[0]?.id);
    }
    assert.equal(ids.size, 1);
    assert.match([...ids].join(), /^2026-02-01T10:00:00\.123456789Z[0-9a-f]{16}$/);
  });

  it("holds a whole stack trace of each language, once", async () => {
    const traces = [
      ["java.lang.Error: no", "\tat app.Main.run(Main.java:7)", "Caused by: java.io.IOException", "\t... 3 more"],
      [
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "    f()",
        "    ^^^",
        "ValueError: bad",
      ],
      ["Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "    f()", "KeyboardInterrupt"],
      ["panic: oops", "", "goroutine 1 [running]:", "main.main()", "\t/x/main.go:4 +0x1"],
      ["Error: boom", "    at Object.<anonymous> (/app/i.js:1:1)", "    at node:internal/main:1:2"],
    ];
    const lines = traces.flatMap((trace) => [...trace, "between"]);
    const { records } = await collect(
      (sandbox) =>
        sandbox.write(
          POD,
          lines.map((text) => `${TIME} stderr F ${text}`),
        ),
      {
        wanted: 10,
      },
    );
    assert.deepEqual(sorted(records), [...traces.map((trace) => trace.join("\n")), ...Array(5).fill("between")].sort());
  });

  it("is complete for lines that are long and resemble a trace, empty, or in another format", async () => {
    const long = `panic: ${"x".repeat(3 * 2 ** 20)}`;
    const inParts = (long.match(/.{1,16384}/g) ?? []).map((part) => `${TIME} stdout P ${part}`);
    const others = ["stdout P a", "stderr F b", "stdout F c"].map((line) => `${TIME} ${line}`);
    const { records } = await collect(
      (sandbox) => sandbox.write(POD, [`${TIME} stdout F `, ...inParts, `${TIME} stdout F end`, "odd", ...others]),
      { wanted: 5 },
    );
    const [whole = "", ...rest] = sorted(records).sort((one, other) => other.length - one.length);
    assert.ok(whole === `${long}end`, `${whole.length} characters`);
    assert.deepEqual(rest, ["odd", "ac", "b", ""]);
  });

  it("comes from each file of a restarting container, and from none of the collector's own", async () => {
    const { records } = await collect(
      (sandbox) => {
        sandbox.write(POD, [`${TIME} stdout F first`]);
        sandbox.write({ ...POD, namespace: "logging" }, [`${TIME} stdout F own`]);
      },
      {
        meanwhile: async ({ sandbox }) => {
          await seconds(2);
          const folder = join(sandbox.pods, `ts-team_curl-ts_${UID}`, "curl");
          writeFileSync(join(folder, "1.log"), `${TIME} stdout F second\n`);
          renameSync(join(folder, "1.log"), join(folder, "1.log.20260201-100000"));
          writeFileSync(join(folder, "1.log"), `${TIME} stdout F third\n`);
          appendFileSync(join(folder, "0.log"), `${TIME} stdout F late\n`);
        },
        wanted: 4,
      },
    );
    assert.deepEqual(sorted(records), ["first", "late", "second", "third"]);
  });
});
