import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IndexFormat, indexName } from "../../../components/logging/indexing/index-format.ts";
import { seconds } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import type { Received } from "../../support/collectors/protocols.ts";
import type { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { LEFT_OUT } from "../cluster-api.ts";
import { collected, KUBERNETES, line, POD, records } from "../curl-pod.ts";
import { ELASTICSEARCH, localFilebeat } from "./local.ts";

const filebeat = suiteCollector(localFilebeat, () => whyMissing("filebeat"));

async function collect(settings: object, write: (sandbox: Sandbox) => void): Promise<readonly Received[]> {
  const kept = await collected(
    filebeat.found(),
    { destination: ELASTICSEARCH, ...settings },
    write,
    async ({ receiver }) => {
      await seconds(6);
      await receiver.settled(1, 5);
    },
  );
  return kept.filter(({ place }) => !place.startsWith("/"));
}

describe("Filebeat", () => {
  filebeat.use();

  it("sends Fluent Bit's record, to the nanosecond, with its own ids", async () => {
    const kept = await collect({}, (sandbox) => {
      sandbox.write(POD, [
        line(1, "stdout P one "),
        line(2, "stdout F line"),
        line(3, 'stdout F {"level":{"name":"info"},"count":12}'),
        line(4, "stderr F java.lang.Error: no"),
        line(5, "stderr F \tat com.example.Main(Main.java:1)"),
        line(6, `stdout F ${"x".repeat(2 ** 20)}`),
      ]);
      sandbox.write({ ...POD, namespace: "logging" }, [line(1, "stdout F own")]);
      // With a UID of its own, by which Filebeat knows a pod.
      const folder = join(sandbox.pods, `other_${LEFT_OUT}_95c1ec06-0000-0000-0000-000000000001`, "curl");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "0.log"), `${line(1, "stdout F left out")}\n`);
    });
    const byTime = records(kept).sort((one, other) =>
      String(one["@timestamp"]).localeCompare(String(other["@timestamp"])),
    );
    const [joined, json, trace, long, ...more] = byTime;
    assert.deepEqual(
      more.map(({ log }) => String(log).slice(0, 50)),
      [],
    );
    assert.deepEqual(joined, {
      "@timestamp": "2026-02-01T10:00:00.123456781Z",
      log: "one line",
      stream: "stdout",
      team: "ts",
      kubernetes: KUBERNETES,
    });
    assert.deepEqual(json?.fields, { level: { name: "info" }, count: 12 });
    assert.equal(json?.log, '{"level":{"name":"info"},"count":12}');
    assert.equal(trace?.log, "java.lang.Error: no\n\tat com.example.Main(Main.java:1)");
    assert.equal(String(long?.log).length, 2 ** 20);
    assert.equal(new Set(kept.map(({ id }) => id)).size, 4);
    assert.match(kept[0]?.id ?? "", /^[0-9a-f]{64}$/);
  });

  for (const format of [
    {},
    { splitBy: "team", separator: "_" },
    { splitBy: "namespace", datePattern: "xxxx.ww" },
    { splitBy: "app", datePattern: "yyyy-MM-dd-HH" },
  ]) {
    it(`names the index as the model does: ${JSON.stringify(format)}`, async () => {
      const times = ["2026-01-01T00:00:00.5Z", "2025-12-29T23:59:59.999999999Z"];
      const kept = await collect({ index: format }, (sandbox) =>
        sandbox.write(
          POD,
          times.map((time) => `${time} stdout F line at ${time}`),
        ),
      );
      const wanted = times.map((time) =>
        indexName(IndexFormat.parse(format), new Date(time), { team: "ts", namespace: "ts-team", app: "curl" }),
      );
      assert.deepEqual(kept.map(({ place }) => place).sort(), wanted.sort());
    });
  }

  it("reads an application's files as a sidecar", async () => {
    const kept = await collect({ mode: "sidecar", index: { splitBy: "team" } }, (sandbox) => {
      mkdirSync(join(sandbox.folder, "app"));
      writeFileSync(join(sandbox.folder, "app", "app.log"), 'hello\n{"a":1}\n');
    });
    const [hello, json] = records(kept);
    assert.equal(hello?.log, "hello");
    assert.deepEqual(hello?.kubernetes, {
      namespace_name: "none",
      pod_name: "none",
      container_name: "none",
      host: "node",
    });
    assert.deepEqual(json?.fields, { a: 1 });
    assert.deepEqual(Object.keys(hello ?? {}).sort(), ["@timestamp", "kubernetes", "log"]);
  });
});
