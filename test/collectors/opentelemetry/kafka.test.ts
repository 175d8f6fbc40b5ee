import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { listen } from "../../support/listen.ts";
import { localOpenTelemetry } from "./local.ts";

const TOPIC = "pods";
const COUNT = 5000;
const Message = z.object({ log: z.string(), team: z.string(), kubernetes: z.looseObject({ pod_name: z.string() }) });

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

/**
 * KFAKE_BINARY is a broker of franz-go's package `kfake`, which prints the key and the value of each message of a topic: a line each.
 * @see https://pkg.go.dev/github.com/twmb/franz-go/pkg/kfake
 */
describe("OpenTelemetry Collector and a broker of Kafka", () => {
  it("sends each record as JSON to the topic, once", async function () {
    this.timeout(120_000);
    const broker = findProgram("kfake");
    if (broker === undefined) return leaveOut(this, whyMissing("kfake"));
    const local = await localOpenTelemetry();
    if (local === undefined) return leaveOut(this, whyMissing("otelcol"));
    const port = await freePort();
    const fake = spawn(broker, [String(port), TOPIC], { stdio: ["ignore", "pipe", "ignore"] });
    const messages: string[] = [];
    createInterface({ input: fake.stdout }).on("line", (line) => messages.push(line));
    const destination = { kind: "kafka", brokers: [`127.0.0.1:${port}`], topic: TOPIC, tls: false };
    const sandbox = new Sandbox(local, { destination, multiline: [], buffer: { whenFull: "block" } }, port);
    const lines = Array.from(
      { length: COUNT },
      (_, at) => `2026-02-01T10:00:00.${String(at).padStart(9, "0")}Z stdout F line ${at}`,
    );
    sandbox.write({ namespace: "ts-team", pod: "curl-ts", container: "curl" }, lines);
    const running = sandbox.start();
    try {
      for (let wait = 0; messages.length <= COUNT && wait < 120; wait += 1) await seconds(0.5);
      await seconds(2);
      const [ready, ...rest] = messages;
      assert.equal(ready, "ready");
      const found = rest.map((line) => Message.parse(JSON.parse(line.slice(line.indexOf("\t") + 1))));
      assert.equal(found.length, COUNT);
      assert.equal(new Set(found.map(({ log }) => log)).size, COUNT);
      assert.ok(found.every(({ team, kubernetes }) => team === "ts" && kubernetes.pod_name === "curl-ts"));
    } finally {
      await running.stop("SIGKILL");
      fake.kill();
      local.stop();
      sandbox.remove();
    }
  });
});
