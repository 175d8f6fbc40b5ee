import { ClusterError } from "../../kubernetes/cluster.ts";
import type { Lab } from "../lab.ts";
import { collectorPod } from "./collector-pods.ts";
import type { MarkerFinder } from "./finder.ts";

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
    whyMissing: async (_lab, pod) => `${collector} runs on ${pod.node} and writes nothing of this pod below ${folder}`,
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
