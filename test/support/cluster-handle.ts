import * as k8s from "@pulumi/kubernetes";
import type { ClusterHandle } from "../../components/cluster/handle.ts";

/** A handle as an existing cluster gives it, with a resource to wait for. Only inside `record`. */
export function existingClusterHandle(changes: Partial<ClusterHandle> = {}): ClusterHandle {
  return {
    name: "laptop",
    provider: new k8s.Provider("laptop", {}),
    ready: [],
    kubeconfig: undefined,
    enforcesNetworkPolicies: false,
    addons: undefined,
    podIdentity: undefined,
    ...changes,
  };
}
