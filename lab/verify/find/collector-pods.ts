import type { PodFacts } from "../../kubernetes/cluster.ts";
import { type Lab, Obstacle, whyNotRunning } from "../lab.ts";

/** Namespace of the collectors. */
export const LOGGING_NAMESPACE = "logging";

/**
 * The collector's pod on a node.
 * @throws {Obstacle} where there is none, or it does not run.
 */
export async function collectorPod(lab: Lab, collector: string, node: string): Promise<PodFacts> {
  const pods = await lab.cluster.pods(LOGGING_NAMESPACE, `app.kubernetes.io/name=${collector}`);
  const pod = pods.find((candidate) => candidate.node === node);
  if (pod === undefined) {
    const cause =
      pods.length === 0
        ? `the DaemonSet ${collector} is not there, or its pods are not admitted: \`${lab.up}\`, then \`kubectl -n ${LOGGING_NAMESPACE} get events\``
        : `its tolerations or node selector leave ${node} out`;
    throw new Obstacle(`no ${collector} pod on node ${node}`, cause);
  }
  await mustBeReady(lab, pod);
  return pod;
}

/** @throws {Obstacle} where a pod of the logging namespace does not run or is not ready. */
export async function mustBeReady(lab: Lab, pod: PodFacts): Promise<void> {
  const obstacle = whyNotRunning(pod, lab.up);
  if (obstacle !== undefined) throw new Obstacle(obstacle.message, await logHint(pod));
  if (!pod.ready) throw new Obstacle(`${pod.name} is not ready${pod.reason && ` (${pod.reason})`}`, await logHint(pod));
}

async function logHint(pod: PodFacts): Promise<string> {
  const image = /ImagePull|ErrImage/.test(pod.reason) ? "the node cannot pull its image; " : "";
  return `${image}\`kubectl -n ${pod.namespace} describe pod ${pod.name}\` and \`kubectl -n ${pod.namespace} logs ${pod.name}\` say why`;
}
