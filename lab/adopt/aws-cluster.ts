import { isObject } from "../../components/schema/values.ts";
import { run } from "../process.ts";
import { textAt } from "./live-objects.ts";

/** An EKS cluster as AWS describes it. */
export interface AwsCluster {
  readonly serviceCidr: string | undefined;
  readonly isAutoMode: boolean;
  /** Whether CoreDNS is an EKS add-on. */
  readonly hasCoreDnsAddon: boolean;
}

const TIMEOUT_SECONDS = 30;

/**
 * Asks AWS by its CLI, which `aws eks get-token` in the kubeconfig needs anyway.
 * @returns why it is not known, in one sentence, where the CLI or credentials are missing.
 */
export async function describeCluster(name: string, region: string): Promise<AwsCluster | string> {
  const cluster = await ask(["describe-cluster", "--name", name], region);
  if (typeof cluster === "string") return cluster;
  const addon = await ask(["describe-addon", "--cluster-name", name, "--addon-name", "coredns"], region);
  if (typeof addon === "string" && !addon.includes("ResourceNotFoundException")) return addon;
  const { computeConfig } = isObject(cluster.cluster) ? cluster.cluster : {};
  return {
    serviceCidr: textAt(cluster, "cluster", "kubernetesNetworkConfig", "serviceIpv4Cidr"),
    isAutoMode: isObject(computeConfig) && computeConfig.enabled === true,
    hasCoreDnsAddon: typeof addon !== "string",
  };
}

async function ask(args: readonly string[], region: string): Promise<Record<string, unknown> | string> {
  try {
    const { exitCode, stdout, stderr } = await run(
      "aws",
      ["eks", ...args, "--region", region, "--output", "json", "--no-cli-pager"],
      { timeoutSeconds: TIMEOUT_SECONDS },
    );
    if (exitCode !== 0) return `aws eks ${args[0]}: ${stderr.trim().split("\n").at(-1) ?? ""}`;
    const answer: unknown = JSON.parse(stdout);
    return isObject(answer) ? answer : `aws eks ${args[0]}: no JSON object`;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing ? "the AWS CLI is not installed" : `aws eks ${args[0]}: ${String(error)}`;
  }
}
