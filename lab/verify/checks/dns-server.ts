import { type Block, parseBlocks } from "eks-dns-logging-corefile";
import { parseResolvConf } from "../../../components/dns/resolver.ts";
import { teamNamespace } from "../../../components/kubernetes/labels.ts";
import { curlPodName } from "../../../components/team/curl-pod-spec.ts";
import { listsPods } from "../../kubernetes/core-dns-place.ts";
import { CLUSTER_DOMAIN } from "../cluster-domain.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, warn } from "../result.ts";

/** CoreDNS runs; shows its Corefile. Read-only. */
export function corednsCheck(): Check {
  return {
    id: "coredns",
    group: "coredns",
    what: "CoreDNS is running, Corefile",
    from: "coredns",
    to: "",
    run: coredns,
  };
}

async function coredns(lab: Lab): Promise<Outcome> {
  const [pods, service, corefile] = await Promise.all([lab.dnsPods(), lab.dnsService(), lab.corefile()]);
  const ready = pods.filter((pod) => pod.ready);
  const blocks = parseBlocks(corefile).filter((block) => !block.zones.some((zone) => zone.startsWith("(")));
  const detail = `${service.clusterIP}, ${ready.length} of ${pods.length} pods ready; ${blocks.map(summary).join("; ")}`;
  const facts = {
    address: service.clusterIP,
    pods: pods.map((pod) => `${pod.name} ${pod.ip}`),
    ready: ready.length,
    zones: blocks.flatMap((block) => block.zones),
    corefile,
  };
  if (ready.length > 0) return pass(detail, facts);
  return fail(detail, `no CoreDNS pod is ready: ${listsPods(lab.coreDns)}`, facts);
}

/** Zones and plugins of a server block: `.:53: errors, health, …`. */
function summary({ zones, directives }: Block): string {
  return `${zones.join(" ")}: ${directives.map((directive) => directive.name).join(", ")}`;
}

/** What the settings make the pods' resolv.conf contain. */
interface Expected {
  readonly ndots: number;
  /** The first name server. Default: the DNS Service. */
  readonly nameserver?: string | undefined;
  /** The cluster domain. Default: cluster.local. */
  readonly clusterDomain?: string | undefined;
}

/** A pod's resolv.conf names the cluster's DNS server, with the expected search list and ndots. */
export function resolverCheck(team: string, expected: Expected): Check {
  return {
    id: `resolver:${team}`,
    group: "resolver",
    what: "resolv.conf of the pod",
    from: curlPodName(team),
    to: "coredns",
    run: (lab) => resolver(lab, team, expected),
  };
}

async function resolver(
  lab: Lab,
  team: string,
  { ndots, nameserver, clusterDomain = CLUSTER_DOMAIN }: Expected,
): Promise<Outcome> {
  const pod = await lab.runningPod(team);
  const { stdout } = await lab.sessions.run(pod, ["cat", "/etc/resolv.conf"], 5);
  const found = parseResolvConf(stdout);
  const { clusterIP } = await lab.dnsService();
  const detail = `${found.nameservers.join(", ")}, ndots ${found.ndots}, search ${found.search.join(" ")}`;
  const facts = { nameservers: found.nameservers, ndots: found.ndots, search: found.search };
  const first = `${teamNamespace(team)}.svc.${clusterDomain}`;
  if (found.search[0] !== first)
    return fail(
      detail,
      `the search list does not start with ${first}: the pod's dnsPolicy or the cluster domain differs`,
      facts,
    );
  if (nameserver !== undefined && found.nameservers[0] !== nameserver)
    return warn(
      detail,
      `by the settings it should query NodeLocal DNSCache at ${nameserver}: replace the pod with \`${lab.up}\``,
      facts,
    );
  if (nameserver === undefined && !found.nameservers.includes(clusterIP))
    return warn(
      detail,
      `the pod does not query the DNS Service ${clusterIP} but another address, as with NodeLocal DNSCache`,
      facts,
    );
  if (found.ndots !== ndots)
    return warn(detail, `the settings have ndots ${ndots}, the pod is older: replace it with \`${lab.up}\``, facts);
  return pass(detail, facts);
}
