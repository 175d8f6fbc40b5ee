import * as pulumi from "@pulumi/pulumi";
import { teamNamespace } from "../kubernetes/labels.ts";
import { namespacePrefix } from "./resource-names.ts";

/** A team's namespace, which another team may have had before. */
export interface MovedNamespace {
  readonly name: string;
  /** Name of the previous team's component; the namespace's resources are kept. @default it does not move */
  readonly wasTeam?: string | undefined;
}

/** Possible name prefixes of a namespace's resources in a team: with the namespace's name, and for NAME-team also the team's alone. */
export function prefixesOf(team: string, namespace: string): string[] {
  const named = namespacePrefix(team, namespace);
  return namespace === teamNamespace(team) ? [named, namespacePrefix(team, undefined)] : [named];
}

/** The team whose resources in a namespace have this prefix; undefined if none can. */
export function teamOfPrefix(prefix: string, namespace: string): string | undefined {
  if (teamNamespace(prefix) === namespace) return prefix;
  return prefix.endsWith(`-${namespace}`) ? prefix.slice(0, -namespace.length - 1) : undefined;
}

/**
 * Aliases for resources of namespaces that another team had: the engine then updates instead of replacing them. A name alone is enough,
 * since a URN has the types of the parents, not their names.
 * @param team Name of the team's component.
 */
export function keepingMoved(team: string, namespaces: readonly MovedNamespace[]): pulumi.ResourceTransformation {
  const places = namespaces
    .map(({ name, wasTeam }) => ({
      prefix: namespacePrefix(team, name),
      former: wasTeam === undefined ? [] : prefixesOf(wasTeam, name),
    }))
    // If two prefixes match a name, the longer one is right.
    .sort((one, other) => other.prefix.length - one.prefix.length);
  return ({ name, props, opts }) => {
    const place = places.find(({ prefix }) => name.startsWith(`${prefix}-`));
    if (place === undefined || place.former.length === 0) return undefined;
    const rest = name.slice(place.prefix.length);
    return { props, opts: pulumi.mergeOptions(opts, { aliases: place.former.map((one) => ({ name: one + rest })) }) };
  };
}
