import type { PodFacts } from "../../kubernetes/cluster.ts";
import { Obstacle } from "../lab.ts";
import type { MarkerFinder } from "./finder.ts";

/** What a sidecar prints: the marker stands in its own log, in the pod that wrote it. */
export function sidecarStdoutFinder(collector: string): MarkerFinder {
  return {
    place: `${collector} stdout`,
    async find(lab, { marker, pod, seconds }) {
      const text = await lab.cluster.logs(pod, { container: collector, seconds });
      return text.includes(marker) ? { where: `log of ${pod.name}, container ${collector}` } : undefined;
    },
    whyMissing: async (_lab, pod) => hint(collector, pod),
  };
}

/** A finder whose lines come from a sidecar: they are written to a file, and the collector is a container of the pod itself. */
export function throughSidecar(finder: MarkerFinder, collector: string): MarkerFinder {
  return {
    ...finder,
    inFile: true,
    async prepare(lab, pod) {
      if (pod.containers.includes(collector)) return;
      const cause = `the pod was made without it: \`${lab.up}\` makes it again`;
      throw new Obstacle(`no container ${collector} in ${pod.name}`, cause);
    },
    whyMissing: async (_lab, pod) => hint(collector, pod),
  };
}

function hint(collector: string, { namespace, name }: PodFacts): string {
  return `\`kubectl -n ${namespace} logs ${name} -c ${collector}\` shows what it reads and what was refused`;
}
