import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { getMonitor } from "@pulumi/pulumi/runtime/settings.js";
import ipaddr from "ipaddr.js";
import { parse } from "yaml";
import type { ClusterSettings, EksClusterSettings, ExistingClusterSettings } from "./settings.ts";

/**
 * Checks what a deployment needs of the machine that it runs on, so that what is missing is one line and not a provider's
 * stack trace. A plan runs against mocks and needs none of it.
 * @throws {pulumi.RunError} with what is missing and how to get it.
 */
export function preflight(settings: ClusterSettings): void {
  if (getMonitor() instanceof MockMonitor) return;
  if (settings.kind === "existing") {
    const mistake = kubeconfigMistake(settings, kubeconfigFiles(settings, process.env.KUBECONFIG));
    if (mistake !== undefined) throw new pulumi.RunError(mistake);
    return;
  }
  const mistake = awsCliMistake(awsCliVersion());
  if (mistake !== undefined) throw new pulumi.RunError(mistake);
  if (reachesNobody(settings)) {
    pulumi.log.warn(
      "cluster.endpointAccess.publicCidrs holds an address for documentation only: put your own there, or Pulumi cannot reach the cluster",
    );
  }
}

/** Files that a kubeconfig is read from: the one of the settings, else those of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigFiles(settings: ExistingClusterSettings, environment: string | undefined): string[] {
  if (settings.kubeconfig !== undefined) return [settings.kubeconfig.replace(/^~(?=\/|$)/, homedir())];
  const named = (environment ?? "").split(delimiter).filter((file) => file !== "");
  return named.length > 0 ? named : [join(homedir(), ".kube", "config")];
}

/** Why the kubeconfig cannot be used, in one line; undefined where it can. */
export function kubeconfigMistake(settings: ExistingClusterSettings, files: readonly string[]): string | undefined {
  const contexts: string[] = [];
  let current: string | undefined;
  let found = false;
  for (const file of files) {
    const document = readYaml(file);
    if (document === "missing") continue;
    found = true;
    if (document === "broken") return `cluster.kubeconfig: ${file} is no kubeconfig: it is not valid YAML`;
    contexts.push(...document.contexts);
    current ??= document.current;
  }
  if (!found)
    return `cluster.kubeconfig: there is no file ${files.join(" or ")}; name another, or make a cluster, for example by kind create cluster`;
  const wanted = settings.context ?? current;
  if (wanted === undefined || wanted === "")
    return `cluster.context: not set, and the kubeconfig has no current context; it has ${listed(contexts)}`;
  return contexts.includes(wanted)
    ? undefined
    : `cluster.context: found '${wanted}'; the kubeconfig has ${listed(contexts)}`;
}

function listed(contexts: readonly string[]): string {
  return contexts.length > 0 ? contexts.join(", ") : "no contexts";
}

interface Kubeconfig {
  readonly contexts: readonly string[];
  readonly current: string | undefined;
}

function readYaml(file: string): Kubeconfig | "missing" | "broken" {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return "missing";
  }
  try {
    const document: { contexts?: { name?: unknown }[]; "current-context"?: unknown } = parse(text) ?? {};
    const names = (document.contexts ?? []).flatMap(({ name }) => (typeof name === "string" ? [name] : []));
    const current = document["current-context"];
    return { contexts: names, current: typeof current === "string" ? current : undefined };
  } catch {
    return "broken";
  }
}

/** What `aws --version` says; undefined where there is no such program. */
function awsCliVersion(): string | undefined {
  const { status, stdout } = spawnSync("aws", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

/**
 * @pulumi/eks runs `aws eks get-token` for the kubeconfig that it makes.
 * @see https://www.pulumi.com/registry/packages/eks/installation-configuration/
 */
export function awsCliMistake(version: string | undefined): string | undefined {
  const [, major = "0", minor = "0"] = /^aws-cli\/(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 7)) return undefined;
  const found = version === undefined ? "none" : version.trim();
  return `an EKS stack needs the AWS CLI 2.7 or newer on the PATH, found ${found}: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html`;
}

/** Blocks that RFC 5737 keeps for documentation. */
function reachesNobody({ endpointAccess }: EksClusterSettings): boolean {
  return (
    endpointAccess.public &&
    endpointAccess.publicCidrs.every((cidr) => ipaddr.parse(cidr.split("/")[0] ?? "").range() === "reserved")
  );
}
