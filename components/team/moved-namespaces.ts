import * as pulumi from "@pulumi/pulumi";
import { teamNamespace } from "../kubernetes/labels.ts";
import { namespacePrefix } from "./resource-names.ts";

/** A namespace of a team that may have had it not from the beginning. */
export interface MovedNamespace {
  readonly name: string;
  /** Name of the component of the team that had it until now: what is in it stays. @default it does not move */
  readonly wasTeam?: string | undefined;
}

/** Prefixes that the names of a namespace's resources can have in a team: one with its name, and for NAME-team also the team's alone. */
export function prefixesOf(team: string, namespace: string): string[] {
  const named = namespacePrefix(team, namespace);
  return namespace === teamNamespace(team) ? [named, namespacePrefix(team, undefined)] : [named];
}

/** The team in which a namespace's resources have this prefix; undefined where no team gives it. */
export function teamOfPrefix(prefix: string, namespace: string): string | undefined {
  if (teamNamespace(prefix) === namespace) return prefix;
  return prefix.endsWith(`-${namespace}`) ? prefix.slice(0, -namespace.length - 1) : undefined;
}

/**
 * Aliases for the resources of namespaces that another team had: the engine then updates them instead of creating new ones and deleting the
 * old. A name alone is enough, since a URN has the types of the parents and not their names.
 * @param team Name of the team's component.
 */
export function keepingMoved(team: string, namespaces: readonly MovedNamespace[]): pulumi.ResourceTransformation {
  const places = namespaces
    .map(({ name, wasTeam }) => ({
      prefix: namespacePrefix(team, name),
      former: wasTeam === undefined ? [] : prefixesOf(wasTeam, name),
    }))
    // Of two prefixes that fit a name, the longer one is right.
    .sort((one, other) => other.prefix.length - one.prefix.length);
  return ({ name, props, opts }) => {
    const place = places.find(({ prefix }) => name.startsWith(`${prefix}-`));
    if (place === undefined || place.former.length === 0) return undefined;
    const rest = name.slice(place.prefix.length);
    return { props, opts: pulumi.mergeOptions(opts, { aliases: place.former.map((one) => ({ name: one + rest })) }) };
  };
}
