import { matchesGlob } from "../core/exemption.ts";
import type { Resource } from "../core/resource.ts";
import { type Settings, text, texts } from "../core/rule-options.ts";
import type { Stack } from "../core/stack.ts";
import { nameOf, namespaceOf } from "../kubernetes/workload.ts";

export const NAMESPACE = "kubernetes:core/v1:Namespace";
export const LABEL = text("teamLabel", "Label that holds the name of a namespace's team", "team");
export const NAMES = texts("teamNames", "Names of team namespaces; * matches any text", ["*-team", "team-*"]);

/** Whether a namespace belongs to a team: by its label, or else by its name. @throws {Undecided} where neither tells. */
export function isTeams(namespace: Resource, settings: Settings): boolean {
  const label = namespace.at("metadata", "labels", settings.get(LABEL));
  if (!label.isUnknown && (label.text() ?? "") !== "") return true;
  if (settings.get(NAMES).some((pattern) => matchesGlob(pattern, nameOf(namespace)))) return true;
  return label.isSet;
}

/** By stack and type, since a stack of a thousand teams asks a thousand times. */
const BY_NAMESPACE = new WeakMap<Stack, Map<string, Map<string, Resource[]>>>();

/** Where resources stand whose namespace is unknown: no namespace can be called so. */
const NOWHERE_YET = "";

/**
 * Resources of a type in a namespace, and after them those that may be in it, as their namespace is unknown: {@link isIn} tells
 * them apart.
 */
export function inNamespace(stack: Stack, type: string, name: string): readonly Resource[] {
  const types = BY_NAMESPACE.get(stack) ?? new Map<string, Map<string, Resource[]>>();
  BY_NAMESPACE.set(stack, types);
  const namespaces = types.get(type) ?? Map.groupBy(stack.ofType(type), knownNamespaceOf);
  types.set(type, namespaces);
  return [...(namespaces.get(name) ?? []), ...(namespaces.get(NOWHERE_YET) ?? [])];
}

/** Whether a resource is in a namespace. @throws {Undecided} */
export function isIn(resource: Resource, name: string): boolean {
  return namespaceOf(resource) === name;
}

function knownNamespaceOf(resource: Resource): string {
  const places = [resource.at("metadata", "namespace"), resource.provider.at("namespace")];
  return places.some((place) => place.isUnknown) ? NOWHERE_YET : namespaceOf(resource);
}
