import { clusterZones, parseCorefile } from "eks-dns-logging-corefile";
import { parseResolvConf } from "../../components/dns/resolver.ts";
import type { Settings } from "../../components/settings.ts";
import type { Lab } from "./lab.ts";

/** The default cluster domain. */
export const CLUSTER_DOMAIN = "cluster.local";

/** The cluster domain in a stack's settings; undefined if they do not state one. */
export function statedDomain({ dns }: Pick<Settings, "dns">): string | undefined {
  return dns?.corefile.options?.clusterDomain?.toLowerCase().replace(/\.$/, "");
}

/**
 * The cluster domain: what the stack states, else the kubelet's, read from the search list of a pod. The Corefile has it too, but may be
 * the faulty part. Pods are only read if it may differ from the default.
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export async function clusterDomain(lab: Lab, teams: readonly string[], stated: string | undefined): Promise<string> {
  if (stated !== undefined) return stated;
  const corefile = await lab.corefile().catch(() => "");
  const served = (ownZones(corefile)?.zones ?? []).filter((zone) => !/(^|\.)arpa\.?$/.test(zone));
  if (served.every((zone) => zone.replace(/\.$/, "") === CLUSTER_DOMAIN)) return CLUSTER_DOMAIN;
  for (const team of teams) {
    const searched = await searchedDomain(lab, team).catch(() => undefined);
    if (searched !== undefined) return searched;
  }
  return CLUSTER_DOMAIN;
}

/** The cluster domain in the search list of a team's pod; undefined if it has none. */
async function searchedDomain(lab: Lab, team: string): Promise<string | undefined> {
  const { stdout } = await lab.sessions.run(await lab.runningPod(team), ["cat", "/etc/resolv.conf"], 5);
  const { search } = parseResolvConf(stdout);
  return search
    .find((domain) => domain.startsWith("svc."))
    ?.slice("svc.".length)
    .replace(/\.$/, "");
}

/** What a Corefile says about CoreDNS's own answers. */
export interface OwnZones {
  /** Zones of the kubernetes plugin. */
  readonly zones: readonly string[];
  /** TTL of its fresh answers, in seconds. */
  readonly ttl: number;
}

/** CoreDNS's default. @see https://coredns.io/plugins/kubernetes/ */
const DEFAULT_TTL = 5;

/** The zones of all lines of kubernetes; undefined if the text is not a Corefile, or lacks the plugin. */
export function ownZones(corefile: string): OwnZones | undefined {
  try {
    const lines = clusterZones(parseCorefile(corefile));
    if (lines.length === 0) return undefined;
    // Separate lines for names and addresses usually have the same TTL; the line for names comes first.
    return { zones: lines.flatMap(({ zones }) => zones), ttl: lines[0]?.ttl ?? DEFAULT_TTL };
  } catch {
    // Without a readable Corefile, explanations are less specific.
  }
  return undefined;
}
