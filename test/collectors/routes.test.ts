import assert from "node:assert/strict";
import fc from "fast-check";
import {
  destinationsOfLine,
  LEVEL_NAMES,
  Route,
  type RoutedLine,
  selectionOf,
} from "../../components/logging/routing/routes.ts";
import { whyMissing } from "../support/collectors/program.ts";
import type { ReceiverMode } from "../support/collectors/receiver.ts";
import { ROUTED_LABELS, ROUTED_LINES, ROUTES } from "../support/collectors/routed-lines.ts";
import { lokiTwiceAt, NAMES, type Name, type Outage, routed, withOneAway } from "../support/collectors/routes.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { localVector } from "./vector/local.ts";

/** MB/s of all containers together, and seconds of writing: 10 and 600 for an outage of three minutes. */
const RATE = Number(process.env.ROUTES_RATE ?? 1);
const SECONDS = Number(process.env.ROUTES_SECONDS ?? 20);
/** Length of a line in bytes. */
const LINE_BYTES = Number(process.env.ROUTES_LINE_BYTES ?? 290);

/** First seed of the random routes; each run has its own. */
const SEED = Number(process.env.ROUTES_SEED ?? Date.now() % 1_000_000);
/** Random sets of routes for each collector: 14 of them were compared once. */
const SETS = Number(process.env.ROUTES_SETS ?? 2);

const TEAMS = [{ name: "ts" }, { name: "sa" }];
const LABELS = { ...ROUTED_LABELS, "a.b/c_d": "1e3", on: "true" };
const someOf = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 });

const anyRoute = fc
  .record(
    {
      to: someOf(NAMES),
      teams: someOf(["ts", "sa"]),
      namespaces: someOf(["ts-team", "shop", "kube-system", "x-y"]),
      labels: fc.constantFrom(
        { tier: "web" },
        { tier: "w" },
        { "a.b/c_d": "1e3" },
        { on: "true", "app.kubernetes.io/name": "shop" },
        { missing: "x" },
      ),
      streams: someOf(["stdout", "stderr"]),
      levels: someOf(LEVEL_NAMES),
    },
    { requiredKeys: ["to"] },
  )
  // A route that no line can take is refused.
  .filter((route) => selectionOf(Route.parse(route), TEAMS).namespaces?.length !== 0);

/** Among them one by level alone, which nothing else hides. */
const anyRoutes = fc
  .tuple(
    fc.array(anyRoute, { minLength: 1, maxLength: 4 }),
    fc.record({ to: someOf(NAMES), levels: someOf(LEVEL_NAMES) }),
  )
  .map(([others, byLevel]) => [...others, byLevel]);

/** Lines that each destination gets last: a single one may wait in Vector's buffer for the next two. */
const LAST = { namespace: "last", count: 3 };

const anyWord = fc.oneof(
  fc.constantFrom("info", "Notice", "DEBUG", "trace", "Warning", "err", "ERROR", "critical", "panic", "SEVERE"),
  fc.constantFrom("errors", "", " error", "error ", "\u0130nfo", "\u017fevere", 50, 1.5, null, true, ["error"], {
    error: 1,
  }),
);
const anyLine = fc.record({
  namespace: fc.constantFrom("ts-team", "sa-team", "shop", "kube-system", "x-y", "team", "other-team"),
  stream: fc.constantFrom("stdout", "stderr"),
  fields: fc.option(
    fc.record(
      { level: anyWord, severity: anyWord, Level: anyWord, msg: fc.constantFrom("level=error", '{"level":"error"}') },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  ),
});

/** Lines with a marker that each is found by. */
function anyLines(seed: number): { readonly marker: string; readonly text: string; readonly known: RoutedLine }[] {
  return fc.sample(anyLine, { numRuns: 300, seed }).map(({ namespace, stream, fields }, at) => {
    const marker = `marker-${at}`;
    const text = fields === undefined ? `plain level=error ${marker}` : JSON.stringify({ ...fields, marker });
    const known = { namespace, stream, labels: LABELS, ...(fields === undefined ? {} : { fields }) };
    return { marker, text, known };
  });
}

/** The destinations of a test, with the routes to each. */
function targetsOf(routes: readonly object[]) {
  const parsed = Route.array().parse(routes);
  return NAMES.map((name) => ({
    name,
    sources: ["pods"] as const,
    selections: parsed.filter(({ to }) => to.includes(name)).map((route) => selectionOf(route, TEAMS)),
  }));
}

const criLine = (known: RoutedLine, text: string) => ({
  namespace: known.namespace,
  line: `2026-02-01T10:00:00.123456789Z ${known.stream} F ${text}`,
});

type Started = LocalCollector & { stop?(): void };

/** A collector that sends to several destinations. */
interface RoutingCollector {
  readonly title: string;
  readonly program: string;
  /** @param labels Labels of all pods. Default: those of the curl pods. */
  start(labels?: Readonly<Record<string, string>>): Promise<Started | undefined>;
  /** Its configuration, but with a destination that falls silent asked again sooner; one that only answers late is not affected. */
  hasten(text: string, away: Name, mode: ReceiverMode): string;
  /** Default: JSON lines, Loki and OpenSearch. */
  readonly at?: NonNullable<Outage["at"]>;
}

const COLLECTORS: readonly RoutingCollector[] = [
  {
    title: "Fluent Bit",
    program: "fluent-bit",
    start: async () => localFluentBit(),
    hasten: (text, away, mode) =>
      mode === "silent" && text.includes(`- name: ${away}\n`)
        ? text.replaceAll("net.io_timeout: 90s", "net.io_timeout: 10s")
        : text,
  },
  {
    title: "OpenTelemetry Collector",
    program: "otelcol",
    start: localOpenTelemetry,
    hasten: (text) =>
      text.replaceAll("    encoding: json\n    endpoint", "    encoding: json\n    timeout: 10s\n    endpoint"),
    at: lokiTwiceAt,
  },
  {
    title: "Vector",
    program: "vector",
    start: localVector,
    hasten: (text) => text,
  },
];

for (const { title, program, start, hasten, at } of COLLECTORS) {
  const destinations = at === undefined ? {} : { at };

  describe(`${title} with three destinations, one of them down`, () => {
    let local: Started | undefined;
    before(async function () {
      local = await start();
      if (local === undefined) leaveOut(this, whyMissing(program));
    });
    after(() => local?.stop?.());

    for (const [index, mode] of (["away", "silent", "busy", "failing"] as const).entries()) {
      const name = NAMES[index % NAMES.length] ?? "search";
      it(`neither loses nor duplicates a line elsewhere, and loses none there: ${name} ${mode}`, async function () {
        this.timeout((2 * SECONDS + 2000) * 1000);
        assert.ok(local);
        const { adapt } = local;
        const hasty: LocalCollector = {
          ...local,
          adapt: (text, place) => hasten(adapt(text, place), name, mode),
        };
        const write = { files: 20, bytesPerSecond: RATE * 1e6, seconds: SECONDS, lineBytes: LINE_BYTES };
        const { written, stats, lateSeconds, usualLateSeconds } = await withOneAway(hasty, name, mode, write, {
          after: SECONDS * 0.2,
          during: SECONDS * 0.3,
          // What is written in three minutes at 10 MB/s is more than the default holds.
          settings: { buffer: { size: "8Gi" } },
          ...destinations,
        });
        const counts = NAMES.map((each) => {
          const { unique, doubled, repeated } = stats[each];
          return `${each} lost ${written - unique}, doubled ${doubled}, repeated ${repeated}`;
        });
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

  describe(`${title} with routes`, () => {
    let local: Started | undefined;
    before(async function () {
      local = await start(ROUTED_LABELS);
      if (local === undefined) leaveOut(this, whyMissing(program));
    });
    after(() => local?.stop?.());

    it("sends each line to the destinations of its routes, and nowhere else", async () => {
      assert.ok(local);
      const lines = ROUTED_LINES.map(({ text, known }) => criLine(known, text));
      const found = await routed(local, ROUTES, ROUTED_LABELS, lines, at);
      const targets = targetsOf(ROUTES);
      for (const name of NAMES) {
        const wanted = ROUTED_LINES.filter(({ known }) => destinationsOfLine(targets, known).includes(name));
        assert.ok(wanted.length > 0 && wanted.length < lines.length, name);
        assert.deepEqual([...found[name]].sort(), wanted.map(({ marker }) => marker).sort(), name);
      }
    });
  });

  describe(`${title} with any routes`, () => {
    let local: Started | undefined;
    before(async function () {
      local = await start(LABELS);
      if (local === undefined) leaveOut(this, whyMissing(program));
    });
    after(() => local?.stop?.());

    for (let set = 0; set < SETS; set += 1)
      it(`sends each of 300 lines by random routes: ${set}`, async () => {
        assert.ok(local);
        const seed = SEED + set;
        const [random = []] = fc.sample(anyRoutes, { numRuns: 1, seed });
        const routes = [...random, { to: NAMES, namespaces: [LAST.namespace] }];
        const lines = anyLines(seed);
        const last = Array.from({ length: LAST.count }, (_, at) => {
          const known = { namespace: LAST.namespace, stream: "stdout", labels: LABELS };
          return { known, text: `last marker-${lines.length + at}` };
        });
        const found = await routed(
          local,
          routes,
          LABELS,
          [...lines, ...last].map(({ known, text }) => criLine(known, text)),
          at,
        );
        const targets = targetsOf(routes);
        const wrong = NAMES.flatMap((name) =>
          lines.flatMap(({ marker, text, known }) => {
            const wanted = destinationsOfLine(targets, known).includes(name);
            return wanted === found[name].has(marker)
              ? []
              : [`${name} ${wanted ? "lacks" : "has"} ${known.namespace} ${known.stream} ${text}`];
          }),
        );
        assert.deepEqual(wrong, [], `seed ${seed}, routes ${JSON.stringify(random)}`);
      });
  });
}
