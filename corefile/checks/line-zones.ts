import { type Plugin, writePlugin } from "../model.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { isWithin, remembered } from "./findings.ts";

/** Plugins whose line names zones, and where the first of them stands. */
const FIRST_ZONE: Readonly<Record<string, number>> = {
  acl: 0,
  auto: 0,
  etcd: 0,
  file: 1,
  forward: 0,
  hosts: 1,
  k8s_external: 0,
  kubernetes: 0,
  secondary: 0,
  template: 2,
};

/** The zones that a plugin's line names; empty where it names none, and then it is for those of its block. */
export function lineZones(plugin: Plugin): readonly string[] {
  const { name, args } = writePlugin(plugin);
  const first = FIRST_ZONE[name];
  if (first === undefined) return [];
  return args.slice(first, name === "forward" ? 1 : undefined);
}

/** Whether some names may come to both of two plugins of a block, as far as their lines say. */
export function shareNames(one: Plugin, other: Plugin): boolean {
  const [zones, others] = [remembered(NAMES, one, namesOf), remembered(NAMES, other, namesOf)];
  if (zones.length === 0 || others.length === 0 || [...zones, ...others].some(isUnread)) return true;
  return zones.some((zone) => others.some((own) => isWithin(zone, own) || isWithin(own, zone)));
}

const NAMES = new WeakMap<Plugin, readonly string[]>();

/** As {@link lineZones}, but of hosts the names alone that it has, where it passes on all others. */
function namesOf(plugin: Plugin): readonly string[] {
  const passesOn = plugin.plugin === "hosts" && plugin.file === undefined && plugin.fallthrough?.length === 0;
  return passesOn ? plugin.entries.flatMap(({ names }) => names) : lineZones(plugin);
}

/** Whether a zone is not the one that it is written as: a variable, or a network, which stands for zones of addresses. */
function isUnread(zone: string): boolean {
  return hasVariable(zone) || zone.includes("/");
}
