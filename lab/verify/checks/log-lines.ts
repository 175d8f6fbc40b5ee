import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { APPLICATION_FILES, APPLICATION_LOGS, EVENT_READER_NAME } from "../../../components/logging/pipeline.ts";
import { isFromAws, type OwnSource } from "../../../components/logging/sources/source.ts";
import { CURL_CONTAINER, curlPodName } from "../../../components/team/curl-pod-spec.ts";
import { ClusterError, isForbidden, type PodFacts } from "../../kubernetes/cluster.ts";
import { type MarkerFinder, type SourceFinder, statefulPod } from "../find/finder.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip, warn } from "../result.ts";

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

/** How often a marker is written: on a quiet node, Vector may hold a line back until two more arrive. */
const MAX_WRITES = 3;

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
  if (finder.whyUnreadable !== undefined) return skip(finder.whyUnreadable);
  const pod = await lab.runningPod(team);
  if (finder.takes?.(pod) === false) return skip("no route leads these lines there");
  const marker = newMarker();
  await finder.prepare?.(lab, pod);
  await writeMarker(lab, pod, marker, finder.inFile);
  let written = 1;
  const result = await waitFor(seconds, async (elapsed) => {
    if (written < MAX_WRITES && elapsed > written * againSeconds * 1000) {
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

/** Sources that every node writes to regularly; others may be silent for days. */
const STEADY: ReadonlySet<string> = new Set(["kubelet", "containerd"]);
/** Maximum age of a regular source's newest line, in seconds. */
const STEADY_SECONDS = 3600;

/**
 * A source's newest record is at the destination; for events, one that the check creates.
 * @param seconds Maximum time for an event to reach the destination.
 */
export function sourceCheck(finder: SourceFinder, seconds: number): Check {
  const { source, name, place } = finder;
  const isEvents = source === "events";
  return {
    id: `source:${source}${name === undefined ? "" : `:${name}`}`,
    group: "source",
    what: isEvents ? "an event reaches the destination" : `lines of ${source} reach the destination`,
    from: isEvents ? EVENT_READER_NAME : writerOf(source),
    to: name === undefined ? place : `${name}: ${place}`,
    run: async (lab) => {
      if (finder.whyUnreadable !== undefined) return skip(finder.whyUnreadable);
      return isEvents ? event(lab, finder, seconds) : newestLine(lab, finder);
    },
  };
}

function writerOf(source: OwnSource): string {
  return isFromAws(source) ? "control plane" : "nodes";
}

async function event(lab: Lab, finder: SourceFinder, seconds: number): Promise<Outcome> {
  const reader = await statefulPod(lab, EVENT_READER_NAME);
  const marker = newMarker();
  try {
    await lab.cluster.createEvent(reader, marker);
  } catch (error) {
    if (isForbidden(error)) return skip(`needs the right to create events in ${lab.loggingNamespace}`);
    throw error;
  }
  const result = await waitFor(seconds, () => finder.newest(lab, marker));
  if (result === undefined) {
    const cause = `${EVENT_READER_NAME} is running, but the destination has no such event: \`kubectl -n ${lab.loggingNamespace} logs ${reader.name}\` shows what it cannot read or send`;
    return fail(`event ${marker} did not arrive within ${seconds} s`, cause, { marker });
  }
  const { where, unexpected } = result.found;
  const detail = `event found in ${where} after ${result.delayMs} ms`;
  const facts = { marker, where, delayMs: result.delayMs };
  return unexpected === undefined ? pass(detail, facts) : fail(detail, unexpected, facts);
}

async function newestLine(lab: Lab, finder: SourceFinder): Promise<Outcome> {
  const { source } = finder;
  const record = await finder.newest(lab);
  if (record === undefined) return noLine(finder);
  const { where, at, unexpected } = record;
  const age = at === undefined ? undefined : Math.max(0, Math.round((Date.now() - at.getTime()) / 1000));
  const detail = `newest line in ${where}${age === undefined ? "" : ` is ${ageText(age)} old`}`;
  const facts = { where, ...(age === undefined ? {} : { ageSeconds: age }) };
  if (unexpected !== undefined) return fail(detail, unexpected, facts);
  if (STEADY.has(source) && age !== undefined && age > STEADY_SECONDS)
    return warn(detail, `nodes write to ${source} more often: the collector or the destination may be behind`, facts);
  return pass(detail, facts);
}

/** The outcome if the destination has no line of a source: a failure only if there must be one. */
function noLine({ source, searchedSeconds, whyMissing }: SourceFinder): Outcome {
  if (whyMissing !== undefined) return fail(`no line in the last ${ageText(searchedSeconds ?? 0)}`, whyMissing);
  if (searchedSeconds !== undefined)
    return warn(
      `no line in the last ${ageText(searchedSeconds)}`,
      `nodes may have written none to ${source}: check again later`,
    );
  if (!STEADY.has(source))
    return warn("no line", `nodes write little to ${source}: check again once it has a new line`);
  return fail(
    "no line",
    `the collector does not read ${source} or the destination refuses it: \`npm run verify -- --only collector\``,
  );
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
