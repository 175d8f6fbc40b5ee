import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { freePort } from "../../support/free-port.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { POD } from "../curl-pod.ts";
import { startBroker, TOPIC } from "../kafka-broker.ts";
import { localFluentBit } from "./local.ts";

const COUNT = 200;
/** Bytes of a part, as a runtime cuts lines. */
const PART = 16_384;
const Message = z.looseObject({ log: z.string() });

/** Lines of a runtime: a long line, and short ones around it. */
function linesAround(long: string): string[] {
  const short = (when: string) => Array.from({ length: COUNT }, (_, at) => `${when} ${at}`);
  return [...short("before"), long, ...short("after")].flatMap((text, number) => {
    const time = `2026-02-01T10:00:00.${String(number).padStart(9, "0")}Z`;
    const parts = text.match(new RegExp(`.{1,${PART}}`, "g")) ?? [];
    return parts.map((part, at) => `${time} stdout ${at + 1 === parts.length ? "F" : "P"} ${part}`);
  });
}

describe("Fluent Bit and a broker of Kafka", function () {
  this.timeout(120_000);
  const local = localFluentBit();
  const broker = findProgram("kfake") ?? "";
  before(function () {
    if (local === undefined) leaveOut(this, whyMissing("fluent-bit"));
    else if (broker === "") leaveOut(this, whyMissing("kfake"));
  });

  /** The lines that arrive. */
  async function sent(long: string): Promise<string[]> {
    assert.ok(local);
    const api = await Receiver.start();
    const port = await freePort();
    const fake = startBroker(broker, port);
    const destination = { kind: "kafka", brokers: [`127.0.0.1:${port}`], topic: TOPIC, tls: false };
    const sandbox = new Sandbox(local, { destination }, api.port);
    sandbox.write(POD, linesAround(long));
    const running = sandbox.start();
    try {
      for (let wait = 0; fake.messages().length < 2 * COUNT && wait < 60; wait += 1) await seconds(0.5);
      await seconds(2);
      return fake.messages().map((text) => Message.parse(JSON.parse(text)).log);
    } finally {
      await running.stop("SIGKILL");
      fake.stop();
      await api.stop();
      sandbox.remove();
    }
  }

  it("sends a line above the usual limit of 1 MB if it fits when compressed", async () => {
    const long = "x".repeat(1_500_000);
    const logs = await sent(long);
    assert.ok(logs.includes(long));
    assert.equal(new Set(logs).size, 2 * COUNT + 1);
  });

  it("loses of a line that the broker refuses that line alone", async () => {
    const logs = await sent(randomBytes(1_500_000).toString("base64"));
    assert.equal(logs.length, 2 * COUNT);
    assert.equal(new Set(logs).size, 2 * COUNT);
  });
});
