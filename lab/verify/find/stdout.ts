import { collectorPod, LOGGING_NAMESPACE } from "./collector-pods.ts";
import type { MarkerFinder } from "./finder.ts";

/** Destination stdout: the collector prints what it collects, so the marker stands in the log of its pod on the same node. */
export function stdoutFinder(collector: string): MarkerFinder {
  return {
    place: `${collector} stdout`,
    async prepare(lab, pod) {
      await collectorPod(lab, collector, pod.node);
    },
    async find(lab, { marker, pod, seconds }) {
      const source = await collectorPod(lab, collector, pod.node);
      const container = source.containers.includes(collector) ? collector : (source.containers[0] ?? collector);
      const text = await lab.cluster.logs(source, { container, seconds });
      return text.includes(marker) ? { where: `log of ${source.name}` } : undefined;
    },
    whyMissing: async () =>
      `${collector} runs and does not print the line: \`kubectl -n ${LOGGING_NAMESPACE} logs daemonset/${collector}\` shows what it reads`,
  };
}
