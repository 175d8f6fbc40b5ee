import assert from "node:assert/strict";
import { seconds, type Trial } from "../../support/collectors/losses.ts";
import { waitingBytes } from "../../support/collectors/measures.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { ELASTICSEARCH, localFilebeat } from "./local.ts";

/** MB/s of all containers together. */
const RATE = Number(process.env.LOG_RATE ?? 2);

const filebeat = suiteCollector(localFilebeat, () => whyMissing("filebeat"));

const USUAL: Trial = {
  quietSeconds: 45,
  settings: { destination: ELASTICSEARCH },
  // The kubelet looks every ten seconds whether a file is large enough.
  write: { files: 2, bytesPerSecond: RATE * 1e6, seconds: 24, rotationSeconds: 10 },
};

const run = filebeat.trials(USUAL);

describe(`Filebeat loses nothing at ${RATE} MB/s, in special cases`, () => {
  filebeat.use();

  it("with its queue full, which keeps to its size", async () => {
    const { lost, stats } = await run({
      settings: { buffer: { size: "64Mi" } },
      write: { seconds: 60 / RATE, rotationSeconds: 20 / RATE },
      meanwhile: async ({ set, sandbox }) => {
        set("away");
        await seconds(60 / RATE);
        const waiting = waitingBytes(sandbox.state, "diskqueue");
        assert.ok(waiting > 50e6 && waiting <= 64 * 2 ** 20, `${waiting} bytes`);
        set("take");
      },
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });
});
