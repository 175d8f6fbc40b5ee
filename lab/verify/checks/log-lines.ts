import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { APPLICATION_FILES, APPLICATION_LOGS } from "../../../components/logging/pipeline.ts";
import { CURL_CONTAINER, curlPodName } from "../../../components/team/curl-pod-spec.ts";
import { ClusterError, type PodFacts } from "../../kubernetes/cluster.ts";
import type { MarkerFinder } from "../find/finder.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip } from "../result.ts";

const POLL_MS = 250;

/** A globally unique line: one word of letters and digits, so that every index stores it as a single token. */
export function newMarker(): string {
  return `labmarker${randomBytes(10).toString("hex")}`;
}

/**
 * Writes a line to a container's stdout from outside, which takes the same path as the program's own lines; or to the file that a sidecar
 * reads.
 */
async function writeMarker(lab: Lab, pod: PodFacts, marker: string, inFile = false): Promise<void> {
  const place = inFile ? `>> ${APPLICATION_LOGS}/${APPLICATION_FILES[1]}` : "> /proc/1/fd/1";
  const command = ["sh", "-c", `echo ${marker} ${place}`];
  const { exitCode, stderr } = await lab.sessions.run(pod, command, 5);
  if (exitCode !== 0) throw new ClusterError("other", `cannot write the marker: ${stderr.trim()}`);
}

/** Polls until something is found or the time is over. Times are in milliseconds from the call. */
export async function waitFor<T>(
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

/** The kubelet reads from a file on its node; a longer delay is a fault. */
const LOG_SECONDS = 10;
/** The search starts a little before the marker was written, because clocks differ. */
const SKEW_SECONDS = 30;

/** A line written to the pod's stdout appears in `kubectl logs`. */
export function logsCheck(team: string): Check {
  return {
    id: `logs:${team}`,
    group: "logs",
    what: "stdout is readable through the logs API",
    from: curlPodName(team),
    to: "kubelet",
    run: (lab) => logs(lab, team),
  };
}

async function logs(lab: Lab, team: string): Promise<Outcome> {
  const pod = await lab.runningPod(team);
  const marker = newMarker();
  await writeMarker(lab, pod, marker);
  const result = await waitFor(LOG_SECONDS, async (elapsed) => {
    const text = await lab.cluster.logs(pod, { container: CURL_CONTAINER, seconds: SKEW_SECONDS + elapsed / 1000 });
    return text.includes(marker) ? true : undefined;
  });
  if (result !== undefined)
    return pass(`marker read back after ${result.delayMs} ms`, { marker, delayMs: result.delayMs });
  return fail(
    `marker ${marker} was not readable within ${LOG_SECONDS} s`,
    "the node's runtime or kubelet does not write or serve the log: check the node's disk and kubelet",
    { marker },
  );
}

/** On a quiet node, Vector may hold a line back until two more arrive. */
const TIMES = 3;

export interface CollectorContext {
  readonly finder: MarkerFinder;
  /** Maximum time for the marker to reach the destination. */
  readonly seconds: number;
  /** Writes the marker again after this time, at most twice. @default 10 */
  readonly againSeconds?: number;
}

/** A line written to the pod's stdout reaches the collector's destination. */
export function collectorCheck(team: string, context: CollectorContext): Check {
  const { finder } = context;
  return {
    id: `collector:${team}${finder.name === undefined ? "" : `:${finder.name}`}`,
    group: "collector",
    what: finder.inFile ? "file line reaches the destination" : "stdout reaches the destination",
    from: curlPodName(team),
    to: finder.name === undefined ? finder.place : `${finder.name}: ${finder.place}`,
    run: (lab) => collector(lab, team, context),
  };
}

async function collector(
  lab: Lab,
  team: string,
  { finder, seconds, againSeconds = 10 }: CollectorContext,
): Promise<Outcome> {
  if (finder.unable !== undefined) return skip(finder.unable);
  const pod = await lab.runningPod(team);
  if (finder.takes?.(pod) === false) return skip("no route leads these lines there");
  const marker = newMarker();
  await finder.prepare?.(lab, pod);
  await writeMarker(lab, pod, marker, finder.inFile);
  let written = 1;
  const result = await waitFor(seconds, async (elapsed) => {
    if (written < TIMES && elapsed > written * againSeconds * 1000) {
      written += 1;
      await writeMarker(lab, pod, marker, finder.inFile);
    }
    return finder.find(lab, { marker, pod, seconds: SKEW_SECONDS + elapsed / 1000 });
  });
  if (result === undefined)
    return fail(`marker ${marker} did not arrive within ${seconds} s`, await finder.whyMissing(lab, pod), { marker });
  const { where, unexpected } = result.found;
  const facts = { marker, where, delayMs: result.delayMs, written };
  const detail = `marker found in ${where} after ${result.delayMs} ms${written === 1 ? "" : `, written ${written} times`}`;
  return unexpected === undefined ? pass(detail, facts) : fail(detail, unexpected, facts);
}
