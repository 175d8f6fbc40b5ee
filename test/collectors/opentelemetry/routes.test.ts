import assert from "node:assert/strict";
import { destinationsOfLine, Route, selectionOf } from "../../../components/logging/routing/routes.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { ROUTED_LABELS, ROUTED_LINES, ROUTES } from "../../support/collectors/routed-lines.ts";
import { lokiTwiceAt, NAMES, routed, withOneAway } from "../../support/collectors/routes.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { type LocalOpenTelemetry, localOpenTelemetry } from "./local.ts";

/** MB/s of all containers together, and seconds of writing. */
const RATE = Number(process.env.ROUTES_RATE ?? 1);
const SECONDS = Number(process.env.ROUTES_SECONDS ?? 20);
let otelcol: LocalOpenTelemetry | undefined;

describe("OpenTelemetry Collector with three destinations", () => {
  before(async function () {
    otelcol = await localOpenTelemetry();
    if (otelcol !== undefined) return;
    leaveOut(this, whyMissing("otelcol"));
  });

  after(() => otelcol?.stop());

  for (const [at, mode] of (["away", "silent", "busy", "failing"] as const).entries()) {
    const name = NAMES[at % NAMES.length] ?? "search";
    it(`neither loses nor doubles a line elsewhere while one is away, and loses none there: ${name} ${mode}`, async function () {
      this.timeout(300_000);
      assert.ok(otelcol);
      const local = otelcol;
      // What falls silent is asked again sooner; where it only answers late, nothing changes.
      const hasty: LocalOpenTelemetry = {
        ...local,
        adapt: (text, place) =>
          local
            .adapt(text, place)
            .replaceAll("    encoding: json\n    endpoint", "    encoding: json\n    timeout: 10s\n    endpoint"),
      };
      const write = { files: 20, bytesPerSecond: RATE * 1e6, seconds: SECONDS };
      const { written, stats, lateSeconds, usualLateSeconds } = await withOneAway(hasty, name, mode, write, {
        after: SECONDS * 0.2,
        during: SECONDS * 0.3,
        at: lokiTwiceAt,
      });
      const counts = NAMES.map(
        (each) => `${each} lost ${written - stats[each].unique}, doubled ${stats[each].doubled}`,
      );
      process.stdout.write(
        `        ${written} written; ${counts.join("; ")}; ${lateSeconds.toFixed(1)} s late elsewhere, before ${usualLateSeconds.toFixed(1)}\n`,
      );
      for (const each of NAMES) assert.equal(written - stats[each].unique, 0, each);
      for (const each of NAMES.filter((other) => other !== name)) assert.equal(stats[each].doubled, 0, each);
      if (SECONDS >= 600) assert.ok(lateSeconds < 5, `${lateSeconds} s late`);
    });
  }
});

describe("OpenTelemetry Collector with routes", () => {
  let routing: LocalOpenTelemetry | undefined;
  before(async function () {
    routing = await localOpenTelemetry(ROUTED_LABELS);
    if (routing !== undefined) return;
    leaveOut(this, whyMissing("otelcol"));
  });

  after(() => routing?.stop());

  it("sends each line where the routes say, and nowhere else", async () => {
    assert.ok(routing);
    const lines = ROUTED_LINES.map(({ text, known }) => ({
      namespace: known.namespace,
      line: `2026-02-01T10:00:00.123456789Z ${known.stream} F ${text}`,
    }));
    const found = await routed(routing, ROUTES, ROUTED_LABELS, lines, lokiTwiceAt);
    const targets = NAMES.map((name) => ({
      name,
      sources: ["pods"] as const,
      selections: Route.array()
        .parse(ROUTES)
        .filter(({ to }) => to.includes(name))
        .map((route) => selectionOf(route, [])),
    }));
    for (const name of NAMES) {
      const wanted = ROUTED_LINES.filter(({ known }) => destinationsOfLine(targets, known).includes(name));
      assert.deepEqual([...found[name]].sort(), wanted.map(({ marker }) => marker).sort(), name);
    }
  });
});
