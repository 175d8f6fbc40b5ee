import type { TeamPlace } from "../../indexing/team-places.ts";
import { LEVEL_KEYS, levelPattern, type Selection } from "../../routing/routes.ts";

/** Prefix of the resource attributes with a pod's labels. */
export const LABEL = "label/";

/** The path of a resource attribute. */
export function resource(name: string): string {
  return `resource.attributes["${name}"]`;
}

/** A string literal. */
export function text(value: string): string {
  return JSON.stringify(value);
}

/**
 * OTTL condition for records that match a route; undefined if all lines do. The record is the body.
 * @param place Restricts it to the lines of this place. Default: all.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/ottl/LANGUAGE.md
 */
export function routeCondition(selections: readonly Selection[], place?: TeamPlace): string | undefined {
  const parts = [
    ...(selections.length === 0 ? [] : [any(selections.map((selection) => all(conditions(selection))))]),
    ...(place === undefined ? [] : [isAt(place)]),
  ];
  return parts.length === 0 ? undefined : all(parts);
}

function isAt({ team, namespaces }: TeamPlace): string {
  const ofTeam = is(resource("k8s.namespace.name"), namespaces);
  return team === undefined ? `not (${ofTeam})` : ofTeam;
}

function is(path: string, values: readonly string[]): string {
  return any(values.map((value) => `${path} == ${text(value)}`));
}

function conditions({ namespaces, labels = {}, streams, levels }: Selection): string[] {
  return [
    ...(namespaces === undefined ? [] : [is(resource("k8s.namespace.name"), namespaces)]),
    ...Object.entries(labels).map(([key, value]) => is(resource(LABEL + key), [value])),
    ...(streams === undefined ? [] : [is('log.body["stream"]', streams)]),
    ...(levels === undefined ? [] : [hasLevel(levels)]),
  ];
}

/** The first key that exists counts. OTLP from applications without one of the keys has its own severity. */
function hasLevel(levels: NonNullable<Selection["levels"]>): string {
  const pattern = text(`^${levelPattern(levels)}$`);
  const fields = 'log.body["fields"]';
  const has = (key: string) => `ContainsValue(Keys(${fields}), ${text(key)})`;
  const inFields = LEVEL_KEYS.map((key, index) => {
    const path = `${fields}[${text(key)}]`;
    const none = LEVEL_KEYS.slice(0, index).map((earlier) => `not ${has(earlier)}`);
    return all([...none, `IsString(${path})`, `IsMatch(${path}, ${pattern})`]);
  });
  const absent = any([`${fields} == nil`, all(LEVEL_KEYS.map((key) => `not ${has(key)}`))]);
  return any([all([`${fields} != nil`, any(inFields)]), all([absent, `IsMatch(log.severity_text, ${pattern})`])]);
}

/** Conditions are evaluated from left to right, and only as far as needed: an error in one would count as false. */
function all(parts: readonly string[]): string {
  return joined(parts, " and ");
}

function any(parts: readonly string[]): string {
  return joined(parts, " or ");
}

function joined(parts: readonly string[], word: string): string {
  return parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(word)})`;
}
