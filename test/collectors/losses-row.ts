import type { Trial, TrialChanges } from "../support/collectors/losses.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";

/** What a destination answers for a while. */
export const ANSWERS = ["away", "busy", "failing", "partial", "forgetful"] as const;
/** What happens to a collector and its destination while lines are written. */
export const BEHAVIORS = [
  "rotation",
  "newPods",
  ...ANSWERS,
  "refused",
  "stopped",
  "stoppedInRotation",
  "stoppedWhileAway",
  "killed",
  "killedWhileAway",
] as const;
export type Behavior = (typeof BEHAVIORS)[number];

/** How a collector is tried, and what is expected of it. */
interface Cell {
  readonly trial: TrialChanges;
  /** Most lines that may be lost. Default 0. */
  readonly maxLost?: number;
  /** Whether no line is sent twice, not even under its id. Default false. */
  readonly exact?: boolean;
  /** Whether lines may be stored twice. Default false. */
  readonly twice?: boolean;
  /** Default 0. */
  readonly minRotations?: number;
}

/** A destination of a collector's trials. */
interface Target {
  /** Default: the destination of the usual trial, or else OpenSearch. */
  readonly settings?: (port: number) => object;
  /** Whether documents have ids, so that one that is sent again is stored once. */
  readonly hasIds: boolean;
  /** Default: all behaviors. */
  readonly only?: "answers" | "all but partial answers";
  /** MB/s. Default: the collector's. */
  readonly rate?: number;
  readonly quietSeconds?: number;
  /** Default: the collector's. */
  readonly start?: Row["start"];
  /** Why there is nothing to start. Default: the program is missing. */
  readonly whyNot?: () => string;
}

/** A collector with the trials of its behaviors, by destination. */
export interface Row {
  readonly program: string;
  /** MB/s of all containers together. */
  readonly rate: number;
  readonly start: () => Promise<(LocalCollector & { stop?(): void }) | undefined>;
  /** Why there is nothing to start. Default: the program is missing. */
  readonly whyNot?: () => string;
  readonly usual: { readonly settings?: object; readonly quietSeconds?: number; readonly write: Usual };
  readonly targets: Readonly<Record<string, Target>>;
  /** A trial for each behavior, or why there is none. */
  readonly behaviors: Readonly<Record<Behavior, Cell | string>>;
}
type Usual = Omit<Trial["write"], "bytesPerSecond">;
