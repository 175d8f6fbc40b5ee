import type { KubeConfig } from "@kubernetes/client-node";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { adopted, type Deployment, madeObjects, pendingCreates, readDeployment } from "./deployment.ts";
import { thoseThere } from "./objects.ts";

/**
 * Takes the traces of a cut-off run out of a stack's state: what it had made is noted, what it had not is forgotten.
 * @returns the state as it is now.
 */
export async function settled(stack: Stack, config: KubeConfig): Promise<Deployment> {
  const exported = await stack.exportStack();
  const deployment = readDeployment(exported.deployment);
  if ((deployment.pending_operations ?? []).length === 0) return deployment;
  const pending = new Set(pendingCreates(deployment).map((resource) => resource.urn));
  const candidates = madeObjects(deployment).filter((object) => pending.has(object.urn));
  const there = await thoseThere(config, candidates);
  const mended = adopted(deployment, new Set(there.map((object) => object.urn)));
  await stack.importStack({ ...exported, deployment: mended });
  process.stderr.write("The last run was cut off; going on from there\n");
  return mended;
}
