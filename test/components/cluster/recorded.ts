import assert from "node:assert/strict";
import type { ClusterHandle } from "../../../components/cluster/handle.ts";
import { createCluster } from "../../../components/cluster/index.ts";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { type RecordOptions, record } from "../../../lab/plan/plan.ts";
import type { PlannedResource, Recording } from "../../../lab/plan/recording.ts";

/** The account that AWS's documentation uses. */
export const ACCOUNT = "111122223333";

export interface RecordedCluster extends Recording {
  readonly handle: ClusterHandle;
}

/** What a cluster of these settings registers, its handle, and its kubeconfig as an output. */
export async function recordCluster(
  settings: unknown,
  options: Partial<RecordOptions> & { region?: string; profile?: string } = {},
): Promise<RecordedCluster> {
  const { region = "eu-central-1", profile, ...more } = options;
  const handles: ClusterHandle[] = [];
  const recording = await record({ stack: "dev", config: {}, call: answer, ...more }, async () => {
    const { handle } = createCluster(ClusterSettings.parse(settings), region, profile);
    handles.push(handle);
    return { kubeconfig: handle.kubeconfig };
  });
  const [handle] = handles;
  assert.ok(handle !== undefined);
  return { ...recording, handle };
}

let standard: Promise<RecordedCluster> | undefined;

/** An EKS cluster without any settings, recorded once. */
export function standardCluster(): Promise<RecordedCluster> {
  standard ??= recordCluster({ kind: "eks" });
  return standard;
}

function answer(token: string, inputs: Record<string, unknown>): Record<string, unknown> {
  if (token.endsWith(":getCallerIdentity")) return { accountId: ACCOUNT };
  // In no order, as AWS gives them.
  if (token.endsWith(":getAvailabilityZones")) return { names: ["eu-central-1c", "eu-central-1a", "eu-central-1b"] };
  return inputs;
}

/** Names of what a resource needs, directly or through others. */
export function needs(resources: readonly PlannedResource[], resource: PlannedResource): Set<string> {
  const byUrn = new Map(resources.map((known) => [known.urn, known]));
  const found = new Set<string>();
  const visit = (urn: string) => {
    const known = byUrn.get(urn);
    if (known === undefined || found.has(known.name)) return;
    found.add(known.name);
    known.dependencies.forEach(visit);
  };
  resource.dependencies.forEach(visit);
  return found;
}

/** A JSON document among the inputs, such as a policy. */
export function document(resource: PlannedResource, input: string): unknown {
  const text = resource.inputs[input];
  assert.equal(typeof text, "string");
  return JSON.parse(String(text));
}
