import type { KubeConfig } from "@kubernetes/client-node";
import type { StateObject } from "./state.ts";
import { readNamespace } from "./taken-namespaces.ts";

/**
 * Reports why namespaces are still being deleted, such as an object whose finalizer is not removed, or an API that does not answer. Pulumi
 * waits for them silently.
 * @returns a line per namespace.
 */
export async function endingNamespaces(config: KubeConfig, made: readonly StateObject[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { header } of made) {
    if (header.kind !== "Namespace") continue;
    const { name } = header.metadata;
    const found = await readNamespace(config, name);
    if (found?.metadata?.deletionTimestamp === undefined) continue;
    const reasons = (found.status?.conditions ?? []).flatMap(({ type, status, message = "" }) =>
      KEEPS.test(type) && status === "True" ? [message] : [],
    );
    lines.push(
      `Namespace ${name} is still being deleted: ${reasons.join("; ") || "the cluster does not say what keeps it"}`,
    );
  }
  return lines;
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus */
const KEEPS = /^Namespace(ContentRemaining|FinalizersRemaining|Deletion\w+Failure)$/;
