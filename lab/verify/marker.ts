import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { APPLICATION_FILES, APPLICATION_LOGS } from "../../components/logging/pipeline.ts";
import { CURL_CONTAINER } from "../../components/team/names.ts";
import { ClusterError, type PodFacts } from "../kubernetes/cluster.ts";
import type { Lab } from "./lab.ts";

const POLL_MS = 250;

/** A line that occurs once in the world. One word of letters and digits, so that every index finds it whole. */
export function newMarker(): string {
  return `labmarker${randomBytes(10).toString("hex")}`;
}

/**
 * Writes a line to a container's stdout from outside, so that it takes the same way as the program's own lines; or to the file
 * that a sidecar reads.
 */
export async function writeMarker(lab: Lab, pod: PodFacts, marker: string, inFile = false): Promise<void> {
  const place = inFile ? `>> ${APPLICATION_LOGS}/${APPLICATION_FILES[1]}` : "> /proc/1/fd/1";
  const command = ["sh", "-c", `echo ${marker} ${place}`];
  const { exitCode, stderr } = await lab.cluster.exec(pod, CURL_CONTAINER, command);
  if (exitCode !== 0) throw new ClusterError("other", `the marker could not be written: ${stderr.trim()}`);
}

/** Asks until something is found or the time is over. Times are in milliseconds from the call. */
export async function seek<T>(
  seconds: number,
  look: (elapsedMs: number) => Promise<T | undefined>,
): Promise<{ readonly found: T; readonly delayMs: number } | undefined> {
  const start = performance.now();
  for (;;) {
    const found = await look(performance.now() - start);
    const delayMs = Math.round(performance.now() - start);
    if (found !== undefined) return { found, delayMs };
    if (delayMs > seconds * 1000) return undefined;
    await sleep(POLL_MS);
  }
}
