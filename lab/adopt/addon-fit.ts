import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../audit/kubernetes-object.ts";
import { at, groupAt, listAt, textAt } from "./live-objects.ts";

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
  const pod = at(deployment.content, "spec", "template", "spec");
  const spec = "spec.template.spec";
  for (const [field, value] of FIXED) {
    const found = at(pod, field);
    if (found !== undefined && found !== value)
      misfit(`${spec}.${field}`, `is ${show(found)}, the add-on's is ${show(value)}`);
  }
  for (const field of ABSENT)
    if (isSet(at(pod, field))) misfit(`${spec}.${field}`, `is ${show(at(pod, field))}, the add-on has none`);
  containerMisfits(listAt(pod, "containers"), misfit);
  const source = textAt(configMap?.content, "metadata", "name") ?? "coredns";
  for (const volume of listAt(pod, "volumes")) {
    const isCorefile = textAt(volume, "configMap", "name") === source && source === "coredns";
    const name = textAt(volume, "name") ?? "";
    const isTmp = at(volume, "emptyDir") !== undefined && name === "tmp";
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
    if (isSet(at(main, field))) misfit(`${path}.${field}`, `is ${show(at(main, field))}, the add-on has none`);
  for (const [probe, url, port] of PROBES) {
    const found = at(main, probe);
    if (found !== undefined && (textAt(found, "httpGet", "path") !== url || at(found, "httpGet", "port") !== port))
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
