import assert from "node:assert/strict";
import { answering, killed, restartedWhileAway, stopped } from "../../support/collectors/events.ts";
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
/** Until it reads: it waits for the pods. */
const STARTED = 7;

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

describe(`Filebeat loses nothing at ${RATE} MB/s`, () => {
  before(async function () {
    filebeat = await localFilebeat();
    if (filebeat === undefined) leaveOut(this, whyMissing("filebeat"));
  });
  after(() => filebeat?.stop());

  const trials: Readonly<Record<string, TrialChanges>> = {
    "with files rotated under it": {},
    "from a hundred pods that start at once": { write: { files: 100, ownPods: true } },
    "with the destination away": { meanwhile: answering("away", { after: STARTED, during: 10 }) },
    "with the destination at 429": { meanwhile: answering("busy", { after: STARTED, during: 8 }) },
    "with the destination at 503": { meanwhile: answering("failing", { after: STARTED, during: 8 }) },
    "with a part of each third bulk refused for now": {
      meanwhile: answering("partial", { after: STARTED, during: 10 }),
    },
    "but the documents that are refused for good": { write: { poisonEvery: 500 } },
    "stopped and started again": {
      meanwhile: stopped({ after: STARTED + 3, pause: 1 }),
    },
    "killed and started again": {
      meanwhile: killed(STARTED + 3),
    },
    // It tries on until it is killed.
    "stopped while the destination is down": {
      write: { seconds: 34 },
      meanwhile: restartedWhileAway("SIGTERM", { after: STARTED, away: 4, pause: 1 }),
    },
  };
  for (const [name, trial] of Object.entries(trials)) {
    it(name, async () => {
      const { lost, stats } = await run(trial);
      assert.deepEqual([lost, stats.doubled, stats.collided], [0, 0, 0]);
    });
  }

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
