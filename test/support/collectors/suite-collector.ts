import assert from "node:assert/strict";
import { leaveOut } from "../leave-out.ts";
import { changed, type Outcome, type Trial, type TrialChanges, tryOut } from "./losses.ts";
import type { LocalCollector } from "./sandbox.ts";

/**
 * A collector of this machine, for the suites of a file.
 * @param start Finds and starts it.
 * @param why Why it is missing where there is none.
 */
export function suiteCollector<L extends LocalCollector & { stop(): void }>(
  start: () => Promise<L | undefined>,
  why: () => string,
) {
  let local: L | undefined;
  /** The collector, in a suite that uses it. */
  const found = (): L => {
    assert.ok(local);
    return local;
  };
  return {
    found,
    /** Starts it for the suite around and stops it afterwards; where it is missing, the suite is left out. */
    use(): void {
      before(async function () {
        local = await start();
        if (local === undefined) leaveOut(this, why());
      });
      after(() => local?.stop());
    },
    /** Runs a suite's usual trial with a test's changes. */
    trials:
      (usual: Trial) =>
      (changes: TrialChanges, as: LocalCollector = found()): Promise<Outcome> =>
        tryOut(as, changed(usual, changes)),
  };
}
