import { parseResolvConf } from "../../components/dns/resolver.ts";
import type { Settings } from "../../components/settings.ts";
import { ownZones } from "../kubernetes/own-zones.ts";
import type { Lab } from "./lab.ts";

/** The domain of the names of a cluster where nobody says another one. */
export const CLUSTER_DOMAIN = "cluster.local";

/** The cluster domain that a stack states; undefined where it leaves that to the cluster. */
export function statedDomain({ dns }: Pick<Settings, "dns">): string | undefined {
  return dns?.corefile.options?.clusterDomain?.toLowerCase().replace(/\.$/, "");
}

/**
 * The domain in which the pods of a cluster look Services up: what the stack states, else the kubelet's, which stands in a pod's search
 * list. The Corefile tells too, unless it is the one that is wrong; a pod is asked only where it has not just the usual domain.
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

/** The domain in the search list of a team's pod; undefined where it has none of a cluster. */
async function searchedDomain(lab: Lab, team: string): Promise<string | undefined> {
  const { stdout } = await lab.sessions.run(await lab.runningPod(team), ["cat", "/etc/resolv.conf"], 5);
  const { search } = parseResolvConf(stdout);
  return search
    .find((domain) => domain.startsWith("svc."))
    ?.slice("svc.".length)
    .replace(/\.$/, "");
}
