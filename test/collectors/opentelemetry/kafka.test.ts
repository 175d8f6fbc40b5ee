import assert from "node:assert/strict";
import { z } from "zod";
import { caFile } from "../../../components/logging/destinations/destination-secrets.ts";
import { seconds } from "../../support/collectors/losses.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { type LocalCollector, Sandbox } from "../../support/collectors/sandbox.ts";
import { freePort } from "../../support/free-port.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { startBroker, TOPIC } from "../kafka-broker.ts";
import { hasOpenssl, makeCertificate } from "../tls-receiver.ts";
import { type LocalOpenTelemetry, localOpenTelemetry } from "./local.ts";

const COUNT = 5000;
const LOGIN = { user: "log-writer", password: 'pass"word: #1' };
const Message = z.object({ log: z.string(), team: z.string(), kubernetes: z.looseObject({ pod_name: z.string() }) });

function writeLines(sandbox: Sandbox): void {
  const lines = Array.from(
    { length: COUNT },
    (_, at) => `2026-02-01T10:00:00.${String(at).padStart(9, "0")}Z stdout F line ${at}`,
  );
  sandbox.write({ namespace: "ts-team", pod: "curl-ts", container: "curl" }, lines);
}

/** That each line is a message, once. */
async function assertAll({ messages }: ReturnType<typeof startBroker>): Promise<void> {
  for (let wait = 0; messages().length < COUNT && wait < 180; wait += 1) await seconds(0.5);
  await seconds(2);
  const found = messages().map((text) => Message.parse(JSON.parse(text)));
  assert.equal(found.length, COUNT);
  assert.equal(new Set(found.map(({ log }) => log)).size, COUNT);
  assert.ok(found.every(({ team, kubernetes }) => team === "ts" && kubernetes.pod_name === "curl-ts"));
}

describe("OpenTelemetry Collector and a broker of Kafka", function () {
  this.timeout(240_000);
  const broker = findProgram("kfake") ?? "";
  let local: LocalOpenTelemetry | undefined;
  before(async function () {
    if (broker === "") return leaveOut(this, whyMissing("kfake"));
    local = await localOpenTelemetry();
    if (local === undefined) leaveOut(this, whyMissing("otelcol"));
    else if (!hasOpenssl()) leaveOut(this, "no openssl");
  });
  after(() => local?.stop());

  it("sends each record as JSON to the topic once", async () => {
    assert.ok(local);
    const port = await freePort();
    const fake = startBroker(broker, port);
    const destination = { kind: "kafka", brokers: [`127.0.0.1:${port}`], topic: TOPIC, tls: false };
    const sandbox = new Sandbox(local, { destination, multiline: [], buffer: { whenFull: "block" } }, port);
    writeLines(sandbox);
    const running = sandbox.start();
    try {
      await assertAll(fake);
    } finally {
      await running.stop("SIGKILL");
      fake.stop();
      sandbox.remove();
    }
  });

  for (const mechanism of ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] as const)
    it(`by TLS and ${mechanism}: nothing with another password, and with the right one each record once`, async () => {
      assert.ok(local);
      const { certificate, key, authority, remove } = makeCertificate();
      const port = await freePort();
      const fake = startBroker(broker, port, [mechanism, LOGIN.user, LOGIN.password, certificate, key]);
      const { adapt } = local;
      const trusting: LocalCollector = {
        ...local,
        adapt: (text, place) => adapt(text, place).replaceAll(caFile(), authority),
      };
      const destination = {
        kind: "kafka",
        brokers: [`127.0.0.1:${port}`],
        topic: TOPIC,
        tls: { caSecretName: "ca" },
        credentials: { secretName: "kafka" },
        mechanism,
      };
      const sandbox = new Sandbox(trusting, { destination, multiline: [], buffer: { whenFull: "block" } }, port);
      writeLines(sandbox);
      let running = sandbox.start([], { ...LOGIN, password: "another" });
      try {
        await seconds(15);
        assert.deepEqual(fake.messages(), []);
        // The password is read when the collector starts.
        await running.stop("SIGTERM", 30);
        running = sandbox.start([], LOGIN);
        await assertAll(fake);
      } finally {
        await running.stop("SIGKILL");
        fake.stop();
        sandbox.remove();
        remove();
      }
    });
});
