import { ClusterError, type PodFacts } from "../../kubernetes/cluster.ts";
import { type Lab, UnmetPrecondition } from "../lab.ts";
import { collectorPod, LOGGING_NAMESPACE, type MarkerFinder } from "./finder.ts";

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
      `${collector} is running but does not print the line: \`kubectl -n ${LOGGING_NAMESPACE} logs daemonset/${collector}\` shows what it reads`,
  };
}

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
      const cause = `the pod was created without it: \`${lab.up}\` replaces it`;
      throw new UnmetPrecondition(`no container ${collector} in ${pod.name}`, cause);
    },
    whyMissing: async (_lab, pod) => hint(collector, pod),
  };
}

function hint(collector: string, { namespace, name }: PodFacts): string {
  return `\`kubectl -n ${namespace} logs ${name} -c ${collector}\` shows what it reads and what was rejected`;
}

/** Enough of a file's end for what a node writes in a minute. */
const TAIL_BYTES = 4 * 1024 * 1024;
/** The kubelet serves this folder of its node. */
const SERVED = "/var/log/";

/**
 * Destination file: the kubelet of the pod's node serves the files below /var/log, so nothing has to run on the node. Needs the
 * right to get nodes/proxy.
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ (enableSystemLogHandler)
 */
export function fileFinder(folder: string, collector: string): MarkerFinder {
  const path = `/logs/${folder.slice(SERVED.length)}/`;
  return {
    place: `${folder} on the node`,
    async prepare(lab, pod) {
      await collectorPod(lab, collector, pod.node);
    },
    async find(lab, { marker, pod }) {
      for (const file of await filesBelow(lab, pod.node, path, 2)) {
        const text = await lab.cluster.proxyGet({ kind: "nodes", name: pod.node }, file, {
          Range: `bytes=-${TAIL_BYTES}`,
        });
        if (text.includes(marker)) return { where: `${SERVED}${file.slice("/logs/".length)}` };
      }
      return undefined;
    },
    whyMissing: async (_lab, pod) =>
      `${collector} is running on ${pod.node} but writes nothing for this pod below ${folder}`,
  };
}

/** Files of a folder as the kubelet lists them: a page of links. A folder that is not there yet holds none. */
async function filesBelow(lab: Lab, node: string, folder: string, depth: number): Promise<string[]> {
  const page = await lab.cluster.proxyGet({ kind: "nodes", name: node }, folder).catch((error) => {
    if (error instanceof ClusterError && error.kind === "not-found") return "";
    throw error;
  });
  const links = [...page.matchAll(/<a href="([^"?/]+\/?)">/g)].flatMap((match) => match[1] ?? []);
  const files = links.filter((link) => !link.endsWith("/")).map((link) => folder + link);
  if (depth === 0) return files;
  const folders = links.filter((link) => link.endsWith("/"));
  const deeper = await Promise.all(folders.map((link) => filesBelow(lab, node, folder + link, depth - 1)));
  return [...files, ...deeper.flat()];
}
