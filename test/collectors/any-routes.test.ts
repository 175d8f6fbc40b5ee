import assert from "node:assert/strict";
import fc from "fast-check";
import { LEVEL_NAMES } from "../../components/logging/routing/routes.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import { checkLogging } from "../../components/logging/validation.ts";
import { anyFormat, anyLogging } from "../components/logging/arbitraries.ts";
import { findProgram, readsJournal, whyMissing } from "../support/collectors/program.ts";
import { leaveOut } from "../support/leave-out.ts";
import { anyProcessing, complaint, destinationsFor, fitting, READERS } from "./readers.ts";

/** Random sets of destinations and routes; each is read by the program, by each of its containers. */
const RUNS = 25;

const NAMES = ["a", "team-logs", "x1", "opensearch"] as const;
const word = fc.constantFrom("ts-team", "shop", "kube-system");

/** Those that a collector reads on its node. */
const NODE_SOURCES = ["pods", "kubelet", "containerd", "kernel", "auth"] as const;

/** A list with one to all of these. */
const someOf = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 });

const anyRoute = fc.record(
  {
    to: someOf(NAMES),
    sources: someOf(NODE_SOURCES),
    teams: someOf(["ts", "sa"]),
    namespaces: fc.uniqueArray(word, { minLength: 1 }),
    labels: fc.constantFrom({ "app.kubernetes.io/name": "a.b" }, { app: "1e3", tier: "on" }),
    streams: someOf(["stdout", "stderr"]),
    levels: someOf(LEVEL_NAMES),
  },
  { requiredKeys: ["to"] },
);

for (const reader of READERS) {
  const { collector, program } = reader;
  if (collector.routes !== true) continue;
  const fit = destinationsFor(collector);
  const anyDestination = fc
    .record(
      { base: fc.constantFrom(...fit), index: anyFormat, size: fc.constantFrom("300Mi", "4Gi") },
      { requiredKeys: ["base"] },
    )
    .map(({ base, index, size }) => ({
      ...base,
      ...(size === undefined ? {} : { buffer: { size } }),
      ...(index === undefined || !["opensearch", "elasticsearch"].includes(String(base.kind)) ? {} : { index }),
    }));

  describe(`${collector.title} accepts any routes`, () => {
    before(function () {
      if (findProgram(program) === undefined) leaveOut(this, whyMissing(program));
    });

    it("to up to four destinations, in each of its containers", () => {
      const sources = readsJournal(program) ? NODE_SOURCES : NODE_SOURCES.slice(0, 1);
      let read = 0;
      const property = fc.property(
        fc.array(anyDestination, { minLength: 2, maxLength: 4 }),
        fc.array(anyRoute, { maxLength: 4 }),
        anyLogging,
        anyProcessing,
        (chosen, routes, logging, processing) => {
          const destinations: Readonly<Record<string, object>> = Object.fromEntries(
            chosen.map((one, at) => [NAMES[at] ?? "", one]),
          );
          const known = routes
            .map((route) => ({
              ...route,
              to: route.to.filter((name) => name in destinations),
              ...(route.sources && { sources: route.sources.filter((source) => sources.includes(source)) }),
            }))
            .filter(({ to, sources: of }) => to.length > 0 && of?.length !== 0);
          const led = new Set<string>(known.flatMap(({ to }) => to));
          const all = {
            ...logging,
            processing,
            collector: collector.id,
            sources: [...sources],
            destinations: Object.fromEntries(
              Object.entries(destinations).filter(([name]) => known.length === 0 || led.has(name)),
            ),
            routes: known,
          };
          const parsed = LoggingSettings.safeParse(all);
          assert.ok(parsed.success, String(parsed.error));
          // One place twice, or a rule that no line meets: the plan ends with it.
          const errors = checkLogging(parsed.data, "eks").filter(({ severity }) => severity !== "warning");
          fc.pre(!errors.some(({ path }) => ["destinations", "routes"].includes(String(path[0]))));
          read += 1;
          assert.equal(complaint(reader, fitting(all)), "");
        },
      );
      fc.assert(property, { numRuns: RUNS, endOnFailure: true });
      assert.ok(read >= RUNS);
    }).timeout(600_000);
  });
}
