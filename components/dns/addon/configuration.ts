import { corefileText } from "../corefile/from-settings.ts";
import type { DnsSettings } from "../settings.ts";

/** A value as JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The add-on's `configurationValues` as a plain object. What the settings leave out is left to the add-on's own defaults. */
export function addonConfiguration(settings: DnsSettings): { readonly [key: string]: unknown } {
  return {
    corefile: corefileText(settings),
    replicaCount: settings.replicas ?? 2,
  };
}

/** JSON with sorted keys, so that a diff is a change. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
