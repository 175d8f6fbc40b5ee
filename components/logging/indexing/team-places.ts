import { folderOf } from "../../aws/names.ts";
import { teamNamespace } from "../../kubernetes/labels.ts";
import type { Destination } from "../destinations/destination-settings.ts";
import { type IndexFormat, teamOf } from "./index-format.ts";

/** Where a destination that is split by team stores a team's lines, or those of no team. */
export interface TeamPlace {
  /** Undefined for lines of no team. */
  readonly team: string | undefined;
  /** The team's namespaces; for lines of no team, those of all teams, which are excluded. */
  readonly namespaces: readonly string[];
}

interface Team {
  readonly name: string;
  readonly namespaces?: readonly { readonly name: string }[] | undefined;
}

/**
 * The places of a log group or bucket that is split by team. Unlike an index, a log group must exist before its first line, so only the
 * stack's teams have places.
 * @returns Teams' places by name, and the rest last; empty if lines are not split.
 */
export function teamPlaces(destination: Destination, index: IndexFormat, teams: readonly Team[]): TeamPlace[] {
  if (destination.kind !== "cloudwatch" && destination.kind !== "s3") return [];
  if (index.splitBy !== "team" || teams.length === 0) return [];
  const places = [...teams]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, namespaces = [{ name: teamNamespace(name) }] }) => ({
      team: name,
      namespaces: namespaces.map((namespace) => namespace.name).sort(),
    }));
  return [...places, { team: undefined, namespaces: places.flatMap(({ namespaces }) => namespaces).sort() }];
}

/** Log group or prefix of a place: the destination's for lines of no team, and with `/TEAM` appended for a team's. */
export function placeName(base: string, team: string | undefined): string {
  return team === undefined ? base : folderOf(base) + team;
}

/** Team by namespace, for namespaces not named NAME-team. */
export function teamNames(teams: readonly Team[] = []): Readonly<Record<string, string>> {
  const pairs = teams.flatMap(({ name, namespaces = [] }) =>
    namespaces.flatMap((namespace) => (teamOf(namespace.name) === name ? [] : [[namespace.name, name] as const])),
  );
  return Object.fromEntries(pairs.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The place of a namespace's lines. */
export function placeOfNamespace(places: readonly TeamPlace[], namespace: string): TeamPlace | undefined {
  return places.find(({ team, namespaces }) => team === undefined || namespaces.includes(namespace));
}
