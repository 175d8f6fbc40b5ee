import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { killed } from "../../support/collectors/events.ts";
import { seconds, type Trial } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { localFluentd } from "./local.ts";

/** MB/s of all containers together: Ruby runs on one core, which it shares here. */
const RATE = Number(process.env.LOG_RATE ?? 1);
const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));

const USUAL: Trial = {
  onceItReads: true,
  quietSeconds: 40,
  write: { files: 10, bytesPerSecond: RATE * 1e6, seconds: 10 },
};

const run = fluentd.trials(USUAL);

describe(`Fluentd loses nothing at ${RATE} MB/s, in special cases`, () => {
  fluentd.use();

  it("with more input than it can read for a while, and files rotated as often as the kubelet does", async function () {
    // It reads 520 MB, on a busy machine for longer than the suite's limit.
    this.timeout(900_000);
    const write = { files: 4, bytesPerSecond: RATE * 20e6, seconds: 26, rotationSeconds: 10 };
    const { lost, stats } = await run({ write, quietSeconds: 60 });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("killed and restarted three times at a low rate, when a line of each file waits for the next", async () => {
    const { lost, stats } = await run({
      write: { bytesPerSecond: 50_000, seconds: 20 },
      meanwhile: killed(5.3, 5.6, 5.9),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("killed twelve times, each before it has sent what it held at the previous kill", async () => {
    const { lost, stats } = await run({
      write: { seconds: 40 },
      meanwhile: async ({ restart, sandbox }) => {
        const journal = join(sandbox.state, "held");
        while (!existsSync(journal)) await seconds(0.1);
        await seconds(5);
        for (let kill = 0; kill < 12; kill += 1) {
          const { ino } = statSync(journal);
          await restart("SIGKILL");
          const isNew = () => statSync(journal).ino !== ino && statSync(journal).size > 0;
          while (!isNew()) await seconds(0.02);
          await seconds(kill / 50);
        }
      },
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });
});
