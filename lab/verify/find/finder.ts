import type { PodFacts } from "../../kubernetes/cluster.ts";
import { type Lab, UnmetPrecondition, whyNotRunning } from "../lab.ts";

export interface Wanted {
  readonly marker: string;
  /** The pod that wrote it. */
  readonly pod: PodFacts;
  /** How far to look back. */
  readonly seconds: number;
}

/** Where a marker was found, such as the index or the log stream. */
export interface Found {
  readonly where: string;
  /** Set where it should not be just there, such as in an index with another name: what was expected. */
  readonly unexpected?: string;
}

/** Looks for a line where a collector sends logs. One for each kind of destination. */
export interface MarkerFinder {
  /** The destination, for the table. */
  readonly place: string;
  /** Whether the marker goes to a file of the application, which a sidecar reads, and not to stdout. Default false. */
  readonly inFile?: boolean;
  /** Set where the destination cannot be read from here: why. */
  readonly unable?: string;
  /**
   * Checks what must stand before it is worth waiting.
   * @throws {UnmetPrecondition} where it does not.
   */
  prepare?(lab: Lab, pod: PodFacts): Promise<void>;
  /** Undefined as long as the marker is not there. */
  find(lab: Lab, wanted: Wanted): Promise<Found | undefined>;
  /** One line on why it did not come. */
  whyMissing(lab: Lab, pod: PodFacts): Promise<string>;
}

/** A destination that cannot be read. */
export function unableFinder(place: string, unable: string): MarkerFinder {
  return { place, unable, find: async () => undefined, whyMissing: async () => unable };
}

/** Namespace of the collectors. */
export const LOGGING_NAMESPACE = "logging";

/**
 * The collector's pod on a node.
 * @throws {UnmetPrecondition} where there is none, or it does not run.
 */
export async function collectorPod(lab: Lab, collector: string, node: string): Promise<PodFacts> {
  const pods = await lab.cluster.pods(LOGGING_NAMESPACE, `app.kubernetes.io/name=${collector}`);
  const pod = pods.find((candidate) => candidate.node === node);
  if (pod === undefined) {
    const cause =
      pods.length === 0
        ? `the DaemonSet ${collector} does not exist, or its pods are not admitted: \`${lab.up}\`, then \`kubectl -n ${LOGGING_NAMESPACE} get events\``
        : `its tolerations or node selector exclude ${node}`;
    throw new UnmetPrecondition(`no ${collector} pod on node ${node}`, cause);
  }
  await mustBeReady(lab, pod);
  return pod;
}

/** @throws {UnmetPrecondition} where a pod of the logging namespace does not run or is not ready. */
export async function mustBeReady(lab: Lab, pod: PodFacts): Promise<void> {
  const unmet = whyNotRunning(pod, lab.up);
  if (unmet !== undefined) throw new UnmetPrecondition(unmet.message, await logHint(pod));
  if (!pod.ready)
    throw new UnmetPrecondition(`${pod.name} is not ready${pod.reason && ` (${pod.reason})`}`, await logHint(pod));
}

async function logHint(pod: PodFacts): Promise<string> {
  const image = /ImagePull|ErrImage/.test(pod.reason) ? "the node cannot pull its image; " : "";
  return `${image}\`kubectl -n ${pod.namespace} describe pod ${pod.name}\` and \`kubectl -n ${pod.namespace} logs ${pod.name}\` show the reason`;
}
