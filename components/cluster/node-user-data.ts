import { stringify } from "yaml";
import type { NodeGroupSettings } from "./node-group-settings.ts";

const BOUNDARY = "node-config";

/**
 * What a node of Amazon Linux 2023 is told as it starts, beside what EKS tells it itself: nodeadm merges both. Not encoded.
 * @returns undefined where the settings say nothing, which leaves the launch template as it is without.
 * @see https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/
 * @see https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-user-data
 */
export function nodeUserData({ containerLogs }: Pick<NodeGroupSettings, "containerLogs">): string | undefined {
  const { maxSize, maxFiles } = containerLogs;
  const config = {
    ...(maxSize === undefined ? {} : { containerLogMaxSize: maxSize }),
    ...(maxFiles === undefined ? {} : { containerLogMaxFiles: maxFiles }),
  };
  if (Object.keys(config).length === 0) return undefined;
  const nodeConfig = { apiVersion: "node.eks.aws/v1alpha1", kind: "NodeConfig", spec: { kubelet: { config } } };
  // Managed node groups take MIME parts alone.
  return [
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}"`,
    "",
    `--${BOUNDARY}`,
    "Content-Type: application/node.eks.aws",
    "",
    `${stringify(nodeConfig)}--${BOUNDARY}--`,
    "",
  ].join("\n");
}
