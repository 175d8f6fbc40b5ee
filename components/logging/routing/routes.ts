import { z } from "zod";
import { folderOf } from "../../aws/names.ts";
import { namespacesOf, type TeamNamespaces } from "../../kubernetes/labels.ts";
import { LabelKey, LabelValue, NamespaceName, string, unique } from "../../schema/values.ts";
import { type Destination, NamedDestination } from "../destinations/destination-settings.ts";
import { type IndexFormat, indexName, teamOf, todaysIndices } from "../indexing/index-format.ts";
import { ownSources, SOURCES, type Source, sourceIndex } from "../sources/source.ts";

/** Part of the names of containers, variables and AWS resources; each word begins with a letter, so that no two names collide there. */
const DestinationName = string(
  /^(?=.{1,20}$)[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/,
  "up to 20 lower-case letters, digits and '-', with a letter first and after each '-'",
);

const MAX_DESTINATIONS = 4;

/** Several destinations at once, by name. */
export const Destinations = z.record(DestinationName, NamedDestination).refine((named) => {
  const count = Object.keys(named).length;
  return count > 0 && count <= MAX_DESTINATIONS;
}, `must have 1 to ${MAX_DESTINATIONS} destinations`);

/** Levels of a line, and the words that programs write for each, in any case: those of syslog, Java, .NET and Go's zap among them. */
export const LEVELS = {
  trace: ["trace"],
  debug: ["debug"],
  info: ["info", "information", "informational", "notice"],
  warn: ["warn", "warning"],
  error: ["error", "err", "severe"],
  fatal: ["fatal", "critical", "crit", "panic", "dpanic", "alert", "emergency", "emerg"],
} as const;
export const LEVEL_NAMES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
/**
 * A regular expression for the words of some levels in any case, for Onigmo and RE2. Both take the long s, U+017F, for an s of another case.
 */
export function levelPattern(levels: readonly (keyof typeof LEVELS)[]): string {
  const words = levels.flatMap((level) => LEVELS[level]).join("|");
  return `(?i:${words.replaceAll("s", "(?-i:[sS])")})`;
}

/** Keys with the level of a JSON line, in order of precedence. */
export const LEVEL_KEYS = ["level", "severity"] as const;

/** A list with at least one item, and none twice. */
const uniqueList = <T extends z.ZodType>(item: T) => z.array(item).min(1, "must not be empty").superRefine(unique());

/** Conditions on pods' lines, of a route or of a rule that changes lines. */
export const CONDITIONS = {
  teams: uniqueList(z.string()).optional().describe("Teams. Default: all."),
  namespaces: uniqueList(NamespaceName).optional().describe("Namespaces. Default: all."),
  labels: z.record(LabelKey, LabelValue).optional().describe("Pods with all these labels."),
  streams: uniqueList(z.enum(["stdout", "stderr"]))
    .optional()
    .describe("Streams. Default: all."),
  levels: uniqueList(z.enum(LEVEL_NAMES)).optional().describe("Level or severity of JSON lines. Default: all."),
};

/** Sends lines that meet all conditions to some destinations. */
export const Route = z.strictObject({
  to: uniqueList(DestinationName).describe("Destinations."),
  sources: uniqueList(z.enum(SOURCES)).optional().describe("Default: pods if another condition is set, else all."),
  ...CONDITIONS,
});
export type Route = z.infer<typeof Route>;

/** What the name of a team must be, for a message about another one. */
export function teamRequirement(teams: readonly TeamNamespaces[]): string {
  if (teams.length === 0) return "must be the name of a team, but this stack has none";
  return `must be the name of a team, one of ${teams.map(({ name }) => name).join(", ")}`;
}

/** Conditions of a route, with teams resolved to namespaces. A missing key matches all lines. */
export interface Selection {
  readonly namespaces?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly streams?: readonly string[] | undefined;
  readonly levels?: readonly (keyof typeof LEVELS)[] | undefined;
}

/** A destination with its specific settings. */
export interface Target {
  /** Undefined for a stack's only destination, whose resources have no destination name in theirs. */
  readonly name: string | undefined;
  /** Suffix of the names of its AWS resources: its name, or undefined for none. */
  readonly suffix: string | undefined;
  /** Its path in the settings, below `logging`. */
  readonly path: readonly string[];
  /** Paths of its index names and its buffer size. */
  readonly indexPath: readonly string[];
  readonly bufferPath: readonly string[];
  readonly destination: Destination;
  readonly index: IndexFormat;
  readonly bufferSize: string;
  /** Sources with lines that go there. */
  readonly sources: readonly Source[];
  /** Pod lines that meet any of these go there; all lines if empty. */
  readonly selections: readonly Selection[];
  /** Separate places for teams there; empty if lines are not split by team. */
  readonly places: readonly TeamPlace[];
}

/** Collectors that support a log group or prefix per team. */
const SPLITS_PLACES: ReadonlySet<string> = new Set(["fluent-bit", "vector", "opentelemetry"]);

/** Whether a collector supports a place per team. @param id The collector's id. */
export function splitsPlaces(id: string): boolean {
  return SPLITS_PLACES.has(id);
}

interface RoutedSettings {
  readonly collector?: string;
  readonly sources?: readonly Source[];
  readonly destination?: Destination | undefined;
  readonly destinations?: Readonly<Record<string, NamedDestination>> | undefined;
  readonly routes?: readonly Route[];
  readonly index: IndexFormat;
  readonly buffer: { readonly size: string };
}

const STDOUT: Destination = { kind: "stdout" };

/** A stack's destination, or all of them sorted by name. */
export function targetsOf(settings: RoutedSettings, teams: readonly TeamNamespaces[] = []): Target[] {
  const { destination = STDOUT, destinations, routes = [], sources = ["pods"], index, buffer } = settings;
  const placesOf = (to: Destination, format: IndexFormat, selections: readonly Selection[]) =>
    splitsPlaces(settings.collector ?? "") ? teamPlaces(to, format, routedTeams(selections, teams)) : [];
  if (destinations === undefined)
    return [
      {
        name: undefined,
        suffix: undefined,
        path: ["destination"],
        indexPath: ["index"],
        bufferPath: ["buffer"],
        destination,
        index,
        bufferSize: buffer.size,
        sources,
        selections: [],
        places: placesOf(destination, index, []),
      },
    ];
  return Object.entries(destinations)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, named]) => {
      const itsRoutes = routes.filter(({ to }) => to.includes(name));
      const routedSources =
        routes.length === 0 ? sources : sources.filter((source) => itsRoutes.some((route) => takes(route, source)));
      const podSelections = itsRoutes.filter((route) => takes(route, "pods")).map((route) => selectionOf(route, teams));
      const selections = podSelections.some((selection) => Object.keys(selection).length === 0) ? [] : podSelections;
      return {
        name,
        suffix: named.wasDestination ? undefined : name,
        path: ["destinations", name],
        indexPath: named.index === undefined ? ["index"] : ["destinations", name, "index"],
        bufferPath: named.buffer.size === undefined ? ["buffer"] : ["destinations", name, "buffer"],
        destination: named,
        index: named.index ?? index,
        bufferSize: named.buffer.size ?? buffer.size,
        sources: routedSources,
        selections,
        places: routedSources.includes("pods") ? placesOf(named, named.index ?? index, selections) : [],
      };
    });
}

/** Route conditions that apply only to pod lines. */
export const POD_CONDITIONS = ["teams", "namespaces", "labels", "streams", "levels"] as const;

/** Whether lines of a source may match a route. */
export function takes(route: Route, source: Source): boolean {
  if (route.sources !== undefined) return route.sources.includes(source);
  return source === "pods" || POD_CONDITIONS.every((key) => route[key] === undefined);
}

/** The destination of settings with a single one, as with sidecars. */
export function onlyDestination({ destination = STDOUT }: Pick<RoutedSettings, "destination">): Destination {
  return destination;
}

/** A route's conditions. An unknown team has the one default namespace. */
export function selectionOf(route: Route, teams: readonly TeamNamespaces[]): Selection {
  const { namespaces, labels, streams, levels } = route;
  const ofTeams = route.teams?.flatMap((team) =>
    namespacesOf(teams.find(({ name }) => name === team) ?? { name: team }),
  );
  const both =
    ofTeams === undefined || namespaces === undefined
      ? (ofTeams ?? namespaces)
      : ofTeams.filter((name) => namespaces.includes(name));
  return {
    ...(both === undefined ? {} : { namespaces: [...new Set(both)].sort() }),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
    ...(streams === undefined || new Set(streams).size === 2 ? {} : { streams }),
    ...(levels === undefined ? {} : { levels }),
  };
}

/** The teams whose lines a destination may get. */
export function routedTeams<T extends TeamNamespaces>(selections: readonly Selection[], teams: readonly T[]): T[] {
  if (selections.length === 0) return [...teams];
  return teams.filter((team) =>
    selections.some(
      ({ namespaces }) => namespaces === undefined || namespacesOf(team).some((name) => namespaces.includes(name)),
    ),
  );
}

/** Destinations to which the audit log is forwarded; CloudWatch Logs already has it. */
export function filteredTargets<T extends Target>(targets: readonly T[]): T[] {
  return targets.filter(({ sources, destination }) => sources.includes("audit") && destination.kind !== "cloudwatch");
}

/** A destination's index names at a time, sorted: those of teams routed there, and of other sources. */
export function indicesOfTarget(
  { index, sources, selections }: Target,
  teams: readonly TeamNamespaces[],
  now: Date,
): string[] {
  const ofPods = sources.includes("pods") ? todaysIndices(index, routedTeams(selections, teams), now) : [];
  return [...ofPods, ...ownSources(sources).map((source) => indexName(sourceIndex(index, source), now))].sort();
}

/** Properties of a line that routes use. */
export interface RoutedLine {
  /** @default pods */
  readonly source?: Source;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stream: string;
  /** Fields of a JSON line. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Names of the destinations of a line. The collectors' configurations implement the same; a test compares them. */
export function destinationsOfLine(
  targets: readonly Pick<Target, "name" | "sources" | "selections">[],
  line: RoutedLine,
): string[] {
  const { source = "pods" } = line;
  return targets.flatMap(({ name, sources, selections }) =>
    name !== undefined &&
    sources.includes(source) &&
    (source !== "pods" || selections.length === 0 || selections.some((selection) => meets(line, selection)))
      ? [name]
      : [],
  );
}

/** Whether a line meets all conditions of a selection. */
export function meets({ namespace, labels, stream, fields = {} }: RoutedLine, selection: Selection): boolean {
  const word = LEVEL_KEYS.map((key) => fields[key]).find((value) => value !== undefined);
  const words: readonly string[] | undefined = selection.levels?.flatMap((level) => LEVELS[level]);
  return (
    (selection.namespaces?.includes(namespace) ?? true) &&
    Object.entries(selection.labels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selection.streams?.includes(stream) ?? true) &&
    (words === undefined || (typeof word === "string" && words.includes(word.toLowerCase())))
  );
}

/** Where a destination that is split by team stores a team's lines, or those of no team. */
export interface TeamPlace {
  /** Undefined for lines of no team. */
  readonly team: string | undefined;
  /** The team's namespaces; for lines of no team, those of all teams, which are excluded. */
  readonly namespaces: readonly string[];
}

/**
 * The places of a log group or bucket that is split by team. Unlike an index, a log group must exist before its first line, so only the
 * stack's teams have places.
 * @returns Teams' places by name, and the rest last; empty if lines are not split.
 */
export function teamPlaces(
  destination: Destination,
  index: IndexFormat,
  teams: readonly TeamNamespaces[],
): TeamPlace[] {
  if (destination.kind !== "cloudwatch" && destination.kind !== "s3") return [];
  if (index.splitBy !== "team" || teams.length === 0) return [];
  const places = [...teams]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((team) => ({ team: team.name, namespaces: namespacesOf(team).sort() }));
  return [...places, { team: undefined, namespaces: places.flatMap(({ namespaces }) => namespaces).sort() }];
}

/** Log group or prefix of a place: the destination's for lines of no team, and with `/TEAM` appended for a team's. */
export function placeName(base: string, team: string | undefined): string {
  return team === undefined ? base : folderOf(base) + team;
}

/** Team by namespace, for namespaces not named NAME-team. */
export function teamNames(teams: readonly TeamNamespaces[] = []): Readonly<Record<string, string>> {
  const pairs = teams.flatMap((team) =>
    namespacesOf(team).flatMap((namespace) =>
      teamOf(namespace) === team.name ? [] : [[namespace, team.name] as const],
    ),
  );
  return Object.fromEntries(pairs.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The place of a namespace's lines. */
export function placeOfNamespace(places: readonly TeamPlace[], namespace: string): TeamPlace | undefined {
  return places.find(({ team, namespaces }) => team === undefined || namespaces.includes(namespace));
}
