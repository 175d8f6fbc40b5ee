import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localVector } from "./vector/local.ts";

type Started = LocalCollector & { stop?(): void };

/** Those that push to Loki in JSON; Promtail's labels are in records.test.ts, and what the OpenTelemetry Collector sends is OTLP. */
const COLLECTORS: readonly { title: string; program: string; start(): Promise<Started | undefined> }[] = [
  { title: "Fluent Bit", program: "fluent-bit", start: async () => localFluentBit() },
  { title: "Vector", program: "vector", start: () => localVector() },
];

for (const { title, program, start } of COLLECTORS) {
  describe(`${title}'s labels in Loki`, () => {
    let local: Started | undefined;
    before(async function () {
      local = await start();
      if (local === undefined) leaveOut(this, whyMissing(program));
    });
    after(() => local?.stop?.());

    for (const several of [false, true])
      it(`name the team of a line that has one${several ? ", of several destinations too" : ""}`, async () => {
        assert.ok(local);
        const receiver = await Receiver.start();
        const loki = { kind: "loki", url: `http://127.0.0.1:${receiver.port}` };
        const settings = several
          ? { destinations: { loki, out: { kind: "file", path: "/var/log/collected" } } }
          : { destination: loki };
        const sandbox = new Sandbox(local, settings, receiver.port);
        const collectors = [...sandbox.startSenders(), sandbox.start()];
        try {
          for (const namespace of ["ts-team", "other"])
            sandbox.write({ namespace, pod: "curl", container: "curl" }, [
              `2026-02-01T10:00:00.123456789Z stdout F hello from ${namespace}`,
            ]);
          for (let wait = 0; wait < 160 && (await receiver.kept()).length < 2; wait += 1)
            await new Promise((resolve) => setTimeout(resolve, 250));
          const places = (await receiver.kept()).map(({ place }): unknown => JSON.parse(place));
          const common = { job: "eks-dns-logging", pod: "curl", container: "curl", stream: "stdout" };
          assert.deepEqual(
            new Set(places),
            new Set([
              { ...common, namespace: "ts-team", team: "ts" },
              { ...common, namespace: "other" },
            ]),
          );
          assert.doesNotMatch(readFileSync(sandbox.log, "utf8"), /render template|expand dynamic/);
        } finally {
          for (const collector of collectors) await collector.stop("SIGKILL");
          await receiver.stop();
          sandbox.remove();
        }
      });
  });
}
