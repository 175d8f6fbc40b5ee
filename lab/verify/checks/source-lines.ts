import { EVENT_READER_NAME, LOGGING_NAMESPACE } from "../../../components/logging/pipeline.ts";
import { isFromAws } from "../../../components/logging/sources/journal.ts";
import { ClusterError } from "../../kubernetes/cluster.ts";
import { mustBeReady, type SourceFinder } from "../find/finder.ts";
import { type Lab, UnmetPrecondition } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip, warn } from "../result.ts";
import { newMarker, waitFor } from "./log-lines.ts";

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
    from: isEvents ? EVENT_READER_NAME : isFromAws(source) ? "control plane" : "nodes",
    to: name === undefined ? place : `${name}: ${place}`,
    run: async (lab) => {
      if (finder.unable !== undefined) return skip(finder.unable);
      return isEvents ? event(lab, finder, seconds) : newestLine(lab, finder);
    },
  };
}

async function event(lab: Lab, finder: SourceFinder, seconds: number): Promise<Outcome> {
  const [reader] = await lab.cluster.pods(LOGGING_NAMESPACE, `app.kubernetes.io/name=${EVENT_READER_NAME}`);
  if (reader === undefined) {
    const cause = `the StatefulSet ${EVENT_READER_NAME} does not exist, or its pod is not admitted: \`${lab.up}\`, then \`kubectl -n ${LOGGING_NAMESPACE} get events\``;
    throw new UnmetPrecondition(`no ${EVENT_READER_NAME} pod`, cause);
  }
  await mustBeReady(lab, reader);
  const marker = newMarker();
  try {
    await lab.cluster.createEvent(reader, marker);
  } catch (error) {
    if (error instanceof ClusterError && error.kind === "forbidden")
      return skip(`needs the right to create events in ${LOGGING_NAMESPACE}`);
    throw error;
  }
  const result = await waitFor(seconds, () => finder.newest(lab, marker));
  if (result === undefined) {
    const cause = `${EVENT_READER_NAME} is running, but the destination has no such event: \`kubectl -n ${LOGGING_NAMESPACE} logs ${reader.name}\` shows what it cannot read or send`;
    return fail(`event ${marker} did not arrive within ${seconds} s`, cause, { marker });
  }
  const { where, unexpected } = result.found;
  const detail = `event found in ${where} after ${result.delayMs} ms`;
  const facts = { marker, where, delayMs: result.delayMs };
  return unexpected === undefined ? pass(detail, facts) : fail(detail, unexpected, facts);
}

async function newestLine(lab: Lab, { source, newest, back, whyMissing }: SourceFinder): Promise<Outcome> {
  const found = await newest(lab);
  const isSteady = STEADY.has(source);
  if (found === undefined && whyMissing !== undefined)
    return fail(`no line in the last ${ageText(back ?? 0)}`, whyMissing);
  if (found === undefined && back !== undefined)
    return warn(`no line in the last ${ageText(back)}`, `nodes may have written none to ${source}: look again later`);
  if (found === undefined)
    return isSteady
      ? fail(
          "no line",
          `the collector does not read ${source} or the destination refuses it: \`npm run verify -- --only collector\``,
        )
      : warn("no line", `nodes write little to ${source}: look again after a line of it`);
  const { where, at, unexpected } = found;
  const age = at === undefined ? undefined : Math.max(0, Math.round((Date.now() - at.getTime()) / 1000));
  const detail = `newest line in ${where}${age === undefined ? "" : ` is ${ageText(age)} old`}`;
  const facts = { where, ...(age === undefined ? {} : { ageSeconds: age }) };
  if (unexpected !== undefined) return fail(detail, unexpected, facts);
  if (isSteady && age !== undefined && age > STEADY_SECONDS)
    return warn(detail, `nodes write to ${source} more often: the collector or the destination may be behind`, facts);
  return pass(detail, facts);
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
