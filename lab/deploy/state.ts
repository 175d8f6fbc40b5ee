import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { asClusterError } from "../kubernetes/cluster-error.ts";

const Resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  inputs: z.looseObject({}).optional(),
  /** URN and id of its provider, as `URN::ID`. */
  provider: z.string().optional(),
});
type Resource = z.infer<typeof Resource>;

/** The part of a stack's state that is read here; all else is kept as it is. */
const Deployment = z.looseObject({
  resources: z.array(Resource).optional(),
  pending_operations: z.array(z.looseObject({ type: z.string(), resource: Resource })).optional(),
});
export type Deployment = z.infer<typeof Deployment>;

/** Reads what `pulumi stack export` gives under `deployment`. */
export function readDeployment(exported: unknown): Deployment {
  return Deployment.parse(exported ?? {});
}

/** A Kubernetes object that a stack has made. */
export interface MadeObject {
  readonly urn: string;
  /** What the API needs to find it. */
  readonly header: Header;
}
export type Header = KubernetesObject & { metadata: { name: string; namespace?: string } };

/** The Kubernetes objects in the state, those that were being made when a run was cut off included. */
export function madeObjects(deployment: Deployment): MadeObject[] {
  return [...(deployment.resources ?? []), ...pendingCreates(deployment)].flatMap((resource) => {
    const header = headerOf(resource);
    return header === undefined ? [] : [{ urn: resource.urn, header }];
  });
}

/** Pods of the state by `namespace/name`, as URNs. */
export function podUrns(deployment: Deployment): Map<string, string> {
  const pods = madeObjects(deployment).filter(({ header }) => header.kind === "Pod");
  return new Map(pods.map(({ urn, header }) => [`${header.metadata.namespace}/${header.metadata.name}`, urn]));
}

export function pendingCreates(deployment: Deployment): Resource[] {
  return (deployment.pending_operations ?? []).flatMap(({ type, resource }) => (type === "creating" ? [resource] : []));
}

/**
 * A state that knows the objects which a cut-off run had sent to the cluster and not yet noted. Without this the next run would make
 * them again and fail, since they are there. The following refresh fills in the rest.
 */
export function adopted(deployment: Deployment, there: ReadonlySet<string>): Deployment {
  const found = pendingCreates(deployment).filter((resource) => there.has(resource.urn));
  const resources = [
    ...(deployment.resources ?? []),
    ...found.map((resource) => ({ ...resource, id: idOf(headerOf(resource)), outputs: resource.inputs })),
  ];
  const { pending_operations: _, ...rest } = deployment;
  return { ...rest, resources };
}

/** The Kubernetes provider's id: `namespace/name`, or the name of an object without namespace. */
function idOf(header: Header | undefined): string {
  const { namespace, name } = header?.metadata ?? { name: "" };
  return namespace === undefined ? name : `${namespace}/${name}`;
}

const Inputs = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
});

function headerOf({ type, inputs }: Resource): Header | undefined {
  if (!type.startsWith("kubernetes:")) return undefined;
  const parsed = Inputs.safeParse(inputs);
  if (!parsed.success) return undefined;
  const { apiVersion, kind, metadata } = parsed.data;
  const { name, namespace } = metadata;
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

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
  const fixed = adopted(deployment, new Set(there.map((object) => object.urn)));
  await stack.importStack({ ...exported, deployment: fixed });
  process.stderr.write("The last run was interrupted; recovering\n");
  return fixed;
}
