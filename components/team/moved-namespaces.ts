import * as pulumi from "@pulumi/pulumi";
import { teamNamespace } from "../kubernetes/labels.ts";
import { namespacePrefix } from "./resource-names.ts";

/** A namespace of a team, and the team that had it before. */
export interface MovedNamespace {
  readonly name: string;
  readonly wasTeam?: string | undefined;
}

/** What the names of a namespace's resources begin with, or began with, where a team has it: by its name, or as the team's own NAME-team. */
export function prefixesOf(team: string, namespace: string): string[] {
  const named = namespacePrefix(team, namespace);
  return namespace === teamNamespace(team) ? [named, namespacePrefix(team, undefined)] : [named];
}

/** The team that gave a namespace's resources a prefix; undefined where none did. */
export function teamOfPrefix(prefix: string, namespace: string): string | undefined {
  if (teamNamespace(prefix) === namespace) return prefix;
  return prefix.endsWith(`-${namespace}`) ? prefix.slice(0, -namespace.length - 1) : undefined;
}

/**
 * Tells the engine under which names it knows the resources of namespaces that another team had: it then changes them, and deletes nothing.
 * The parents' names are no part of a URN.
 * @param team Name of the team's component.
 */
export function keepingMoved(team: string, namespaces: readonly MovedNamespace[]): pulumi.ResourceTransformation {
  const places = namespaces
    .map(({ name, wasTeam }) => ({
      prefix: namespacePrefix(team, name),
      former: wasTeam === undefined ? [] : prefixesOf(wasTeam, name),
    }))
    // A name that begins with two of them is of the longer one.
    .sort((one, other) => other.prefix.length - one.prefix.length);
  return ({ name, props, opts }) => {
    const place = places.find(({ prefix }) => name.startsWith(`${prefix}-`));
    if (place === undefined || place.former.length === 0) return undefined;
    const rest = name.slice(place.prefix.length);
    return { props, opts: pulumi.mergeOptions(opts, { aliases: place.former.map((one) => ({ name: one + rest })) }) };
  };
}
