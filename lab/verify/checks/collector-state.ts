import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { LOGGING_NAMESPACE } from "../../../components/logging/pipeline.ts";
import type { CollectorId } from "../../../components/logging/settings.ts";
import type { PodFacts } from "../../kubernetes/cluster.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip } from "../result.ts";

/** Pod label of a collector, as `key=value`. */
export function collectorSelector(collector: CollectorId): string {
  return `app.kubernetes.io/name=${collector}`;
}

/**
 * The collector's state is on its node's disk: its position in each file, and unsent data. Reads the live pods and configuration, because a
 * lost position only shows when a pod is replaced.
 */
export function stateCheck(collector: CollectorId): Check {
  return {
    id: `state:${collector}`,
    group: "state",
    what: "positions and buffer outlive the pod",
    from: collector,
    to: "nodes",
    run: (lab) => state(lab, collector),
  };
}

async function state(lab: Lab, collector: CollectorId): Promise<Outcome> {
  const [pods, files] = await Promise.all([
    lab.cluster.pods(LOGGING_NAMESPACE, collectorSelector(collector)),
    lab.cluster.configMap(LOGGING_NAMESPACE, collector),
  ]);
  if (pods.length === 0) return skip(`no pod of ${collector} in ${LOGGING_NAMESPACE}`);
  const folder = COLLECTORS[collector]?.stateFolder;
  const paths = [...new Set([...(folder === undefined ? [] : [folder]), ...pathsIn(files)])];
  const facts = { pods: pods.length, paths };
  for (const pod of pods) {
    const lost = paths.find((path) => !isOnNode(pod, path));
    if (lost !== undefined)
      return fail(
        `${lost} of ${pod.name} is not on the node`,
        `it is gone with the pod, and may be small: compare ConfigMap ${collector} and the volumes of its DaemonSet in ${LOGGING_NAMESPACE} with \`npm run plan\``,
        { ...facts, lost, pod: pod.name },
      );
  }
  return pass(`${paths.join(", ")} of ${pods.length === 1 ? "1 pod" : `${pods.length} pods`}`, facts);
}

/** The paths where Fluent Bit keeps both; other collectors keep them in their folder. */
function pathsIn(files: Readonly<Record<string, string>>): string[] {
  const text = Object.values(files).join("\n");
  return [...text.matchAll(/^\s*(?:db|storage\.path): (\/\S+)$/gm)].flatMap(([, path]) => path ?? []);
}

/** Whether the innermost mount of a path is a folder of the node. */
function isOnNode({ mounts }: PodFacts, path: string): boolean {
  const around = mounts.filter((mount) => path === mount.path || path.startsWith(`${mount.path}/`));
  return around.toSorted((one, other) => other.path.length - one.path.length)[0]?.onNode ?? false;
}
