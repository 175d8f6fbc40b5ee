import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { Condition, WatchedStack } from "../../../components/monitoring/alerts/alert.ts";
import { ALERTS, alertsOf } from "../../../components/monitoring/alerts/alert-table.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { NOTHING } from "./stacks.ts";

const run = promisify(execFile);

/** Minutes after the beginning of its series at which an alert must fire, or not. */
const AT = "20m";

/** Test series: values by selector. */
export type Series = Readonly<Record<string, string>>;

/** The series of a condition for which it fires, or stays quiet. */
function seriesFor({ series }: Condition, outcome: "fires" | "quiet"): Series {
  return Object.fromEntries(
    Object.entries(series).flatMap(([selector, { [outcome]: values }]) =>
      values === undefined ? [] : [[selector, values]],
    ),
  );
}

/** With these series an alert fires, or does not. */
export interface Case {
  readonly name: string;
  readonly series: Series;
  readonly firing: boolean;
  /** Other series that its alert reads. @default none */
  readonly reads?: readonly string[];
}

/** Without these CoreDNS and the collector count as down, which explains other alerts. */
const ALIVE: Series = {
  'coredns_build_info{namespace="kube-system",instance="10.0.0.7:9153"}': "1x30",
  'fluentbit_build_info{namespace="logging",instance="10.0.0.7:2020"}': "1x30",
  'up{namespace="kube-system",instance="10.0.0.7:9253"}': "1x30",
  'canary_last_run_timestamp_seconds{node="b"}': "0+60x30",
};

/** A test of promtool for several alerts, whose series do not meet. */
export function unitTest(cases: readonly Case[]) {
  const given = new Set(cases.flatMap(({ series }) => Object.keys(series).map(kindOf)));
  const alive = Object.entries(ALIVE).filter(([selector]) => !given.has(kindOf(selector)));
  return {
    name: cases.map(({ name, firing }) => `${name} ${firing ? "fires" : "stays quiet"}`).join(", "),
    interval: "1m",
    input_series: [...alive, ...cases.flatMap(({ series }) => Object.entries(series))].map(([selector, values]) => ({
      series: selector,
      values,
    })),
    promql_expr_test: cases.map(({ name, firing }) => ({
      expr: `count(ALERTS{alertname="${name}",alertstate="firing"}) or vector(0)`,
      eval_time: AT,
      exp_samples: [{ labels: "{}", value: firing ? 1 : 0 }],
    })),
  };
}

export function metricsOf({ series }: Case): string[] {
  return Object.keys(series).map(nameOf);
}

function nameOf(selector: string): string {
  return selector.replace(/\{.*$/, "");
}

/** A metric and the port at which it is served. */
function kindOf(selector: string): string {
  return `${nameOf(selector)} ${/:\d+"/.exec(selector)?.[0]}`;
}

/** Whether two cases change each other's outcome in one test: by a metric that the alert of one reads, or since one explains the other. */
function meet(one: Case, other: Case): boolean {
  const readBy = (each: Case, given: Case) => {
    const read = [...Object.keys(each.series), ...(each.reads ?? [])].map(nameOf);
    return metricsOf(given).some((metric) => read.includes(metric));
  };
  const explained = (a: Case, b: Case) =>
    ALERTS.some(({ name, explainedBy = [] }) => name === a.name && explainedBy.includes(b.name));
  return readBy(one, other) || readBy(other, one) || explained(one, other) || explained(other, one);
}

/** Each test of promtool makes a database of its own, which takes most of its time: cases that do not meet share one. */
export function packed(cases: readonly Case[]): Case[][] {
  const tests: Case[][] = [];
  for (const each of cases) {
    const free = tests.find((test) => !test.some((other) => meet(each, other)));
    if (free === undefined) tests.push([each]);
    else free.push(each);
  }
  return tests;
}

export function casesOf(stack: WatchedStack): Case[] {
  return alertsOf(stack).flatMap(({ alert: { name }, condition }) => {
    const reads = Object.keys(condition.series);
    return [
      { name, series: seriesFor(condition, "fires"), firing: true, reads },
      { name, series: seriesFor(condition, "quiet"), firing: false, reads },
    ];
  });
}

/** A pod of another CoreDNS or collector raises no alert, and does not stand for the own one. */
export function foreignCases(stack: WatchedStack): Case[] {
  return alertsOf(stack).flatMap(({ alert: { name }, condition }) => {
    const absent = /^absent\([^()]*\)$/.test(condition.expr.replaceAll(/"[^"]*"/g, ""));
    const own = Object.entries(seriesFor(condition, absent ? "quiet" : "fires"));
    const series = own.map(([selector, values]) => [
      selector.replace(/namespace="(kube-system|logging)"/, 'namespace="elsewhere"'),
      values,
    ]);
    const changed = own.some(([selector], at) => selector !== series[at]?.[0]);
    const reads = Object.keys(condition.series);
    return changed ? [{ name, series: Object.fromEntries(series), firing: absent, reads }] : [];
  });
}

/** Without what is the same with every collector. */
export const ofCollector = (collector: WatchedStack["collector"]): WatchedStack => ({
  ...NOTHING,
  collector,
  kubeStateMetrics: true,
  canary: { readsLines: false },
});

/** What promtool says of rules and their tests; empty where all is right. */
type Failures = (rules: object, tests: readonly object[], evaluation?: string) => Promise<string>;

/** Runs promtool in a folder that the tests of the suite around share. Without promtool they are skipped. */
export function promtool(): Failures {
  const program = findProgram("promtool");
  let folder: string;
  before(async function () {
    if (program === undefined) {
      leaveOut(this, whyMissing("promtool"));
    }
    folder = await mkdtemp(join(tmpdir(), "promtool-"));
  });
  after(() => (folder === undefined ? undefined : rm(folder, { recursive: true })));
  return async (rules, tests, evaluation = "1m") => {
    await writeFile(join(folder, "rules.yaml"), stringify(rules, { lineWidth: 0 }));
    await writeFile(
      join(folder, "tests.yaml"),
      stringify({ rule_files: ["rules.yaml"], evaluation_interval: evaluation, tests }, { lineWidth: 0 }),
    );
    return run(program ?? "", ["test", "rules", join(folder, "tests.yaml")]).then(
      () => "",
      (error) => `${error.stdout}${error.stderr}`,
    );
  };
}
