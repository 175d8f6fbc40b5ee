import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { HANDLE } from "../components/cluster/handle.ts";
import type { ClusterHandle } from "../components/index.ts";
import { IP_FAMILIES } from "../components/kubernetes/ip-family.ts";
import { ArgumentsError } from "../components/schema/errors.ts";
import { parsedJson } from "../components/schema/values.ts";

const Tags = z.record(z.string(), z.string());

/** A cluster's handle as data. Resources become URNs, and the provider becomes the engine's reference to it. */
const ClusterReference = z.object({
  name: z.string(),
  provider: z.string(),
  ready: z.array(z.string()),
  enforcesNetworkPolicies: z.boolean().default(false),
  runsDaemonSets: z.boolean().default(true),
  dnsAddresses: z.array(z.string()).optional(),
  ipFamily: z.enum(IP_FAMILIES).optional(),
  addons: z
    .object({
      clusterName: z.string(),
      kubernetesVersion: z.string().optional(),
      preserve: z.boolean().default(false),
      tags: Tags,
    })
    .optional(),
  access: z.object({ clusterName: z.string(), tags: Tags }).optional(),
  podIdentity: z
    .object({
      clusterName: z.string(),
      region: z.string(),
      partition: z.string(),
      tags: Tags,
      agent: z.string().optional(),
    })
    .optional(),
});

/** Serializes the handle, so that programs in other languages can pass it from one component to another. */
export async function referenceTo(handle: ClusterHandle): Promise<string> {
  const { provider, ready, kubeconfig: _secret, podIdentity, ...plain } = handle;
  const { id, ...known } = await pulumi.runtime.serializeProperties("handle", {
    ...plain,
    podIdentity: podIdentity && { ...podIdentity, agent: podIdentity.agent?.urn },
    ready: ready.map(({ urn }) => urn),
    urn: provider.urn,
    id: provider.id,
  });
  // In a preview, a new provider's id is the engine's placeholder, which a reference may contain too.
  return JSON.stringify(
    ClusterReference.parse({ ...known, provider: `${known.urn}::${id ?? pulumi.runtime.unknownValue}` }),
  );
}

/**
 * Deserializes a handle.
 * @param component Name of the component that it is an argument of.
 * @throws {ArgumentsError} for text that is not a reference.
 */
export function handleOf(component: string, reference: unknown): ClusterHandle {
  const parsed = ClusterReference.safeParse(parsedJson(String(reference)));
  if (!parsed.success) {
    throw new ArgumentsError([{ path: [component, "cluster"], message: HANDLE }]);
  }
  const { provider, ready, addons, podIdentity, ...plain } = parsed.data;
  return {
    ...plain,
    provider: new pulumi.DependencyProviderResource(provider),
    ready: ready.map((urn) => new pulumi.DependencyResource(urn)),
    addons: addons && { ...addons, kubernetesVersion: addons.kubernetesVersion },
    podIdentity: podIdentity && {
      ...podIdentity,
      agent: podIdentity.agent === undefined ? undefined : new pulumi.DependencyResource(podIdentity.agent),
    },
  };
}
