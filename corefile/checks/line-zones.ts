import { type Plugin, writePlugin } from "../model.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { isWithin, remembered } from "./findings.ts";

/** Plugins whose line names zones, with the index of the first zone. */
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

/** The zones that a plugin's line names; empty if it applies to the zones of its block. */
export function lineZones(plugin: Plugin): readonly string[] {
  const { name, args } = writePlugin(plugin);
  const first = FIRST_ZONE[name];
  if (first === undefined) return [];
  return args.slice(first, name === "forward" ? 1 : undefined);
}

/** Whether two plugins of a block may both see the same names, by their lines. */
export function shareNames(one: Plugin, other: Plugin): boolean {
  const [zones, others] = [remembered(NAMES, one, namesOf), remembered(NAMES, other, namesOf)];
  if (zones.length === 0 || others.length === 0 || [...zones, ...others].some(isUnread)) return true;
  return zones.some((zone) => others.some((own) => isWithin(zone, own) || isWithin(own, zone)));
}

const NAMES = new WeakMap<Plugin, readonly string[]>();

/** As {@link lineZones}, but for hosts with fallthrough only the names that it has. */
function namesOf(plugin: Plugin): readonly string[] {
  const passesOn = plugin.plugin === "hosts" && plugin.file === undefined && plugin.fallthrough?.length === 0;
  return passesOn ? plugin.entries.flatMap(({ names }) => names) : lineZones(plugin);
}

/** Whether a zone differs from its text: a variable, or a network, which expands to reverse zones. */
function isUnread(zone: string): boolean {
  return hasVariable(zone) || zone.includes("/");
}
