import assert from "node:assert/strict";
import { changed, type TrialChanges, tryOut } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { ANSWERS, BEHAVIORS, type Behavior } from "./losses-row.ts";
import { TABLE } from "./losses-table.ts";

const TITLES: Readonly<Record<Behavior, string>> = {
  rotation: "with files rotated under it",
  newPods: "from new pods that start at once",
  away: "with the destination down",
  busy: "with the destination at 429",
  failing: "with the destination at 503",
  partial: "with a part of the documents refused for now",
  forgetful: "with documents that are there already, since their answer was lost",
  refused: "but the documents that are refused for good, which hold up no other",
  stopped: "stopped and started again",
  stoppedInRotation: "stopped while a file is rotated away",
  stoppedWhileAway: "stopped while the destination is down",
  killed: "killed and started again",
  killedWhileAway: "killed while the destination is down",
};

for (const { program, rate, start, whyNot, usual, targets, behaviors } of TABLE) {
  for (const [name, target] of Object.entries(targets)) {
    const megabytes = target.rate ?? rate;
    describe(`${program} to ${name} loses nothing at ${megabytes} MB/s`, () => {
      let local: (LocalCollector & { stop?(): void }) | undefined;
      before(async function () {
        local = await (target.start ?? start)();
        if (local === undefined) leaveOut(this, (target.whyNot ?? whyNot)?.() ?? whyMissing(program));
      });
      after(() => local?.stop?.());

      for (const behavior of BEHAVIORS) {
        const isAnswer = ANSWERS.some((answer) => answer === behavior);
        if (target.only === "answers" && !isAnswer) continue;
        if (target.only === "all but partial answers" && (behavior === "partial" || behavior === "forgetful")) continue;
        const cell = behaviors[behavior];
        const expected = typeof cell === "string" ? "" : expectation(cell);
        it(`${TITLES[behavior]}${expected}`, async function () {
          if (typeof cell === "string") return leaveOut(this, cell);
          assert.ok(local);
          const { trial, maxLost = 0, exact = false, twice = false, minRotations = 0 } = cell;
          const rated = { ...usual, write: { ...usual.write, bytesPerSecond: megabytes * 1e6 } };
          const there: TrialChanges = target.settings === undefined ? {} : { settings: target.settings };
          const quiet = target.quietSeconds === undefined ? {} : { quietSeconds: target.quietSeconds };
          const outcome = await tryOut(local, changed(changed(rated, { ...there, ...quiet }), trial));
          const { lost, stats, written, rotations } = outcome;
          assert.ok(written > 0);
          assert.ok(lost <= maxLost, `${lost} lost`);
          assert.ok(rotations >= minRotations, `${rotations} rotations`);
          // Without ids a line that is sent again is stored again.
          if (target.hasIds && !twice) assert.deepEqual([stats.doubled, stats.collided], [0, 0]);
          if (target.hasIds && exact) assert.equal(stats.repeated, 0);
        });
      }
    });
  }
}

function expectation({ maxLost = 0, twice = false }: { maxLost?: number; twice?: boolean }): string {
  return `${maxLost > 0 ? `, at most ${maxLost} lines lost` : ""}${twice ? ", lines may come twice" : ""}`;
}
