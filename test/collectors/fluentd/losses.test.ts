import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { answering, killed, newPods, restartedWhileAway, stopped } from "../../support/collectors/events.ts";
import {
  changed,
  type Outcome,
  SEARCH_ENGINES,
  searchEngine,
  seconds,
  type Trial,
  type TrialChanges,
  tryOut,
} from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { type LocalFluentd, localFluentd } from "./local.ts";

/** MB/s of all containers together: Ruby runs on one core, which it shares here. */
const RATE = Number(process.env.LOG_RATE ?? 1);
let fluentd: LocalFluentd | undefined;

const USUAL: Trial = { quietSeconds: 40, write: { files: 10, bytesPerSecond: RATE * 1e6, seconds: 10 } };

async function run(changes: TrialChanges): Promise<Outcome> {
  assert.ok(fluentd);
  return tryOut(fluentd, changed(USUAL, changes));
}

describe(`Fluentd loses nothing at ${RATE} MB/s`, () => {
  before(async function () {
    fluentd = await localFluentd();
    if (fluentd !== undefined) return;
    leaveOut(this, whyMissing("fluentd"));
  });
  after(() => fluentd?.stop());

  it("with a file rotated under it", async () => {
    const { lost, stats } = await run({ write: { files: 1, seconds: 25 / RATE } });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("with more written than it can read for a while, and files rotated as often as the kubelet does", async () => {
    const write = { files: 4, bytesPerSecond: RATE * 20e6, seconds: 26, rotationSeconds: 10 };
    const { lost, stats } = await run({ write, quietSeconds: 60 });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("with a hundred new pods at once", async () => {
    const { lost, stats } = await run({
      meanwhile: newPods(100, { bytesPerSecond: 3e5, during: 3 }),
    });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  for (const kind of SEARCH_ENGINES) {
    for (const mode of ["away", "busy", "failing", "partial"] as const) {
      it(`with ${kind} ${mode} for a while`, async () => {
        const { lost, stats } = await run({
          settings: searchEngine(kind),
          write: { seconds: 15 },
          meanwhile: answering(mode, { after: 3, during: 8 }),
        });
        assert.deepEqual([lost, stats.doubled], [0, 0]);
      });
    }
  }

  it("but the documents that are refused for good, which hold up no other", async () => {
    const { lost, stats } = await run({ write: { poisonEvery: 500 } });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped and started again", async () => {
    const { lost, stats } = await run({
      meanwhile: stopped({ after: 6, pause: 2 }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped while a file is rotated away", async () => {
    const { lost, stats } = await run({
      write: { files: 1, seconds: 16 / RATE },
      // The file is rotated at 10 MiB, while Fluentd is away.
      meanwhile: stopped({ after: 8 / RATE, pause: 4 / RATE }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped while the destination is down", async () => {
    const { lost, stats } = await run({
      meanwhile: restartedWhileAway("SIGTERM", { after: 4, away: 3, pause: 2 }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  for (const [what, bytesPerSecond] of [
    ["while much is written", RATE * 1e6],
    ["while little is written, and so a line of each file waits for the next", 50_000],
  ] as const) {
    it(`killed and started again, three times, ${what}`, async () => {
      const { lost, stats } = await run({
        write: { bytesPerSecond, seconds: 20 },
        meanwhile: killed(5.3, 5.6, 5.9),
      });
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });
  }

  it("killed twelve times, each before it has sent what it held at the kill before", async () => {
    const { lost, stats } = await run({
      write: { seconds: 40 },
      meanwhile: async ({ restart, sandbox }) => {
        const journal = join(sandbox.state, "held");
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
