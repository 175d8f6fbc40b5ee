import { type Block, CorefileSyntaxError, parseBlocks, startOf } from "eks-dns-logging-corefile";
import type { Field, Resource } from "../../core/resource.ts";
import type { Report, ResourceRule, Rule } from "../../core/rule.ts";
import { hasDnsLabel, SYSTEM_NAMESPACE, servesCluster } from "../../readers/cluster-dns.ts";
import { namespaceOf } from "../../readers/workload.ts";
import { type Group, isGroup, parseQuietly } from "../../readers/yaml-texts.ts";
import { ADDON } from "../aws/control-plane.ts";

/** A stack changes EKS's Corefile with a patch. */
const CONFIG_MAPS = ["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:ConfigMapPatch"];

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
  check: (configuration: Group, field: Field, report: Report, settings: Parameters<ResourceRule["check"]>[2]) => void,
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
