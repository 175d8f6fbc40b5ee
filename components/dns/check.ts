import type { DnsSettings } from "./settings.ts";

/** One mistake in the DNS settings, with its path under `dns`. */
export interface DnsMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly value?: unknown;
}

/**
 * What the schema cannot see: settings that the add-on's version rejects, and Corefiles that CoreDNS would refuse or loop with.
 * `kubernetesVersion` is that of the EKS cluster; undefined on an existing cluster, which takes no add-on.
 */
export function checkDns(_settings: DnsSettings, _kubernetesVersion: string | undefined): DnsMistake[] {
  return [];
}
