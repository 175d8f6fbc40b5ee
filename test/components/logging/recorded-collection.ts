import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost } from "../../../components/aws/partition.ts";
import { LogCollection } from "../../../components/logging/log-collection.ts";
import type { LogCollectionArgs } from "../../../components/logging/log-collection-args.ts";
import { record } from "../../../lab/plan/plan.ts";
import type { Recording } from "../../../lab/plan/recording.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find } from "../../support/find.ts";

type Aws = "on AWS" | "elsewhere";

/** What a cluster on EKS gives pods an AWS identity with. */
export function podIdentityOf(agent: pulumi.Resource): PodIdentityHost {
  return { clusterName: "dev", region: "eu-central-1", partition: "aws", tags: { a: "b" }, agent };
}

/**
 * The resources of a log collection named logs, with the team ts.
 * @param logTypes What the control plane logs. Default: not known.
 */
export async function collect(
  args: Omit<LogCollectionArgs, "cluster">,
  where: Aws = "elsewhere",
  logTypes?: readonly string[],
): Promise<Recording> {
  const call = (_token: string, inputs: object) => ({ ...inputs, accountId: "111122223333" });
  return record({ stack: "test", config: {}, preview: false, call }, async () => {
    const agent = new k8s.core.v1.ConfigMap("agent", {});
    const podIdentity = podIdentityOf(agent);
    const cluster = existingClusterHandle({
      name: "dev",
      ready: [agent],
      podIdentity: where === "on AWS" ? podIdentity : undefined,
      logTypes,
    });
    new LogCollection("logs", { teams: [{ name: "ts" }], ...args, cluster });
  });
}

/** The pod of the collector's DaemonSet, as plain JSON. */
export function podOf(recording: Recording, collector = "fluent-bit") {
  const daemonSet = find(recording.resources, "kubernetes:apps/v1:DaemonSet", `logs-${collector}-daemonset`);
  return JSON.parse(JSON.stringify(daemonSet.inputs.spec)).template.spec;
}
