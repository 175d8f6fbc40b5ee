import { spawnSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";
import ipaddr from "ipaddr.js";
import { formatIssue, type SettingsIssue } from "../schema/errors.ts";
import { findServer, kubeconfigFiles, serverIssue } from "./kubeconfig.ts";
import type { ClusterSettings, EksClusterSettings, KubeconfigSettings } from "./settings.ts";

/**
 * Checks what a deployment needs on this machine, so that a missing program is one line instead of a provider's stack trace. Plans skip it,
 * because they have no engine.
 * @param warnings Settings without effect and deprecated names, to be logged; a plan shows them itself.
 * @throws {pulumi.RunError} with what is missing and how to get it.
 */
export async function preflight(settings: ClusterSettings, warnings: readonly SettingsIssue[] = []): Promise<void> {
  if (!pulumi.runtime.hasEngine()) return;
  for (const warning of warnings) await pulumi.log.warn(formatIssue(warning));
  const issue = await deploymentIssue(settings, process.env);
  if (issue !== undefined) throw new pulumi.RunError(issue);
  const warning = settings.kind === "eks" ? endpointWarning(settings) : undefined;
  if (warning !== undefined) pulumi.log.warn(warning);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What is missing on this machine, in one line; undefined if nothing is. */
export async function deploymentIssue(
  settings: ClusterSettings,
  environment: Environment,
): Promise<string | undefined> {
  if (settings.kind === "existing") return existingIssue(settings, environment);
  const hasKubeconfig = settings.kind === "eks-existing" && (settings.kubeconfig ?? settings.context) !== undefined;
  return hasKubeconfig ? existingIssue(settings, environment) : awsCliIssue(awsCliVersion(environment));
}

/** Why an existing cluster cannot be used, in one line; undefined if its server can be reached. */
export async function existingIssue(
  settings: KubeconfigSettings,
  environment: Environment,
): Promise<string | undefined> {
  const found = findServer(settings, kubeconfigFiles(settings, environment.KUBECONFIG));
  if ("issue" in found) {
    const advice =
      found.absent && found.setting === "kubeconfig"
        ? "; set another, or create a cluster, for example with kind create cluster"
        : "";
    return `cluster.${found.setting}: ${found.issue}${advice}`;
  }
  // A proxied server may be unreachable directly.
  const proxied = found.proxied || environment.HTTPS_PROXY !== undefined || environment.https_proxy !== undefined;
  const issue = proxied ? undefined : await serverIssue(found.server);
  return issue === undefined
    ? undefined
    : `cluster: context '${found.context}' names the server ${found.server}, which ${issue}; start the cluster, or name another context`;
}

/** Output of `aws --version`; undefined if there is no such program. Early version 1 printed it to stderr. */
export function awsCliVersion(environment: Environment): string | undefined {
  const { status, stdout, stderr } = spawnSync("aws", ["--version"], {
    encoding: "utf8",
    env: { ...environment },
    timeout: 20_000,
  });
  return status === 0 ? stdout || stderr : undefined;
}

/**
 * Why a version of the AWS CLI is too old: @pulumi/eks runs `aws eks get-token` for its kubeconfig, and has the same requirement.
 * @see https://www.pulumi.com/registry/packages/eks/installation-configuration/
 */
export function awsCliIssue(version: string | undefined): string | undefined {
  const [major = 0, minor = 0] = (/^aws-cli\/(\d+)\.(\d+)/.exec(version ?? "") ?? []).slice(1).map(Number);
  if (major > 2 || (major === 2 && minor >= 7) || (major === 1 && minor >= 24)) return undefined;
  const found = version === undefined ? "none" : version.trim();
  return `an EKS stack needs the AWS CLI 2.7 (or 1.24) or newer on the PATH, found ${found}: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html`;
}

/** Warns if a public endpoint only admits addresses that RFC 5737 reserves for documentation, as in an example. */
export function endpointWarning({ endpointAccess }: EksClusterSettings): string | undefined {
  const isExample = (cidr: string) => ipaddr.parse(cidr.split("/")[0] ?? "").range() === "reserved";
  return endpointAccess.public && endpointAccess.publicCidrs.every(isExample)
    ? "cluster.endpointAccess.publicCidrs contains a documentation address: replace it with your own, or Pulumi cannot reach the cluster"
    : undefined;
}
