import { isGroup, type PlanDocument, type PlannedResourceDocument, UNKNOWN_TEXT, valueAt } from "./document.ts";
import { type FieldChange, type FieldPath, isMember, leafPaths } from "./fields.ts";
import { ID_SOURCES, KUBERNETES_IDENTITY, PROVIDER_IDENTITY, REPLACING_FIELDS } from "./replacement-table.ts";

/** Fields of a resource that cannot be changed on it, as the settings of its provider have it. */
export function replacingFields(resource: PlannedResourceDocument, plan: PlanDocument): string[] {
  const fields = [...(REPLACING_FIELDS[resource.type] ?? [])];
  if (resource.type === "pulumi:providers:kubernetes") {
    // With an identity of its own on both sides the provider ignores the kubeconfig, and adding one replaces nothing.
    return valueAt(resource.inputs, PROVIDER_IDENTITY.pinned) === undefined
      ? [...PROVIDER_IDENTITY.fromKubeconfig]
      : [PROVIDER_IDENTITY.pinned];
  }
  if (!resource.type.startsWith("kubernetes:")) return fields;
  fields.push(...KUBERNETES_IDENTITY);
  const provider = plan.resources.find((other) => other.urn === providerUrn(resource));
  const mutable = (setting: string) =>
    String(provider?.inputs[setting]) === "true" && valueAt(resource.inputs, "immutable") !== true;
  if (resource.type === "kubernetes:core/v1:ConfigMap" && !mutable("enableConfigMapMutable"))
    fields.push("data", "binaryData");
  if (resource.type === "kubernetes:core/v1:Secret") {
    fields.push("type", ...(mutable("enableSecretMutable") ? [] : ["data", "stringData"]));
  }
  return fields;
}

/** URN of a resource's provider, without the id that differs in each plan. Empty for the default one. */
export function providerUrn(resource: PlannedResourceDocument): string {
  const end = resource.provider.lastIndexOf("::");
  return end < 0 ? "" : resource.provider.slice(0, end);
}

/** Whether a change touches one of the fields: the field itself, something below it, or a group that holds it. */
export function touches(change: FieldChange, fields: readonly string[]): boolean {
  return leavesOf(change).some((leaf) => fields.some((field) => startsWith(leaf, field)));
}

/** Whether a change is in these fields only. */
export function isWithin(change: FieldChange, fields: readonly string[]): boolean {
  return leavesOf(change).every((leaf) => fields.some((field) => startsWith(leaf, field)));
}

function leavesOf({ path, before, after }: FieldChange): FieldPath[] {
  return [...leafPaths(before, path), ...leafPaths(after, path)];
}

/** `*` stands for any key, `[*]` for each member of a list. */
function startsWith(path: FieldPath, field: string): boolean {
  return field.split(/\.|(?=\[)/).every((step, index) => {
    const actual = path[index];
    return actual !== undefined && (actual === step || step === "*" || (step === "[*]" && isMember(actual)));
  });
}

/**
 * The fields that get another id because the resource that the id comes from is replaced: they are unknown on both sides, so that
 * the plans alone look the same.
 * @param replaced types of the replaced resources that this one depends on.
 */
export function fieldsWithNewIds(
  resource: PlannedResourceDocument,
  fields: readonly string[],
  replaced: ReadonlySet<string>,
): string[] {
  return fields.filter((field) => {
    const source = ID_SOURCES[field];
    return source !== undefined && replaced.has(source) && holdsUnknown(valueAt(resource.inputs, ...field.split(".")));
  });
}

function holdsUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return value === UNKNOWN_TEXT;
}

/** What a resource is called outside Pulumi: `ts-team/curl-ts`, `eks-dns-logging-dev`. Its Pulumi name where it has no other. */
export function outsideName(resource: PlannedResourceDocument): string {
  const { metadata } = resource.inputs;
  if (isGroup(metadata)) {
    return [metadata.namespace, metadata.name].filter((part) => typeof part === "string").join("/") || resource.name;
  }
  const names = ["name", "bucket", "nodeGroupName", "addonName"].map((key) => resource.inputs[key]);
  return names.find((name): name is string => typeof name === "string" && name !== UNKNOWN_TEXT) ?? resource.name;
}
