import assert from "node:assert/strict";
import { answering } from "../support/collectors/events.ts";
import { changed, tryOut } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
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

      it(`of ${MODES.join(", ")}`, async function () {
        // One for each: what leads to the receiver may know one port alone.
        const locals = await Promise.all(MODES.map(async (mode) => ({ mode, local: await (target.start ?? start)() })));
        const found = locals.flatMap(({ mode, local }) => (local === undefined ? [] : [{ mode, local }]));
        if (found.length === 0) return leaveOut(this, (target.whyNot ?? whyNot)?.() ?? whyMissing(program));
        const lost = found.map(async ({ mode, local }) => {
          const hangs = mode === "silent" && WAITS_FOR_AN_ANSWER.includes(program);
          const trial = changed(
            { ...usual, write: WRITE },
            {
              ...(target.settings === undefined ? {} : { settings: target.settings }),
              onceItReads: true,
              meanwhile: answering(hangs ? "hung" : mode, { after: 5, during: SECONDS }),
              quietSeconds: SECONDS + 60,
            },
          );
          const { written, lost } = await tryOut(local, trial);
          assert.ok(written > 0);
          return [mode, lost] as const;
        });
        try {
          assert.deepEqual(Object.fromEntries(await Promise.all(lost)), { away: 0, silent: 0, busy: 0, failing: 0 });
        } finally {
          for (const { local } of found) local.stop?.();
        }
      });
    });
