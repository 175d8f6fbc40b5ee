import { ApiException, type KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { asClusterError } from "../kubernetes/errors.ts";
import type { MadeObject } from "./deployment.ts";

/**
 * Which of a stack's objects the cluster has.
 * @throws {ClusterError}
 */
export async function thoseThere(config: KubeConfig, objects: readonly MadeObject[]): Promise<MadeObject[]> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const found: MadeObject[] = [];
  for (const object of objects) {
    const there = await api.read(object.header).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiException && error.code === 404) return false;
        throw asClusterError(error, `get ${object.header.kind} ${object.header.metadata.name}`);
      },
    );
    if (there) found.push(object);
  }
  return found;
}
