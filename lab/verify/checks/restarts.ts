import type { PodFacts } from "../../kubernetes/cluster.ts";
import { plural } from "../../output/table.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip, warn } from "../result.ts";

/** Older restarts are ignored. */
const RECENT_SECONDS = 600;
const OUT_OF_MEMORY = "OOMKilled";

/** Pods whose containers should not restart. */
export interface Steady {
  /** Name in the check's id, such as `coredns`. */
  readonly name: string;
  readonly namespace: string;
  /** Label of its pods, as `key=value`. */
  readonly selector: string;
  /** How to raise its memory limit. */
  readonly moreMemory: string;
}

/** No container was killed for its memory or restarted recently: one that works between two restarts passes all other rows. */
export function restartsCheck(steady: Steady): Check {
  return {
    id: `restarts:${steady.name}`,
    group: "restarts",
    what: "no container was restarted",
    from: steady.name,
    to: "",
    run: (lab) => restarts(lab, steady),
  };
}

async function restarts(lab: Lab, { name, namespace, selector, moreMemory }: Steady): Promise<Outcome> {
  const pods = await lab.cluster.pods(namespace, selector);
  if (pods.length === 0) return skip(`no pod of ${name} in ${namespace}`);
  const total = pods.reduce((sum, pod) => sum + pod.restarts, 0);
  const facts = { pods: pods.length, restarts: total };
  const [last] = pods.flatMap(endOf).toSorted((one, other) => one.seconds - other.seconds);
  if (last === undefined) return pass(`${plural(pods.length, "pod")}, not restarted`, facts);
  const { pod, seconds, reason, exitCode } = last;
  const detail = `${pod.name} restarted ${times(pod.restarts)}, last ${ago(seconds)} (${reason || "no reason"}, exit code ${exitCode})`;
  const found = { ...facts, reason, exitCode, secondsAgo: seconds };
  if (seconds > RECENT_SECONDS) return pass(detail, found);
  if (reason === OUT_OF_MEMORY)
    return fail(detail, `it needs more memory than its limit, and was killed: raise ${moreMemory}`, found);
  const previous = `\`kubectl -n ${namespace} logs ${pod.name} --previous\``;
  if (!pod.ready) return fail(detail, `it ends soon after it starts: ${previous} shows its last lines`, found);
  return warn(detail, `it runs again: ${previous} shows why it ended`, found);
}

function endOf(pod: PodFacts) {
  if (pod.ended === undefined) return [];
  const seconds = Math.max(0, Math.round((Date.now() - pod.ended.at.getTime()) / 1000));
  return [{ pod, seconds, ...pod.ended }];
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function ago(seconds: number): string {
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
