/** Node label by which EKS says what runs a node's pods. */
const COMPUTE_TYPE_LABEL = "eks.amazonaws.com/compute-type";

/** Node selector of pods whose images are for Linux alone. */
export const LINUX_NODES: Readonly<Record<string, string>> = { "kubernetes.io/os": "linux" };

/**
 * Node selector and affinity of a DaemonSet's pods that tolerate every taint: Linux nodes that are not Fargate's. Each Fargate node is made
 * for one pod, and repels others only by a taint: a tolerant DaemonSet's pod would stay pending there, and its rollout never end.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/fargate.html
 */
export function daemonNodes() {
  return {
    nodeSelector: { ...LINUX_NODES },
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: COMPUTE_TYPE_LABEL, operator: "NotIn", values: ["fargate"] }] },
          ],
        },
      },
    },
  };
}
