import assert from "node:assert/strict";
import { answering, killed, restartedWhileAway } from "../../support/collectors/events.ts";
import type { Trial } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { REFUSALS } from "../../support/collectors/receiver.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { ELASTICSEARCH, localOpenTelemetry } from "./local.ts";

/** MB/s of all containers together. At 10, beside other work, it comes behind the rotation. */
const RATE = Number(process.env.LOG_RATE ?? 5);
const KILLED_THRICE = killed(2.3, 2.6, 2.9);
const otelcol = suiteCollector(localOpenTelemetry, () => whyMissing("otelcol"));

const USUAL: Trial = {
  settings: { destination: ELASTICSEARCH, buffer: { whenFull: "block" } },
  // Few enough that each is rotated again and again.
  write: { files: 3, bytesPerSecond: RATE * 1e6, seconds: 10 },
};

const run = otelcol.trials(USUAL);

describe(`OpenTelemetry Collector loses nothing at ${RATE} MB/s, in special cases`, () => {
  otelcol.use();

  it("killed at a low rate, without joined traces", async () => {
    const { lost, stats } = await run({
      write: { bytesPerSecond: 50_000 },
      settings: { multiline: [] },
      meanwhile: KILLED_THRICE,
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  for (const [title, changes] of [
    ["killed", { meanwhile: KILLED_THRICE }],
    [
      "killed while the destination is down",
      { meanwhile: restartedWhileAway("SIGKILL", { after: 2, away: 3, pause: 2 }), quietSeconds: 35 },
    ],
  ] as const)
    it(`${title}, without joined traces`, async () => {
      const { lost, stats } = await run({ settings: { multiline: [] }, ...changes });
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });

  for (const mode of ["moved", "unauthorized"] as const)
    it(`with an answer ${REFUSALS[mode]} for a while`, async () => {
      const { lost, stats } = await run({
        write: { bytesPerSecond: 50_000 },
        meanwhile: answering(mode, { after: 2, during: 5 }),
        quietSeconds: 20,
      });
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });

  it("except a line of each file, killed at a low rate with joined traces", async () => {
    const { lost, stats } = await run({ write: { bytesPerSecond: 50_000 }, meanwhile: KILLED_THRICE });
    assert.ok(lost <= 30, `${lost}`);
    assert.equal(stats.doubled, 0);
  });
});
