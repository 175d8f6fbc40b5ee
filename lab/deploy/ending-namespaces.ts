import type { KubeConfig } from "@kubernetes/client-node";
import type { StateObject } from "./state.ts";
import { readNamespace } from "./taken-namespaces.ts";

/**
 * What keeps namespaces that are being deleted, as the cluster says: an object with a finalizer that nobody removes, or an API that does not
 * answer. Pulumi waits for them without a word.
 * @returns a line for each; empty where nothing does.
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
