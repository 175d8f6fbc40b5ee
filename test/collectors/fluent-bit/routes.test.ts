import assert from "node:assert/strict";
import { NAMES, withOneAway } from "../../support/collectors/routes.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

/** MB/s of all containers together, and seconds of writing; with 10 and 600 it is what docs/measurements/log-delivery.md says. */
const RATE = Number(process.env.ROUTES_RATE ?? 1);
const SECONDS = Number(process.env.ROUTES_SECONDS ?? 20);

describe("Fluent Bit with three destinations, one of them away", () => {
  before(skipWithoutFluentBit);

  for (const [at, mode] of (["away", "silent", "busy", "failing"] as const).entries()) {
    const name = NAMES[at % NAMES.length] ?? "search";
    it(`neither loses nor doubles a line elsewhere, and loses none there: ${name} ${mode}`, async () => {
      const local = localFluentBit();
      assert.ok(local);
      // What falls silent is asked again sooner; where it only answers late, nothing changes.
      const hasty = {
        ...local,
        adapt: (text: string, place: Parameters<typeof local.adapt>[1]) => {
          const adapted = local.adapt(text, place);
          return mode === "silent" && adapted.includes(`- name: ${name}\n`)
            ? adapted.replaceAll("net.io_timeout: 90s", "net.io_timeout: 10s")
            : adapted;
        },
      };
      const write = { files: 20, bytesPerSecond: RATE * 1e6, seconds: SECONDS };
      const { written, stats, lagSeconds, usualLagSeconds } = await withOneAway(hasty, name, mode, write, {
        after: SECONDS * 0.2,
        during: SECONDS * 0.3,
      });
      const counts = NAMES.map(
        (each) =>
          `${each} lost ${written - stats[each].unique}, doubled ${stats[each].doubled}, repeated ${stats[each].repeated}`,
      );
      process.stdout.write(
        `        ${written} written; ${counts.join("; ")}; ${lagSeconds.toFixed(1)} s late elsewhere, before ${usualLagSeconds.toFixed(1)}\n`,
      );
      for (const each of NAMES) assert.equal(written - stats[each].unique, 0, each);
      for (const each of NAMES.filter((other) => other !== name)) assert.equal(stats[each].doubled, 0, each);
      // A machine that is busy with others is late without an outage too.
      assert.ok(lagSeconds < usualLagSeconds + 5, `${lagSeconds} s late`);
    });
  }
});
