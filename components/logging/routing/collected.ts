import { teamNamespace } from "../../kubernetes/labels.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import { LOGGING_NAMESPACE } from "../pipeline.ts";
import type { Selection, TeamNamespaces } from "./routes.ts";

/** Settings that select the collected pods. */
interface Collected {
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
export function uncollectedWarnings(
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
  const namespaces = (conditions.namespaces ?? []).flatMap((name, at) => {
    const reason = whyNotCollected(name, collected);
    return reason === undefined ? [] : [warning(["namespaces", at], reason, name)];
  });
  const ofTeams = (conditions.teams ?? []).flatMap((team, at) => {
    const known = teams.find(({ name }) => name === team);
    const own = known?.namespaces?.map(({ name }) => name) ?? [teamNamespace(team)];
    return known === undefined || own.some((name) => whyNotCollected(name, collected) === undefined)
      ? []
      : [warning(["teams", at], `logging.namespaces leaves out ${own.join(" and ")}`, team)];
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

function whyNotCollected(name: string, { namespaces: { include, exclude } }: Collected): string | undefined {
  if (name === LOGGING_NAMESPACE) return "the collector's own namespace is never read";
  if (exclude.includes(name)) return "logging.namespaces.exclude leaves it out";
  return include.length > 0 && !include.includes(name) ? "logging.namespaces.include leaves it out" : undefined;
}
