import assert from "node:assert/strict";
import { dirname } from "node:path";
import { answering, killed, newPods, restartedWhileAway, stopped } from "../../support/collectors/events.ts";
import {
  changed,
  type Outcome,
  SEARCH_ENGINES,
  searchEngine,
  type Trial,
  type TrialChanges,
  tryOut,
} from "../../support/collectors/losses.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { type LocalVector, localVector, whyNoVector } from "./local.ts";

/** MB/s of all containers together: little, for builds of Vector without optimisation. */
const RATE = Number(process.env.LOG_RATE ?? 1);
/** Lines that wait for the next one, which may continue them: one of each file. */
const FILES = 10;

let local: LocalVector | undefined;

const USUAL: Trial = {
  quietSeconds: 40,
  settings: { buffer: { whenFull: "block" } },
  write: { files: FILES, bytesPerSecond: RATE * 1e6, seconds: 10 },
};

async function run(changes: TrialChanges, as: LocalCollector | undefined = local): Promise<Outcome> {
  assert.ok(as);
  return tryOut(as, changed(USUAL, changes));
}

describe(`Vector loses nothing at ${RATE} MB/s`, () => {
  before(async function () {
    local = await localVector();
    if (local !== undefined) return;
    leaveOut(this, whyNoVector());
  });
  after(() => local?.stop());

  it("with a file rotated under it", async () => {
    const { lost, stats } = await run({ write: { files: 1, seconds: 25 / RATE } });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("with thirty new pods at once", async () => {
    const { lost, stats } = await run({
      meanwhile: newPods(30, { bytesPerSecond: 3e5, during: 2 }),
    });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("with the destination away for a while", async () => {
    const { lost, stats } = await run({
      meanwhile: answering("away", { after: 3, during: 15 }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  for (const kind of SEARCH_ENGINES) {
    for (const mode of ["busy", "failing", "partial"] as const) {
      it(`with ${kind} ${mode}`, async () => {
        const { lost, stats } = await run({
          settings: searchEngine(kind),
          meanwhile: answering(mode, { after: 2, during: 6 }),
        });
        assert.deepEqual([lost, stats.doubled], [0, 0]);
      });
    }
  }

  const others = {
    http: (port: number) => ({ kind: "http", url: `http://127.0.0.1:${port}/in` }),
    s3: () => ({ kind: "s3" }),
  };
  for (const [kind, destination] of Object.entries(others)) {
    it(`with access to ${kind} denied for a while, which keeps no ids`, async () => {
      const { lost, stats } = await run({
        settings: (port) => ({ destination: destination(port) }),
        meanwhile: answering("denied", { after: 2, during: 6 }),
      });
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });
  }

  it("but the documents that are refused for good, which hold up no other", async () => {
    const { lost, stats } = await run({ write: { poisonEvery: 500 } });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped and started again", async () => {
    const { lost, stats } = await run({
      meanwhile: stopped({ after: 4, pause: 2 }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped while a file is rotated away", async () => {
    const { lost, stats } = await run({
      write: { files: 1, seconds: 16 / RATE },
      // The file is rotated at 10 MiB, while Vector is away.
      meanwhile: stopped({ after: 8 / RATE, pause: 4 / RATE }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped while the destination is down", async () => {
    const { lost, stats } = await run({
      meanwhile: restartedWhileAway("SIGTERM", { after: 2, away: 3, pause: 2 }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("killed and started again, but what was on its way to the buffer", async () => {
    const { lost, stats } = await run({ meanwhile: killed(4) });
    // Its source of pods notes a place when it reads and not when the line is safe; the file source of a sidecar does better.
    assert.ok(lost <= 5 * FILES, `${lost} lost`);
    assert.equal(stats.doubled, 0);
  });

  it("killed and started again as a sidecar, whose source takes acknowledgements", async () => {
    assert.ok(local);
    const vector = local;
    // The writer's files stand for the application's.
    const sidecar: LocalCollector = {
      ...vector,
      adapt: (text, place) =>
        vector.adapt(text, place).replace(/include:\n.*\n/, `include: ["${dirname(place.token)}/pods/*/*/*.log"]\n`),
    };
    const { lost } = await run(
      {
        settings: { mode: "sidecar" },
        meanwhile: killed(4),
      },
      sidecar,
    );
    // Read again, a line has another time and so another id: it may stand twice.
    assert.equal(lost, 0);
  });
});
