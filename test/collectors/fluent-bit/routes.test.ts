import assert from "node:assert/strict";
import { destinationsOfLine, Route, selectionOf } from "../../../components/logging/routing/routes.ts";
import { ROUTED_LABELS, ROUTED_LINES, ROUTES } from "../../support/collectors/routed-lines.ts";
import { NAMES, routed, withOneAway } from "../../support/collectors/routes.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

/** MB/s of all containers together, and seconds of writing: 10 and 600 for an outage of three minutes. */
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
      const { written, stats, lateSeconds, usualLateSeconds } = await withOneAway(hasty, name, mode, write, {
        after: SECONDS * 0.2,
        during: SECONDS * 0.3,
      });
      const counts = NAMES.map(
        (each) =>
          `${each} lost ${written - stats[each].unique}, doubled ${stats[each].doubled}, repeated ${stats[each].repeated}`,
      );
      process.stdout.write(
        `        ${written} written; ${counts.join("; ")}; ${lateSeconds.toFixed(1)} s late elsewhere, before ${usualLateSeconds.toFixed(1)}\n`,
      );
      for (const each of NAMES) assert.equal(written - stats[each].unique, 0, each);
      for (const each of NAMES.filter((other) => other !== name)) assert.equal(stats[each].doubled, 0, each);
      // In so short a time a machine that is busy with others is late without an outage too.
      if (SECONDS >= 600) assert.ok(lateSeconds < 5, `${lateSeconds} s late`);
    });
  }
});

describe("Fluent Bit with routes", () => {
  before(skipWithoutFluentBit);

  it("sends each line where the routes say, and nowhere else", async () => {
    const local = localFluentBit();
    assert.ok(local);
    const lines = ROUTED_LINES.map(({ marker, text, known }) => ({
      marker,
      known,
      namespace: known.namespace,
      line: `2026-02-01T10:00:00.123456789Z ${known.stream} F ${text}`,
    }));
    const found = await routed(local, ROUTES, ROUTED_LABELS, lines);
    const targets = NAMES.map((name) => ({
      name,
      sources: ["pods"] as const,
      selections: Route.array()
        .parse(ROUTES)
        .filter(({ to }) => to.includes(name))
        .map((route) => selectionOf(route, [])),
    }));
    for (const name of NAMES) {
      const wanted = lines.filter(({ known }) => destinationsOfLine(targets, known).includes(name));
      assert.ok(wanted.length > 0 && wanted.length < lines.length, name);
      assert.deepEqual([...found[name]].sort(), wanted.map(({ marker }) => marker).sort(), name);
    }
  });
});
