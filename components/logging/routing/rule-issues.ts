import { isDeepStrictEqual } from "node:util";
import { namespacesOf, type TeamNamespaces } from "../../kubernetes/labels.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import type { Collector } from "../collectors/collector.ts";
import { hasIndex } from "../pipeline.ts";
import { PROCESSING_STEPS, type ProcessingStep } from "../processing/settings.ts";
import type { LoggingSettings } from "../settings.ts";
import {
  POD_CONDITIONS,
  type Route,
  type Selection,
  selectionOf,
  splitsPlaces,
  takes,
  teamRequirement,
} from "./routes.ts";

/**
 * Errors and warnings of several destinations and their routes. Paths are below `logging`.
 * @param teams Default: unknown, and any team name may be right.
 */
export function routeIssues(
  settings: LoggingSettings,
  collector: Collector,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { destination, destinations, routes, mode, buffer } = settings;
  if (destinations === undefined) {
    if (routes.length === 0) return [];
    const message = "must not be set without destinations, to which routes lead";
    return [{ path: ["routes"], message }];
  }
  const issues: SettingsIssue[] = [];
  const add = (path: SettingsIssue["path"], message: string, value?: unknown) => issues.push({ path, message, value });
  const names = Object.keys(destinations);
  if (destination !== undefined) add([], "destination and destinations are mutually exclusive");
  if (collector.routes !== true)
    add(["destinations"], `must not be set with ${collector.title}, ${collector.routes}: set destination`, names);
  if (mode === "sidecar")
    add(["destinations"], "must not be set with mode sidecar, which sends to one destination: set destination", names);
  if (buffer.whenFull === "block" && names.length > 1) {
    const message = "must not be block with several destinations, since the outage of one would stop all";
    add(["buffer", "whenFull"], message, buffer.whenFull);
  }
  const former = names.filter((name) => destinations[name]?.wasDestination);
  for (const name of former.slice(1))
    add(["destinations", name, "wasDestination"], `must be false, since ${former[0]} was the only destination`, true);
  issues.push(...listIssues(settings, names, teams), ...unusedOptions(settings));
  return issues;
}

/** Issues of the routes, and sources and destinations that no route has. */
function listIssues(
  settings: LoggingSettings,
  names: readonly string[],
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { routes, sources } = settings;
  const issues = routes.flatMap((route, index) => issuesOfRoute(route, ["routes", index], settings, names, teams));
  if (routes.length === 0) return issues;
  const unrouted = sources.filter((source) => !routes.some((route) => takes(route, source)));
  if (unrouted.length > 0)
    issues.push({
      path: ["sources"],
      message: `must each have a route, but ${unrouted.join(", ")} ${unrouted.length === 1 ? "has" : "have"} none`,
      value: sources,
    });
  const unreached = names.filter((name) => !routes.some(({ to }) => to.includes(name)));
  const message = "must be in the list to of a route, or no line goes there";
  return [...issues, ...unreached.map((name) => ({ path: ["destinations", name], message }))];
}

/** Issues of a single route. */
function issuesOfRoute(
  route: Route,
  path: SettingsIssue["path"],
  { sources, parseJson, ...collected }: LoggingSettings,
  names: readonly string[],
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const issues = [
    ...unknownNames(route.to, [...path, "to"], names, `must be the name of a destination: ${names.join(", ")}`),
    ...unknownNames(
      route.sources ?? [],
      [...path, "sources"],
      sources,
      `must be one of sources: ${sources.join(", ")}`,
    ),
  ];
  if (route.sources !== undefined && !isDeepStrictEqual(route.sources, ["pods"]))
    for (const key of POD_CONDITIONS) {
      if (route[key] === undefined) continue;
      const message = "must not be set with sources other than pods, since it applies only to pods' lines";
      issues.push({ path: [...path, key], message, value: route[key] });
    }
  if (teams !== undefined) {
    const teamNames = teams.map(({ name }) => name);
    issues.push(...unknownNames(route.teams ?? [], [...path, "teams"], teamNames, teamRequirement(teams)));
  }
  if (selectionOf(route, teams ?? []).namespaces?.length === 0)
    issues.push({ path, message: "teams and namespaces have no namespace in common, so no line takes this route" });
  issues.push(...uncollectedWarnings(route, path, collected, teams));
  if (route.levels !== undefined && !parseJson)
    issues.push({
      path: [...path, "levels"],
      message: "must not be set with parseJson false, which leaves no level",
    });
  return issues;
}

/** Reports each unknown name in a list. */
function unknownNames(
  list: readonly string[],
  path: SettingsIssue["path"],
  allowed: readonly string[],
  message: string,
): SettingsIssue[] {
  return list.flatMap((name, index) =>
    allowed.includes(name) ? [] : [{ path: [...path, index], message, value: name }],
  );
}

/** Reports index names of destinations without indices, and `wasDestination` without a log group or bucket of this stack. */
function unusedOptions({ collector, destinations = {} }: LoggingSettings): SettingsIssue[] {
  return Object.entries(destinations).flatMap(([name, destination]): SettingsIssue[] => {
    const { kind, index, wasDestination } = destination;
    const without = (key: string, reason: string): SettingsIssue => ({
      path: ["destinations", name, key],
      message: `has no effect with destination ${kind}, ${reason}`,
      severity: "warning",
    });
    const inAws = kind === "cloudwatch" || kind === "s3";
    const splits = inAws && index?.splitBy === "team" && splitsPlaces(collector);
    return [
      ...(index === undefined || hasIndex(destination) || splits ? [] : [without("index", "which has no indices")]),
      ...(wasDestination && !(inAws && !destination.existing)
        ? [without("wasDestination", "which has no log group or bucket of this stack")]
        : []),
    ];
  });
}

/** Settings that select the collected pods. */
interface Collected {
  /** Namespace of the collectors. */
  readonly namespace: string;
  readonly namespaces: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  readonly labels: Readonly<Record<string, string>>;
}

/** The conditions of a route or rule that select pods. */
interface PodConditions {
  readonly namespaces?: readonly string[] | undefined;
  readonly teams?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * A warning for each namespace, team and label of a route or rule of which no line is collected.
 * @param path Path of the route or rule.
 * @param teams Default: unknown, and any of their namespaces may be collected.
 */
function uncollectedWarnings(
  conditions: PodConditions,
  path: SettingsIssue["path"],
  collected: Collected,
  teams: readonly TeamNamespaces[] = [],
): SettingsIssue[] {
  const warning = (keys: SettingsIssue["path"], reason: string, value: string): SettingsIssue => ({
    path: [...path, ...keys],
    message: `has no effect, since ${reason}`,
    value,
    severity: "warning",
  });
  const namespaces = (conditions.namespaces ?? []).flatMap((name, index) => {
    const reason = whyNotCollected(name, collected);
    return reason === undefined ? [] : [warning(["namespaces", index], reason, name)];
  });
  const ofTeams = (conditions.teams ?? []).flatMap((team, index) => {
    const found = teams.find(({ name }) => name === team);
    const names = found === undefined ? [] : namespacesOf(found);
    return found === undefined || names.some((name) => whyNotCollected(name, collected) === undefined)
      ? []
      : [warning(["teams", index], `logging.namespaces leaves out ${names.join(" and ")}`, team)];
  });
  const labels = Object.entries(conditions.labels ?? {}).flatMap(([key, value]) => {
    const other = collected.labels[key];
    return other === undefined || other === value
      ? []
      : [warning(["labels", key], `logging.labels collects only pods with ${key}: ${other}`, value)];
  });
  return [...namespaces, ...ofTeams, ...labels];
}

/** A selection without namespaces that are not collected; undefined if nothing remains. */
export function collectedPart(selection: Selection, collected: Collected): Selection | undefined {
  const namespaces = selection.namespaces?.filter((name) => whyNotCollected(name, collected) === undefined);
  const labels = Object.entries(selection.labels ?? {});
  if (namespaces?.length === 0 || labels.some(([key, value]) => (collected.labels[key] ?? value) !== value))
    return undefined;
  return { ...selection, ...(namespaces === undefined ? {} : { namespaces }) };
}

function whyNotCollected(name: string, { namespace, namespaces: { include, exclude } }: Collected): string | undefined {
  if (name === namespace) return "the collector's own namespace is never read";
  if (exclude.includes(name)) return "logging.namespaces.exclude leaves it out";
  return include.length > 0 && !include.includes(name) ? "logging.namespaces.include leaves it out" : undefined;
}

/**
 * Errors and warnings of the processing settings. Paths are below `logging`.
 * @param teams Default: unknown, and any team name may be right.
 */
export function processingIssues(
  settings: LoggingSettings,
  collector: Collector,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { processing, metadata, mode } = settings;
  const issues: SettingsIssue[] = [];
  for (const step of PROCESSING_STEPS.filter((name) => isSet(processing[name]))) {
    const path = ["processing", step];
    const support = collector.processing[step];
    if (support !== true)
      issues.push({ path, message: `must not be set with ${collector.title}, ${support}`, value: processing[step] });
    else if (mode === "sidecar" && ONLY_ON_NODES.has(step)) {
      const message = "must not be set with mode sidecar, which reads the files of one pod";
      issues.push({ path, message, value: processing[step] });
    }
  }
  issues.push(...clusterFieldIssues(metadata, collector));
  for (const step of ["drop", "sample", "limit", "firstLines"] as const)
    for (const [index, rule] of processing[step].entries())
      issues.push(...ruleIssues(rule, ["processing", step, index], settings, teams));
  return issues;
}

/** Issues of the fields that name the cluster. */
function clusterFieldIssues(
  { cluster, accountId }: LoggingSettings["metadata"],
  collector: Collector,
): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  const addsFields = collector.processing.fields === true;
  if (cluster && !addsFields) {
    const message = `must be false with ${collector.title}, which adds no fields here`;
    issues.push({ path: ["metadata", "cluster"], message, value: true });
  }
  if (accountId !== undefined && cluster === false)
    issues.push({ path: ["metadata"], message: "accountId and cluster: false are mutually exclusive" });
  else if (accountId !== undefined && !addsFields) {
    const message = `must not be set with ${collector.title}, which adds no fields here`;
    issues.push({ path: ["metadata", "accountId"], message, value: accountId });
  }
  return issues;
}

/** Steps that distinguish pods or times, which a sidecar's files do not. */
const ONLY_ON_NODES: ReadonlySet<ProcessingStep> = new Set(["sample", "limit", "firstLines"]);
/** Conditions that its files do not have either. */
const CONDITIONS_ON_NODES = ["namespaces", "teams", "labels", "streams"] as const;

function isSet(value: object): boolean {
  return Object.keys(value).length > 0;
}

/** Any subset of a rule's conditions. */
type Rule = Partial<LoggingSettings["processing"]["drop"][number]>;

function ruleIssues(
  rule: Rule,
  path: readonly PropertyKey[],
  { mode, parseJson, ...collected }: LoggingSettings,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  const add = (keys: readonly PropertyKey[], message: string, value?: unknown) =>
    issues.push({ path: [...path, ...keys], message, value });
  if (teams !== undefined)
    for (const [index, team] of (rule.teams ?? []).entries())
      if (!teams.some(({ name }) => name === team)) add(["teams", index], teamRequirement(teams), team);
  if (selectionOf({ to: [], ...rule }, teams ?? []).namespaces?.length === 0)
    add([], "teams and namespaces have no namespace in common, so it matches no line");
  if (rule.levels !== undefined && !parseJson)
    add(["levels"], "must not be set with parseJson false, which leaves no level", rule.levels);
  if (mode === "sidecar")
    for (const key of CONDITIONS_ON_NODES)
      if (rule[key] !== undefined)
        add([key], "must not be set with mode sidecar, which reads the files of one pod", rule[key]);
  issues.push(...uncollectedWarnings(rule, path, collected, teams));
  return issues;
}
