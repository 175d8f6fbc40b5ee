import type { LogPipeline } from "../../pipeline.ts";
import { LEVEL_KEYS, levelPattern, type Selection } from "../../routing/routes.ts";
import { ownSources } from "../../sources/source.ts";
import { type Section, tagOf } from "./service.ts";

/** Key of records that match a route. */
const ROUTED = "routed";

/** Matches the tags of some namespaces, at no cost per record. Undefined means all. */
export function namespaceMatch(namespaces: readonly (readonly string[] | undefined)[]): Section {
  const all = namespaces.some((names) => names === undefined) || namespaces.length === 0;
  if (all) return { match: "kube.*" };
  const names = [...new Set(namespaces.flatMap((list = []) => list))].sort();
  return { match_regex: `^kube\\.(${names.join("|")})_` };
}

/** Matches the tags of all lines that may go to a destination, including the journal's. */
export function tagMatch({ sources, selections }: Pick<LogPipeline, "sources" | "selections">): Section {
  const pods = namespaceMatch(selections.map(({ namespaces }) => namespaces));
  const otherSources = ownSources(sources);
  if (otherSources.length === 0) return pods;
  const parts = [
    ...(sources.includes("pods") ? [String(pods.match_regex ?? "^kube\\.").replace(/^\^/, "")] : []),
    `(${otherSources.map((source) => tagOf(source).replace(".", "\\.")).join("|")})$`,
  ];
  return { match_regex: `^(${parts.join("|")})` };
}

/** Drops pod lines that match no route, as far as the tag does not decide: a record that meets all conditions of a route is marked. */
export function routeFilters(selections: readonly Selection[]): Section[] {
  if (selections.every(({ labels, streams, levels }) => !labels && !streams && !levels)) return [];
  const every = { match: "kube.*" };
  return [
    ...selections.flatMap((selection) =>
      conditions(selection).map((condition) => ({ name: "modify", ...every, condition, set: `${ROUTED} yes` })),
    ),
    { name: "grep", ...every, regex: `${ROUTED} ^yes$` },
    { name: "modify", ...every, remove: ROUTED },
  ];
}

/**
 * Conditions of a selection, all of which must hold: one list for each key that may hold the line's level.
 * @param others Further conditions.
 */
export function conditions(
  { namespaces, labels = {}, streams, levels }: Selection,
  others: readonly string[] = [],
): string[][] {
  const is = (key: string, values: readonly string[]) =>
    `key_value_matches ${key} ^(${values.map((value) => value.replaceAll(".", "\\.")).join("|")})$`;
  const common = [
    ...(namespaces === undefined ? [] : [is("$kubernetes['namespace_name']", namespaces)]),
    ...Object.entries(labels).map(([key, value]) => is(`$kubernetes['labels']['${key}']`, [value])),
    ...(streams === undefined ? [] : [is("$stream", streams)]),
    ...others,
  ];
  if (levels === undefined) return [common];
  const pattern = levelPattern(levels);
  return LEVEL_KEYS.map((key, index) => [
    ...common,
    `key_value_matches $fields['${key}'] \\A${pattern}\\z`,
    ...LEVEL_KEYS.slice(0, index).map((earlier) => `key_does_not_exist $fields['${earlier}']`),
  ]);
}
