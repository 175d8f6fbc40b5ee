import assert from "node:assert/strict";
import { answering } from "../support/collectors/events.ts";
import { changed, tryOut } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { TABLE } from "./losses-table.ts";

/** Longer than a minute, which many programs wait for an answer, or try again for, and then drop what they could not send. */
const SECONDS = Number(process.env.OUTAGE_SECONDS ?? 100);
const WRITE = { files: 3, bytesPerSecond: 50_000, seconds: SECONDS + 20 };
const MODES = ["away", "silent", "busy", "failing"] as const;
/** Its exporter for Elasticsearch has one time limit for a request with all its retries, which is longer than an outage. */
const WAITS_FOR_AN_ANSWER = ["otelcol"];

for (const { program, start, whyNot, usual, targets } of TABLE)
  for (const [name, target] of Object.entries(targets))
    describe(`${program} to ${name} loses nothing in ${SECONDS} s of outage`, function () {
      // Between two retries it may wait as long again.
      this.timeout((3 * SECONDS + 600) * 1000);
      let local: (LocalCollector & { stop?(): void }) | undefined;
      before(async function () {
        local = await (target.start ?? start)();
        if (local === undefined) leaveOut(this, (target.whyNot ?? whyNot)?.() ?? whyMissing(program));
      });
      after(() => local?.stop?.());

      it(`of ${MODES.join(", ")}`, async () => {
        const lost = MODES.map(async (wanted) => {
          const mode = wanted === "silent" && WAITS_FOR_AN_ANSWER.includes(program) ? "hung" : wanted;
          assert.ok(local);
          const trial = changed(
            { ...usual, write: WRITE },
            {
              ...(target.settings === undefined ? {} : { settings: target.settings }),
              onceItReads: true,
              meanwhile: answering(mode, { after: 5, during: SECONDS }),
              quietSeconds: SECONDS + 60,
            },
          );
          const { written, lost } = await tryOut(local, trial);
          assert.ok(written > 0);
          return [wanted, lost] as const;
        });
        assert.deepEqual(Object.fromEntries(await Promise.all(lost)), { away: 0, silent: 0, busy: 0, failing: 0 });
      });
    });
