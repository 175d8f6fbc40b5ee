import assert from "node:assert/strict";
import { dirname } from "node:path";
import { answering, killed } from "../../support/collectors/events.ts";
import { changed, type Outcome, type Trial, type TrialChanges, tryOut } from "../../support/collectors/losses.ts";
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

describe(`Vector loses nothing at ${RATE} MB/s, in cases of its own`, () => {
  before(async function () {
    local = await localVector();
    if (local !== undefined) return;
    leaveOut(this, whyNoVector());
  });
  after(() => local?.stop());

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
