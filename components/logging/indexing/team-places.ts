import { teamNamespace } from "../../kubernetes/labels.ts";
import type { Destination } from "../destinations/destination-settings.ts";
import { type IndexFormat, teamOf } from "./index-format.ts";

/** Where the lines of a team go within a destination that is split by team, or those of no team. */
export interface TeamPlace {
  /** Undefined for lines of no team. */
  readonly team: string | undefined;
  /** Its namespaces; for lines of no team, those of all teams, which they are not from. */
  readonly namespaces: readonly string[];
}

interface Team {
  readonly name: string;
  readonly namespaces?: readonly { readonly name: string }[] | undefined;
}

/**
 * The places of a log group or bucket that is split by team. Unlike an index, a log group must be there before its first line, so
 * only the teams of the stack have one.
 * @returns Those of the teams by name, and the rest last; none where lines are not split.
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

/** The log group or the prefix of a place: that of the destination for lines of no team, and `/TEAM` behind it for a team's. */
export function placeName(base: string, team: string | undefined): string {
  return team === undefined ? base : folderOf(base) + team;
}

/** What precedes the names below a prefix: nothing where there is no prefix. */
export function folderOf(prefix: string): string {
  return prefix === "" ? "" : `${prefix}/`;
}

/** Teams of the namespaces that are not called NAME-team: namespace to team. */
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
