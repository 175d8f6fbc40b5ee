import assert from "node:assert/strict";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { LEFT_OUT } from "../cluster-api.ts";
import { LOKI, localPromtail } from "./local.ts";

const Line = z.record(z.string(), z.unknown());

const promtail = suiteCollector(localPromtail, () => whyMissing("promtail"));

describe("Promtail's records", () => {
  promtail.use();

  it("equal those of Fluent Bit, under their stream's labels", async () => {
    const receiver = await Receiver.start();
    const sandbox = new Sandbox(promtail.found(), { destination: LOKI }, receiver.port);
    const line = (at: number, text: string) => `2026-02-01T10:00:00.12345678${at}Z ${text}`;
    sandbox.write({ namespace: "ts-team", pod: "curl-ts", container: "curl" }, [
      line(1, "stdout P one "),
      line(1, "stderr F meanwhile"),
      line(2, "stdout F line"),
      line(3, 'stdout F {"level":{"name":"info"}}'),
      line(4, "stderr F java.lang.Error: no"),
      line(5, "stderr F \tat com.example.Main(Main.java:1)"),
      line(6, "stderr F Caused by: nothing"),
      line(7, `stdout F ${"x".repeat(2 ** 20)}`),
    ]);
    sandbox.write({ namespace: "ts-team", pod: LEFT_OUT, container: "curl" }, [line(1, "stdout F never")]);
    sandbox.write({ namespace: "logging", pod: "promtail", container: "promtail" }, [line(1, "stdout F never")]);
    const running = sandbox.start();
    // It hears of pods after some seconds.
    for (let wait = 0; wait < 120 && (await receiver.kept()).length < 5; wait += 1) await seconds(0.25);
    await seconds(1.5);
    const kept = await receiver.kept();
    await running.stop("SIGKILL");
    await receiver.stop();
    sandbox.remove();

    const records = kept.map(({ json }) => Line.parse(JSON.parse(json)));
    const byLog = new Map(records.map((record) => [String(record.log).slice(0, 60), record]));
    const kubernetes = {
      namespace_name: "ts-team",
      pod_name: "curl-ts",
      container_name: "curl",
      host: "node",
      labels: { app_kubernetes_io_name: "curl", team: "ts" },
    };
    const common = { stream: "stdout", kubernetes, team: "ts" };
    assert.deepEqual(byLog.get("one line"), { log: "one line", time: "2026-02-01T10:00:00.123456782Z", ...common });
    assert.deepEqual(byLog.get('{"level":{"name":"info"}}'), {
      log: '{"level":{"name":"info"}}',
      time: "2026-02-01T10:00:00.123456783Z",
      fields: { level: { name: "info" } },
      ...common,
    });
    const trace = "java.lang.Error: no\n\tat com.example.Main(Main.java:1)\nCaused by: nothing";
    assert.ok(records.some(({ log }) => log === trace));
    assert.ok(records.some(({ log }) => String(log).length === 2 ** 20));
    assert.equal(byLog.get("meanwhile")?.stream, "stderr");
    assert.equal(records.length, 5);
    assert.deepEqual(JSON.parse(kept.find(({ json }) => json.includes('"one line"'))?.place ?? ""), {
      job: "eks-dns-logging",
      namespace: "ts-team",
      pod: "curl-ts",
      container: "curl",
      stream: "stdout",
      team: "ts",
    });
  });
});
