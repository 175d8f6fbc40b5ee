import { spawnSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";
import ipaddr from "ipaddr.js";
import { formatIssue, type SettingsIssue } from "../schema/errors.ts";
import { findServer, kubeconfigFiles, serverIssue } from "./kubeconfig.ts";
import type { ClusterSettings, EksClusterSettings, KubeconfigSettings } from "./settings.ts";

/**
 * Checks what a deployment needs of the machine that it runs on, so that what is missing is one line and not a provider's
 * stack trace. A plan has no engine and needs none of it.
 * @param warnings Settings without effect and deprecated names, which are logged here; a plan shows them by itself.
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

/** What is missing on this machine, in one line; undefined where nothing is. */
export async function deploymentIssue(
  settings: ClusterSettings,
  environment: Environment,
): Promise<string | undefined> {
  if (settings.kind === "existing") return existingIssue(settings, environment);
  const byFile = settings.kind === "eks-existing" && (settings.kubeconfig ?? settings.context) !== undefined;
  return byFile ? existingIssue(settings, environment) : awsCliIssue(awsCliVersion(environment));
}

/** Why an existing cluster cannot be used, in one line; undefined where its server can be reached. */
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
  // What a proxy reaches, a connection from here need not.
  const proxied = found.proxied || environment.HTTPS_PROXY !== undefined || environment.https_proxy !== undefined;
  const issue = proxied ? undefined : await serverIssue(found.server);
  return issue === undefined
    ? undefined
    : `cluster: context '${found.context}' names the server ${found.server}, which ${issue}; start the cluster, or name another context`;
}

/** What `aws --version` says; undefined where there is no such program. Version 1 of old wrote it to stderr. */
export function awsCliVersion(environment: Environment): string | undefined {
  const { status, stdout, stderr } = spawnSync("aws", ["--version"], {
    encoding: "utf8",
    env: { ...environment },
    timeout: 20_000,
  });
  return status === 0 ? stdout || stderr : undefined;
}

/**
 * @pulumi/eks runs `aws eks get-token` for the kubeconfig that it makes, and takes the same versions.
 * @see https://www.pulumi.com/registry/packages/eks/installation-configuration/
 */
export function awsCliIssue(version: string | undefined): string | undefined {
  const [major = 0, minor = 0] = (/^aws-cli\/(\d+)\.(\d+)/.exec(version ?? "") ?? []).slice(1).map(Number);
  if (major > 2 || (major === 2 && minor >= 7) || (major === 1 && minor >= 24)) return undefined;
  const found = version === undefined ? "none" : version.trim();
  return `an EKS stack needs the AWS CLI 2.7 (or 1.24) or newer on the PATH, found ${found}: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html`;
}

/** Warns of a public endpoint for nobody but the addresses that RFC 5737 keeps for documentation, as an example has them. */
export function endpointWarning({ endpointAccess }: EksClusterSettings): string | undefined {
  const isExample = (cidr: string) => ipaddr.parse(cidr.split("/")[0] ?? "").range() === "reserved";
  return endpointAccess.public && endpointAccess.publicCidrs.every(isExample)
    ? "cluster.endpointAccess.publicCidrs contains a documentation address: replace it with your own, or Pulumi cannot reach the cluster"
    : undefined;
}
