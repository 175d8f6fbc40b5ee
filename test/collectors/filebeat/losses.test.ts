import assert from "node:assert/strict";
import {
  changed,
  type Outcome,
  seconds,
  type Trial,
  type TrialChanges,
  tryOut,
} from "../../support/collectors/losses.ts";
import { waitingBytes } from "../../support/collectors/measures.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { ELASTICSEARCH, type LocalFilebeat, localFilebeat } from "./local.ts";

/** MB/s of all containers together. */
const RATE = Number(process.env.LOG_RATE ?? 2);

let filebeat: LocalFilebeat | undefined;

const USUAL: Trial = {
  quietSeconds: 45,
  settings: { destination: ELASTICSEARCH },
  // The kubelet looks every ten seconds whether a file is large enough.
  write: { files: 2, bytesPerSecond: RATE * 1e6, seconds: 24, rotationSeconds: 10 },
};

async function run(changes: TrialChanges): Promise<Outcome> {
  assert.ok(filebeat);
  return tryOut(filebeat, changed(USUAL, changes));
}

describe(`Filebeat loses nothing at ${RATE} MB/s, in special cases`, () => {
  before(async function () {
    filebeat = await localFilebeat();
    if (filebeat === undefined) leaveOut(this, whyMissing("filebeat"));
  });
  after(() => filebeat?.stop());

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
