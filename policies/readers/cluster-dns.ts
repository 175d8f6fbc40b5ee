import { type Block, CorefileSyntaxError, parseBlocks, startOf } from "eks-dns-logging-corefile";
import { type Field, isKnownSo, type Resource, someKnown } from "../core/resource.ts";
import type { Report, ResourceRule, Rule, Settings } from "../core/rule.ts";
import type { Stack } from "../core/stack.ts";
import { CONFIG_MAP, CONFIG_MAPS, nameOf, namespaceOf, parseImage, podMetadataOf, podSpecOf } from "./workload.ts";
import { type Group, isGroup, parseQuietly } from "./yaml-texts.ts";

/** This program's component that creates or patches the cluster's DNS. */
export const CORE_DNS_COMPONENT = "eks-dns-logging:dns:CoreDns";
export const ADDON = "aws:eks/addon:Addon";
export const SYSTEM_NAMESPACE = "kube-system";
/** Types of workloads that serve DNS. */
export const DNS_WORKLOADS = ["kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet"];

/** Label of a cluster's DNS pods, and its values: the usual one, and that of CoreDNS's Helm chart as a cluster service. */
export const APP_LABEL = "k8s-app";
export const DNS_APP = "kube-dns";
const DNS_APPS: readonly string[] = [DNS_APP, "coredns"];

/** Names of CoreDNS's Deployment in kube-system: usually, and on RKE2. */
const USUAL_NAMES: readonly string[] = ["coredns", "rke2-coredns-rke2-coredns"];

/** Workloads that may run CoreDNS, cached by stack: each peer of each policy is compared with them. */
const POSSIBLE = new WeakMap<Stack, readonly Resource[]>();

function possibleCoreDns(stack: Stack): readonly Resource[] {
  const known = POSSIBLE.get(stack);
  if (known !== undefined) return known;
  const possible = stack.ofType(...DNS_WORKLOADS).filter((workload) => !isKnownSo(() => !runsCoreDns(workload)));
  POSSIBLE.set(stack, possible);
  return possible;
}

/** Whether any workload in the stack runs CoreDNS and meets a condition. @throws {Undecided} */
export function hasCoreDns(stack: Stack, isSo: (workload: Resource) => boolean): boolean {
  return someKnown(possibleCoreDns(stack), (workload) => isSo(workload) && runsCoreDns(workload));
}

/** Whether a container runs a CoreDNS image, from any registry: `coredns/coredns`, `rancher/hardened-coredns`. @throws {Undecided} */
function runsCoreDns(workload: Resource): boolean {
  return someKnown(podSpecOf(workload)?.at("containers").items() ?? [], (container) =>
    /(^|[/-])coredns$/.test(parseImage(container.at("image").text() ?? "").repository),
  );
}

/** UDP ports that a workload's containers declare. @throws {Undecided} */
export function udpPortsOf(workload: Resource): number[] {
  return (podSpecOf(workload)?.at("containers").items() ?? [])
    .flatMap((container) => container.at("ports").items())
    .flatMap((port) => (port.at("protocol").text() === "UDP" ? (port.at("containerPort").number() ?? []) : []));
}

/** Whether a resource belongs to this program's CoreDNS component. */
export function isOfComponent({ urn, type }: Resource): boolean {
  return urn.includes(`${CORE_DNS_COMPONENT}$${type}::`);
}

/** Whether the labels mark a cluster's DNS. @throws {Undecided} */
function hasDnsLabel(metadata: Field): boolean {
  return DNS_APPS.includes(metadata.at("labels", APP_LABEL).text() ?? "");
}

/** Whether a Corefile answers cluster names, or may by an import. */
function servesCluster(corefile: string): boolean {
  return /^\s*(kubernetes|import)\b/m.test(corefile);
}

/**
 * Whether a Deployment, or a patch of one, is the cluster's DNS: by its name in kube-system, or by the image and the label of its pods in any
 * namespace. Image or label alone is not enough: another CoreDNS may serve zones from etcd or a test. Nor is it the cluster's if the stack has
 * its Corefile and that answers no cluster names.
 * @throws {Undecided}
 */
export function isClusterDns(deployment: Resource, stack: Stack): boolean {
  if (isOfComponent(deployment)) return true;
  const marks = [() => runsCoreDns(deployment), () => hasDnsLabel(podMetadataOf(deployment))];
  const hasMark = marks.some(isKnownSo);
  if (hasMark && !marks.some((mark) => isKnownSo(() => !mark())) && !servesOtherNames(deployment, stack))
    return marks.every((mark) => mark());
  return USUAL_NAMES.includes(nameOf(deployment)) && namespaceOf(deployment) === SYSTEM_NAMESPACE;
}

/** Whether the stack has the Corefile of a workload's pods, and that answers no cluster names. */
function servesOtherNames(workload: Resource, stack: Stack): boolean {
  const volumes = podSpecOf(workload)?.at("volumes");
  return (
    volumes !== undefined &&
    isKnownSo(() => {
      const mounted = volumes.items().map((volume) => volume.at("configMap", "name").text());
      return someKnown(stack.ofType(CONFIG_MAP), (configMap) => {
        const corefile = configMap.at("data", "Corefile");
        if (corefile.raw === undefined || !mounted.includes(nameOf(configMap))) return false;
        return namespaceOf(configMap) === namespaceOf(workload) && !servesCluster(corefile.text() ?? "");
      });
    })
  );
}

export function isCoreDns(resource: Resource): boolean {
  return resource.type === ADDON && resource.at("addonName").text() === "coredns";
}

/** The add-on's configuration: empty if unset, undefined if not a JSON or YAML object. @throws {Undecided} */
export function configurationOf(addon: Resource): Group | undefined {
  const field = addon.at("configurationValues");
  const text = field.text();
  // With either empty form, the add-on keeps its defaults.
  if (text === undefined || text.trim() === "") return {};
  // EKS accepts YAML too, a superset of JSON.
  const value = parseQuietly(text);
  return isGroup(value) ? value : undefined;
}

/** A value in a configuration. */
export function inside(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isGroup(inner) ? inner[key] : undefined), value);
}

type Facts = Omit<ResourceRule, "check" | "types" | "family">;

/**
 * Whether a ConfigMap with a Corefile belongs to the cluster's DNS: in kube-system by the usual name or a Helm release's, in another
 * namespace by the name coredns or the chart's label, unless the Corefile answers no cluster names.
 */
function isConfigMap(resource: Resource, corefile: Field): boolean {
  const name = resource.at("metadata", "name").text() ?? "";
  const isNamed = name === "coredns";
  if (namespaceOf(resource) === SYSTEM_NAMESPACE && (isNamed || name.endsWith("-coredns"))) return true;
  return (isNamed || hasDnsLabel(resource.at("metadata"))) && servesCluster(corefile.text() ?? "");
}

/** A rule on the configuration of the CoreDNS add-on; `coredns-configuration-valid` reports an unreadable one. */
export function addonRule(
  facts: Facts,
  check: (configuration: Group, field: Field, report: Report, settings: Settings) => void,
): Rule {
  return {
    ...facts,
    family: "coredns",
    types: [ADDON],
    check: (addon, report, settings) => {
      if (!isCoreDns(addon)) return;
      const configuration = configurationOf(addon);
      if (configuration !== undefined) check(configuration, addon.at("configurationValues"), report, settings);
    },
  };
}

/** A rule on the Corefile in the add-on's configuration, if any, and in CoreDNS's ConfigMap. */
export function corefileRule(
  facts: Facts,
  check: (blocks: readonly Block[], field: Field, report: Report, settings: Settings, resource: Resource) => void,
): Rule {
  return {
    ...facts,
    family: "coredns",
    // A stack changes EKS's Corefile with a patch.
    types: [ADDON, ...CONFIG_MAPS],
    check: (resource, report, settings) => {
      const corefile = corefileOf(resource);
      if (corefile === undefined) return;
      const blocks = blocksOf(corefile.text, resource.type === ADDON);
      if (typeof blocks === "string") report.wrongIn(corefile.field, "the Corefile", blocks);
      else check(blocks, corefile.field, report, settings, resource);
    },
  };
}

/** A Corefile's server blocks, or why it cannot be parsed, or why the add-on's CoreDNS does not start with it. */
export function blocksOf(text: string, isAddon: boolean): readonly Block[] | string {
  const [problem] = isAddon ? startOf(text).errors : [];
  if (problem !== undefined) return `with which CoreDNS does not start: ${problem}`;
  try {
    return parseBlocks(text);
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return `which cannot be read, ${error.message}`;
    throw error;
  }
}

function corefileOf(resource: Resource): { readonly field: Field; readonly text: string } | undefined {
  if (resource.type === ADDON) {
    const corefile = isCoreDns(resource) ? configurationOf(resource)?.corefile : undefined;
    return typeof corefile === "string" ? { field: resource.at("configurationValues"), text: corefile } : undefined;
  }
  const field = resource.at("data", "Corefile");
  // Most ConfigMaps have none, so their names do not matter.
  if (field.raw === undefined || !isConfigMap(resource, field)) return undefined;
  const text = field.text();
  return text === undefined ? undefined : { field, text };
}
