import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { z } from "zod";
import { REDACTION_KINDS } from "../../../components/logging/processing/redaction.ts";
import { seconds } from "../../support/collectors/losses.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
const PROCESSING = { redact: [...REDACTION_KINDS] };
/** As containerd divides. */
const PART = 16_384;

async function collecting(use: (sandbox: Sandbox, receiver: Receiver) => Promise<void>): Promise<void> {
  const local = localFluentBit();
  assert.ok(local);
  const receiver = await Receiver.start({ keep: 10_000 });
  const destination = { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false };
  const sandbox = new Sandbox(local, { destination, processing: PROCESSING }, receiver.port);
  try {
    await use(sandbox, receiver);
  } finally {
    await receiver.stop();
    sandbox.remove();
  }
}

async function kept(receiver: Receiver, wanted: number) {
  let found = await receiver.kept();
  for (let wait = 0; found.length < wanted && wait < 120; wait += 1) {
    await seconds(0.5);
    found = await receiver.kept();
  }
  return found;
}

describe("Redaction by Fluent Bit", () => {
  before(skipWithoutFluentBit);

  it("gives a line that is read again the same id, so that none is stored twice", async () => {
    const count = 500;
    const lines = Array.from({ length: count }, (_, at) => {
      const time = `2026-02-01T10:00:00.${String(at).padStart(9, "0")}Z`;
      return `${time} stdout F {"user":"u${at}@example.com","n":${at}}`;
    });
    await collecting(async (sandbox, receiver) => {
      sandbox.write(POD, lines);
      for (const start of [1, 2, 3]) {
        const running = sandbox.start();
        const found = await kept(receiver, start * count);
        await running.stop("SIGKILL");
        assert.equal(found.length, start * count);
        // As if it had been killed before it noted where it was.
        rmSync(sandbox.state, { recursive: true });
      }
      const found = await receiver.kept();
      assert.equal(found.filter(({ log }) => log.includes("[REDACTED:email]")).length, 3 * count);
      assert.equal(new Set(found.map(({ id }) => id)).size, count);
      assert.ok(found.every(({ json }) => !json.includes('"redacted"')));
    });
  });

  it("masks both halves of a secret at a cut, if the end of a line came too late", async () => {
    const secret = "sk_live_4242abcdefgh4242ABCD";
    const begin = `${"a ".repeat(PART / 2)}key ${secret.slice(0, 12)}`.slice(-PART);
    const [first, second] = ["2026-02-01T10:00:00.1Z", "2026-02-01T10:00:00.2Z"];
    await collecting(async (sandbox, receiver) => {
      sandbox.write(POD, [`${first} stdout P ${begin}`]);
      const running = sandbox.start();
      await kept(receiver, 1);
      sandbox.write(POD, [`${second} stdout F ${secret.slice(12)} and more`, `${second} stdout F whole again`]);
      const logs = (await kept(receiver, 3)).map(
        ({ json }) => z.object({ log: z.string() }).parse(JSON.parse(json)).log,
      );
      await running.stop("SIGKILL");
      assert.equal(logs.length, 3);
      assert.equal(
        logs.filter((log) => /sk_live|ABCD/.test(log)).length,
        0,
        logs.map((log) => log.slice(-99)).join("\n"),
      );
      assert.equal(logs.filter((log) => log.endsWith("a key [REDACTED:cut]")).length, 1);
      assert.deepEqual(logs.filter((log) => log.length < 99).sort(), ["[REDACTED:cut] and more", "whole again"]);
    });
  });
});
