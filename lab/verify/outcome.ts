import type { Lab } from "./lab.ts";

/** `warn`: not as expected, but nothing that the lab can fix; `skip`: not run. */
export type Status = "pass" | "warn" | "fail" | "skip";

/** What a check found. */
export interface Outcome {
  readonly status: Status;
  /** One line for the table: addresses, times, what was answered. */
  readonly detail: string;
  /** For a row that did not pass: one line on the likely cause, and what to do. */
  readonly cause?: string;
  /** The same in numbers, for the JSON output. */
  readonly facts?: Readonly<Record<string, Fact>>;
}

export type Fact = string | number | boolean | readonly string[];

/** The families of checks, in the order in which they are shown. `--only` and `--skip` name them, or single ids. */
export const GROUPS = [
  "coredns",
  "pods",
  "service",
  "resolver",
  "ping",
  "dns",
  "curl",
  "deny",
  "logs",
  "collector",
] as const;
export type Group = (typeof GROUPS)[number];

/** One row of the table: an experiment that stands alone. */
export interface Check {
  /** Family and subject, such as `dns:ts:sa:full`. */
  readonly id: string;
  readonly group: Group;
  /** What is tried, in a few words. */
  readonly what: string;
  /** Pod, team or place where it starts. */
  readonly from: string;
  /** Where it leads; empty where it leads nowhere. */
  readonly to: string;
  /** Checks with the same value run at the same time, since they share a session in a pod. Default: none. */
  readonly together?: string;
  run(lab: Lab): Promise<Outcome>;
}

/** A check that has run. */
export interface Row extends Outcome {
  readonly id: string;
  readonly group: Group;
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** How long the check took. */
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
