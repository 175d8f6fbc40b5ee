import { styleText } from "node:util";
import type { NodeFacts, PodFacts } from "../kubernetes/cluster.ts";
import { plainTable } from "../output/text.ts";
import type { Lab } from "./lab.ts";

/** `warn`: not as expected, but the lab cannot fix it; `skip`: not run. */
export type Status = "pass" | "warn" | "fail" | "skip";

/** The result of a check. */
export interface Outcome {
  readonly status: Status;
  /** One line for the table: addresses, times, answers. */
  readonly detail: string;
  /** The likely cause of a row that did not pass, and what to do, in one line. */
  readonly cause?: string;
  /** The same as values, for the JSON output. */
  readonly facts?: Readonly<Record<string, Fact>>;
}

export type Fact = string | number | boolean | readonly string[];

/** The groups of checks, in display order. `--only` and `--skip` accept them or single ids. */
export const GROUPS = [
  "coredns",
  "restarts",
  "namespace",
  "pods",
  "service",
  "resolver",
  "ping",
  "dns",
  "curl",
  "deny",
  "logs",
  "collector",
  "source",
  "state",
  "backlog",
  "monitoring",
] as const;
export type Group = (typeof GROUPS)[number];

/** One row of the table: an independent experiment. */
export interface Check {
  /** Group and subject, such as `dns:ts:sa:full`. */
  readonly id: string;
  readonly group: Group;
  /** What is tested, in a few words. */
  readonly what: string;
  /** Pod, team or place where it starts. Checks with the same start run in parallel and share sessions in a pod. */
  readonly from: string;
  /** Target; empty if there is none. */
  readonly to: string;
  run(lab: Lab): Promise<Outcome>;
}

/** A finished check. */
export interface Row extends Outcome, Pick<Check, "id" | "group" | "what" | "from" | "to"> {
  /** Duration of the check. */
  readonly milliseconds: number;
}

export function pass(detail: string, facts?: Outcome["facts"]): Outcome {
  return { status: "pass", detail, ...(facts === undefined ? {} : { facts }) };
}

export function fail(detail: string, cause: string, facts?: Outcome["facts"]): Outcome {
  return { status: "fail", detail, cause, ...(facts === undefined ? {} : { facts }) };
}

export function warn(detail: string, cause: string, facts?: Outcome["facts"]): Outcome {
  return { status: "warn", detail, cause, ...(facts === undefined ? {} : { facts }) };
}

export function skip(detail: string): Outcome {
  return { status: "skip", detail };
}

/** Version of the JSON format; incremented when a field is renamed or removed. */
const SCHEMA_VERSION = 1;

/** A team's state on the cluster. */
export interface TeamView {
  readonly team: string;
  readonly namespace: string;
  /** Undefined if there is no pod. */
  readonly pod: PodFacts | undefined;
}

/** A whole run: the source of the table, the JSON document and the report. */
export interface VerifyResult {
  readonly stack: string;
  readonly context: string;
  readonly server: string;
  /** Version of the API server. */
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly nodes: readonly NodeFacts[];
  readonly teams: readonly TeamView[];
  /** Namespace of CoreDNS. @default kube-system */
  readonly dnsNamespace?: string;
}

export type Summary = Readonly<Record<Status, number>>;

export function summarize(rows: readonly Row[]): Summary {
  const count = (status: Status) => rows.filter((row) => row.status === status).length;
  return { pass: count("pass"), warn: count("warn"), fail: count("fail"), skip: count("skip") };
}

/** `41 passed, 2 warnings, 0 failed, 1 skipped in 3.2 s`. */
export function summaryLine({ rows, seconds }: Pick<VerifyResult, "rows" | "seconds">): string {
  const { pass, warn, fail, skip } = summarize(rows);
  const parts = [
    `${pass} passed`,
    `${warn} ${warn === 1 ? "warning" : "warnings"}`,
    `${fail} failed`,
    `${skip} skipped`,
  ];
  return `${parts.join(", ")} in ${seconds.toFixed(1)} s`;
}

/** The causes of rows that did not pass, without duplicates, each with its rows. */
export function causes(
  rows: readonly Row[],
): { readonly status: Status; readonly cause: string; readonly ids: string[] }[] {
  const groups = new Map<string, { status: Status; cause: string; ids: string[] }>();
  for (const { id, status, cause } of rows) {
    if (cause === undefined) continue;
    const key = `${status} ${cause}`;
    const group = groups.get(key) ?? { status, cause, ids: [] };
    group.ids.push(id);
    groups.set(key, group);
  }
  return [...groups.values()].sort((one, other) => Number(other.status === "fail") - Number(one.status === "fail"));
}

/** The JSON document of `--json`. */
export function asJson(result: VerifyResult) {
  const { stack, context, server, version, startedAt, seconds, rows } = result;
  return {
    schema: SCHEMA_VERSION,
    stack,
    context,
    server,
    version,
    startedAt,
    seconds,
    summary: summarize(rows),
    rows,
  };
}

const COLORS = { pass: "green", warn: "yellow", fail: "red", skip: "gray" } as const;
const WORDS: Readonly<Record<Status, string>> = { pass: "pass", warn: "warn", fail: "FAIL", skip: "skip" };

export interface TableOptions {
  readonly color: boolean;
  /** Width of the terminal in characters. */
  readonly width: number;
}

/** The rows, the likely causes of those that did not pass, and a summary line. */
export function formatResult(result: VerifyResult, options: TableOptions): string {
  const painted = (status: Status, text: string) =>
    options.color ? styleText(COLORS[status], text, { validateStream: false }) : text;
  const lines = result.rows.length === 0 ? [] : [tableOf(result.rows, options, painted), ""];
  for (const { status, cause, ids } of causes(result.rows)) {
    const shown = ids.length > 3 ? `${ids.slice(0, 3).join(", ")} and ${ids.length - 3} more` : ids.join(", ");
    lines.push(`${painted(status, WORDS[status])} ${shown}: ${cause}`);
  }
  const worst = result.rows.some((row) => row.status === "fail") ? "fail" : "pass";
  lines.push(painted(worst, `${result.context} (${result.version}): ${summaryLine(result)}`));
  return `${lines.join("\n")}\n`;
}

/** Columns fit their content; the detail wraps in the remaining width. */
function tableOf(
  rows: readonly Row[],
  { width }: TableOptions,
  painted: (status: Status, text: string) => string,
): string {
  const head = ["", "id", "what", "to", "detail", "ms"];
  const cells = rows.map((row) => [WORDS[row.status], row.id, row.what, row.to, row.detail, String(row.milliseconds)]);
  const longest = (column: number) => Math.max(...[head, ...cells].map((line) => line[column]?.length ?? 0));
  const others = [0, 1, 2, 3, 5].reduce((sum, column) => sum + longest(column) + 2, 0);
  const detail = Math.max(30, Math.min(longest(4) + 2, width - others));
  return plainTable(
    head,
    cells.map(([status = "", ...others], index) => [painted(rows[index]?.status ?? "skip", status), ...others]),
    { right: [5], widths: [null, null, null, null, detail, null] },
  );
}
