import { matchesGlob } from "../core/exemption.ts";
import { type Settings, text, texts } from "../core/knob.ts";
import type { Resource } from "../core/resource.ts";
import type { Stack } from "../core/stack.ts";
import { nameOf, namespaceOf } from "../kubernetes/pod-spec.ts";

export const NAMESPACE = "kubernetes:core/v1:Namespace";
export const LABEL = text("teamLabel", "Label that names a namespace's team", "team");
export const NAMES = texts("teamNames", "Names of namespaces that belong to a team; * stands for any text", [
  "*-team",
  "team-*",
]);

/** Whether a namespace belongs to a team: by its label, or else by its name. @throws {Undecided} where neither tells. */
export function isTeams(namespace: Resource, settings: Settings): boolean {
  const label = namespace.at("metadata", "labels", settings.get(LABEL));
  if (!label.isUnknown && (label.text() ?? "") !== "") return true;
  if (settings.get(NAMES).some((pattern) => matchesGlob(pattern, nameOf(namespace)))) return true;
  return label.isSet;
}

/** By stack and type, since a stack of a thousand teams asks a thousand times. */
const BY_NAMESPACE = new WeakMap<Stack, Map<string, Map<string, Resource[]>>>();

/** Resources of a type in a namespace. @throws {Undecided} where one's namespace is unknown. */
export function inNamespace(stack: Stack, type: string, name: string): readonly Resource[] {
  const types = BY_NAMESPACE.get(stack) ?? new Map<string, Map<string, Resource[]>>();
  BY_NAMESPACE.set(stack, types);
  const namespaces = types.get(type) ?? Map.groupBy(stack.ofType(type), namespaceOf);
  types.set(type, namespaces);
  return namespaces.get(name) ?? [];
}
