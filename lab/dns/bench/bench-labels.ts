import type { BenchResult, BenchRow } from "./bench.ts";
import { BUCKETS } from "./samples.ts";

/** Labels of the kinds of names. */
export const KINDS: Readonly<Record<BenchRow["kind"], string>> = {
  internal: "cluster name",
  outside: "outside name",
  unknown: "nonexistent names",
};

/** The method in a sentence, since a figure is worth what its method is. */
export function methodOf({ perSecond, seconds, server, own }: BenchResult): string {
  const cost =
    own.p50 === undefined
      ? ""
      : `; of each time, the shell's own pipes take ${own.p50.toFixed(2)} ms (p50), ${(own.p99 ?? 0).toFixed(2)} (p99)`;
  return `A queries to ${server} over TCP at ${perSecond}/s for ${seconds} s, timed in the pod${cost}`;
}

export function codesOf(codes: Readonly<Record<string, number>>): string {
  return Object.entries(codes)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
}

/** Such as `to 0.5 ms`, and `over 64 ms` for the last. */
export function bucketName(index: number): string {
  const end = BUCKETS[index] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(end) ? `to ${end} ms` : `over ${BUCKETS[index - 1]} ms`;
}
