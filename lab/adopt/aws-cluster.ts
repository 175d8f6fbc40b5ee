import { isDeepStrictEqual } from "node:util";
import { isObject } from "../../components/schema/values.ts";
import { groupAt, type KubernetesObject, listAt, textAt, valueAt } from "../audit/kubernetes-object.ts";
import { isMissingProgram, run } from "../process.ts";

/** An EKS cluster as AWS describes it. */
export interface AwsCluster {
  readonly serviceCidr: string | undefined;
  readonly isAutoMode: boolean;
  /** Whether CoreDNS is an EKS add-on. */
  readonly hasCoreDnsAddon: boolean;
  /** Version of that add-on. The stack pins it, because another version would be an upgrade. */
  readonly coreDnsVersion?: string;
}

const TIMEOUT_SECONDS = 30;

/**
 * Describes a cluster with the AWS CLI, which `aws eks get-token` in the kubeconfig needs anyway.
 * @returns one sentence that says why nothing is known, if the CLI or credentials are missing.
 */
export async function describeCluster(name: string, region: string): Promise<AwsCluster | string> {
  const cluster = await ask(["describe-cluster", "--name", name], region);
  if (typeof cluster === "string") return cluster;
  const addon = await ask(["describe-addon", "--cluster-name", name, "--addon-name", "coredns"], region);
  if (typeof addon === "string" && !addon.includes("ResourceNotFoundException")) return addon;
  const { computeConfig } = isObject(cluster.cluster) ? cluster.cluster : {};
  const version = typeof addon === "string" ? undefined : textAt(addon, "addon", "addonVersion");
  return {
    serviceCidr: textAt(cluster, "cluster", "kubernetesNetworkConfig", "serviceIpv4Cidr"),
    isAutoMode: isObject(computeConfig) && computeConfig.enabled === true,
    hasCoreDnsAddon: typeof addon !== "string",
    ...(version === undefined ? {} : { coreDnsVersion: version }),
  };
}

/** The last line, which names the error, without its final period, so that it can be embedded in a sentence. */
function lastSentence(stderr: string): string {
  return (stderr.trim().split("\n").at(-1) ?? "").replace(/[.:]$/, "");
}

async function ask(args: readonly string[], region: string): Promise<Record<string, unknown> | string> {
  try {
    const { exitCode, stdout, stderr } = await run(
      "aws",
      ["eks", ...args, "--region", region, "--output", "json"],
      // Version 1 of the CLI has no such option.
      { timeoutSeconds: TIMEOUT_SECONDS, env: { AWS_PAGER: "" } },
    );
    if (exitCode !== 0) return `aws eks ${args[0]}: ${lastSentence(stderr)}`;
    const answer: unknown = JSON.parse(stdout);
    return isObject(answer) ? answer : `aws eks ${args[0]}: no JSON object`;
  } catch (error) {
    return isMissingProgram(error) ? "the AWS CLI is not installed" : `aws eks ${args[0]}: ${String(error)}`;
  }
}

/** A field of the running CoreDNS that the EKS add-on overwrites. */
export interface AddonMisfit {
  /** Path in the Deployment, or in the ConfigMap. */
  readonly field: string;
  readonly reason: string;
}

/** Image of the add-on, from any region's registry. */
const ADDON_IMAGE = /\/eks\/coredns:v\d+\.\d+\.\d+-eksbuild\.\d+/;

/**
 * What the add-on sets in its own pods; other values are lost.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
const FIXED: readonly (readonly [field: string, value: unknown])[] = [
  ["terminationGracePeriodSeconds", 30],
  ["dnsPolicy", "Default"],
  ["serviceAccountName", "coredns"],
  ["schedulerName", "default-scheduler"],
  ["priorityClassName", "system-cluster-critical"],
  ["restartPolicy", "Always"],
];
/** Fields that the add-on's own pods leave unset. */
const ABSENT: readonly string[] = [
  ...["hostNetwork", "hostPID", "dnsConfig", "hostAliases", "imagePullSecrets", "initContainers", "runtimeClassName"],
  ...["shareProcessNamespace", "hostname", "subdomain", "overhead", "readinessGates"],
];
const CONTAINER_ABSENT: readonly string[] = ["command", "env", "envFrom", "lifecycle", "startupProbe", "workingDir"];
const ARGS = ["-conf", "/etc/coredns/Corefile"];
const PROBES: readonly (readonly [probe: string, path: string, port: number])[] = [
  ["livenessProbe", "/health", 8080],
  ["readinessProbe", "/ready", 8181],
];

/**
 * Lists the fields of a running CoreDNS that the EKS add-on cannot keep; empty if it keeps everything.
 * @param configMap The ConfigMap with the Corefile.
 */
export function addonMisfits(deployment: KubernetesObject, configMap: KubernetesObject | undefined): AddonMisfit[] {
  const misfits: AddonMisfit[] = [];
  const misfit = (field: string, reason: string) => misfits.push({ field, reason });
  if (deployment.namespace !== "kube-system" || deployment.name !== "coredns")
    misfit("metadata.name", "the add-on is Deployment kube-system/coredns");
  const pod = valueAt(deployment.content, "spec", "template", "spec");
  const spec = "spec.template.spec";
  for (const [field, value] of FIXED) {
    const current = valueAt(pod, field);
    if (current !== undefined && current !== value)
      misfit(`${spec}.${field}`, `is ${show(current)}, the add-on's is ${show(value)}`);
  }
  for (const field of ABSENT)
    if (isSet(valueAt(pod, field))) misfit(`${spec}.${field}`, `is ${show(valueAt(pod, field))}, the add-on has none`);
  containerMisfits(listAt(pod, "containers"), misfit);
  const source = textAt(configMap?.content, "metadata", "name") ?? "coredns";
  for (const volume of listAt(pod, "volumes")) {
    const isCorefile = textAt(volume, "configMap", "name") === source && source === "coredns";
    const name = textAt(volume, "name") ?? "";
    const isTmp = valueAt(volume, "emptyDir") !== undefined && name === "tmp";
    if (!isCorefile && !isTmp && !name.startsWith("kube-api-access-"))
      misfit(`${spec}.volumes[${name}]`, "the add-on accepts no additional volumes");
  }
  for (const key of Object.keys(groupAt(configMap?.content, "data")).filter((key) => key !== "Corefile"))
    misfit(`ConfigMap data.${key}`, "the add-on's ConfigMap has the Corefile alone");
  return misfits;
}

function containerMisfits(containers: readonly unknown[], misfit: (field: string, reason: string) => void): void {
  const [main, ...others] = containers;
  for (const other of others)
    misfit(`spec.template.spec.containers[${textAt(other, "name") ?? ""}]`, "the add-on has one container");
  const path = `spec.template.spec.containers[${textAt(main, "name") ?? ""}]`;
  const image = textAt(main, "image") ?? "";
  if (!ADDON_IMAGE.test(image)) misfit(`${path}.image`, `is ${image}, the add-on brings its own build`);
  const args = listAt(main, "args");
  if (!isDeepStrictEqual(args, ARGS)) misfit(`${path}.args`, `is ${show(args)}, the add-on's is ${show(ARGS)}`);
  for (const field of CONTAINER_ABSENT)
    if (isSet(valueAt(main, field)))
      misfit(`${path}.${field}`, `is ${show(valueAt(main, field))}, the add-on has none`);
  for (const [probe, url, port] of PROBES) {
    const found = valueAt(main, probe);
    if (found !== undefined && (textAt(found, "httpGet", "path") !== url || valueAt(found, "httpGet", "port") !== port))
      misfit(`${path}.${probe}`, `the add-on's asks ${url} on :${port}`);
  }
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
