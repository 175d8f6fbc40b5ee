import { type Block, CorefileSyntaxError, parseBlocks, startOf } from "eks-dns-logging-corefile";
import { parse } from "yaml";
import type { Field, Resource } from "../../core/resource.ts";
import type { Report, ResourceRule, Rule } from "../../core/rule.ts";
import { hasDnsLabel, SYSTEM_NAMESPACE, servesCluster } from "../../readers/cluster-dns.ts";
import { namespaceOf } from "../../readers/workload.ts";

export const ADDON = "aws:eks/addon:Addon";
/** A patch of it is how a stack changes the Corefile that EKS has made. */
const CONFIG_MAPS = ["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:ConfigMapPatch"];

export function isCoreDns(resource: Resource): boolean {
  return resource.type === ADDON && resource.at("addonName").text() === "coredns";
}

export type Json = { readonly [key: string]: unknown };

export function isGroup(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The add-on's configuration: empty where there is none, undefined where it is no JSON or YAML object. @throws {Undecided} */
export function configurationOf(addon: Resource): Json | undefined {
  const field = addon.at("configurationValues");
  const text = field.text();
  // Both forms of nothing leave the add-on at its defaults.
  if (text === undefined || text.trim() === "") return {};
  try {
    // EKS takes YAML too, of which JSON is a part.
    const value: unknown = parse(text, { logLevel: "error" });
    return isGroup(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A value inside a configuration. */
export function inside(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isGroup(inner) ? inner[key] : undefined), value);
}

type Facts = Omit<ResourceRule, "check" | "types" | "family">;

/**
 * Whether a ConfigMap with a Corefile is of the cluster's DNS: in kube-system by the name that it has everywhere or that of a Helm release,
 * and in another namespace by CoreDNS's own name or by the label of the chart, unless that Corefile answers no names of the cluster.
 */
function isConfigMap(resource: Resource, corefile: Field): boolean {
  const name = resource.at("metadata", "name").text() ?? "";
  const isNamed = name === "coredns";
  if (namespaceOf(resource) === SYSTEM_NAMESPACE && (isNamed || name.endsWith("-coredns"))) return true;
  return (isNamed || hasDnsLabel(resource.at("metadata"))) && servesCluster(corefile.text() ?? "");
}

/** A rule on the configuration of the CoreDNS add-on; one that cannot be read is `coredns-configuration-valid`'s to tell. */
export function addonRule(
  facts: Facts,
  check: (configuration: Json, field: Field, report: Report, settings: Parameters<ResourceRule["check"]>[2]) => void,
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

/** A rule on the Corefile of the add-on, where it brings one, and of CoreDNS's ConfigMap. */
export function corefileRule(
  facts: Facts,
  check: (
    blocks: readonly Block[],
    field: Field,
    report: Report,
    settings: Parameters<ResourceRule["check"]>[2],
    resource: Resource,
  ) => void,
): Rule {
  return {
    ...facts,
    family: "coredns",
    types: [ADDON, ...CONFIG_MAPS],
    check: (resource, report, settings) => {
      const found = corefileOf(resource);
      if (found === undefined) return;
      const blocks = blocksOf(found.text, resource.type === ADDON);
      if (typeof blocks === "string") report.wrongIn(found.field, "the Corefile", blocks);
      else check(blocks, found.field, report, settings, resource);
    },
  };
}

/** The server blocks of a Corefile, or why it cannot be read, or why the add-on's CoreDNS does not start with it. */
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
  // Most ConfigMaps hold none, and then their names do not matter.
  if (field.raw === undefined || !isConfigMap(resource, field)) return undefined;
  const text = field.text();
  return text === undefined ? undefined : { field, text };
}
