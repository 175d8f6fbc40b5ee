import fc from "fast-check";
import { DateTime } from "luxon";
import { appOf, type IndexFormat, indexName, teamOf } from "../../../components/logging/indexing/index-format.ts";
import { type LogPipeline, logPipeline } from "../../../components/logging/pipeline.ts";
import { teamNames } from "../../../components/logging/routing/routes.ts";
import { type CollectorId, LoggingSettings } from "../../../components/logging/settings.ts";
import { anyFormat, anyTime } from "../../components/logging/arbitraries.ts";

/** Teams whose namespaces have their names, and teams whose do not. */
export const NAME_TEAMS = [
  { name: "ts" },
  { name: "pay", namespaces: [{ name: "pay-api" }, { name: "pay-web" }] },
  { name: "ops", namespaces: [{ name: "sa-team" }, { name: "kube-system" }] },
];

const anyLine = fc.record({
  at: anyTime,
  namespace: fc.constantFrom("ts-team", "pay-api", "pay-web", "sa-team", "sa-team-x", "kube-system", "qa-team", "a-b"),
  pod: fc.constantFrom("web-0", "api.v1-7d9f", "x"),
  container: fc.constantFrom("app", "side-car"),
  labels: fc.constantFrom<Readonly<Record<string, string>>>(
    {},
    { app: "Curl" },
    { "app.kubernetes.io/name": "", app: "web_1" },
    { "app.kubernetes.io/name": "Z.9" },
  ),
});
/** Time and pod of a line. */
export type NamedLine = typeof anyLine extends fc.Arbitrary<infer T> ? T : never;

const anyPlace = fc.record({
  logGroup: fc.stringMatching(/^\/[a-z][\w./#-]{0,20}[a-z]$/),
  prefix: fc.stringMatching(/^[a-z][\w-]{0,9}(\/[\w-]{1,9}){0,2}\/?$/),
});

/** A thousand lines that each collector must give the same names: forty under each of twenty-five formats, log groups and prefixes. */
export const NAME_CASES = fc.sample(
  fc.record({ format: anyFormat, place: anyPlace, lines: fc.array(anyLine, { minLength: 40, maxLength: 40 }) }),
  { numRuns: 25, seed: 4 },
);

/** The same format for a collector that knows no other time zone. */
export function inUtc(format: IndexFormat): IndexFormat {
  return { ...format, timeZone: "UTC" };
}

/** The index of a line, as the model names it. */
export function indexOf(format: IndexFormat, { at, namespace, labels }: NamedLine): string {
  const team = teamNames(NAME_TEAMS)[namespace] ?? teamOf(namespace);
  return indexName(format, at, { namespace, team, app: appOf(labels) });
}

/** The stream of a line in CloudWatch Logs. */
export function streamOf({ namespace, pod, container }: NamedLine): string {
  return `${namespace}.${pod}.${container}`;
}

/** The pipeline of a collector with these teams. @param settings Below `logging`. */
export function namePipeline(collector: CollectorId, settings: object): LogPipeline {
  const context = { cluster: "dev", region: "eu-central-1", teams: NAME_TEAMS };
  return logPipeline(LoggingSettings.parse({ collector, ...settings }), context);
}

/** As C's strftime, Go's and Vector's write a time in UTC. */
export function strftime(format: string, at: Date): string {
  const parts: Readonly<Record<string, string>> = { Y: "yyyy", m: "MM", d: "dd", H: "HH", G: "kkkk", V: "WW" };
  const time = DateTime.fromJSDate(at, { zone: "UTC" }).setLocale("en-US");
  return format.replaceAll(/%([A-Za-z])/g, (_, part: string) => time.toFormat(parts[part] ?? "'?'"));
}
