import { type Block, CLUSTER_DOMAIN, parseBlocks } from "eks-dns-logging-corefile";
import { parseResolvConf } from "../../../components/dns/resolver.ts";
import { teamNamespace } from "../../../components/kubernetes/labels.ts";
import { curlPodName, curlServiceName } from "../../../components/team/curl-pod-spec.ts";
import { listsPods } from "../../kubernetes/core-dns-place.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, warn } from "../result.ts";
import { type CurlResult, curlFrom } from "../sessions.ts";
import type { Pair } from "./team-access.ts";

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
  return fail(detail, noDnsPod(lab), facts);
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
  const config = parseResolvConf(stdout);
  const { clusterIP } = await lab.dnsService();
  const detail = `${config.nameservers.join(", ")}, ndots ${config.ndots}, search ${config.search.join(" ")}`;
  const facts = { nameservers: config.nameservers, ndots: config.ndots, search: config.search };
  const first = `${teamNamespace(team)}.svc.${clusterDomain}`;
  if (config.search[0] !== first)
    return fail(
      detail,
      `the search list does not start with ${first}: the pod's dnsPolicy or the cluster domain differs`,
      facts,
    );
  if (nameserver !== undefined && config.nameservers[0] !== nameserver)
    return warn(
      detail,
      `by the settings it should query NodeLocal DNSCache at ${nameserver}: replace the pod with \`${lab.up}\``,
      facts,
    );
  if (nameserver === undefined && !config.nameservers.includes(clusterIP))
    return warn(
      detail,
      `the pod does not query the DNS Service ${clusterIP} but another address, as with NodeLocal DNSCache`,
      facts,
    );
  if (config.ndots !== ndots)
    return warn(detail, `the settings have ndots ${ndots}, the pod is older: replace it with \`${lab.up}\``, facts);
  return pass(detail, facts);
}

/** The forms of a Service's name. */
export const FORMS = ["short", "ns", "svc", "full", "dot"] as const;
export type Form = (typeof FORMS)[number];

const FORM_TITLES: Readonly<Record<Form, string>> = {
  short: "short name",
  ns: "name.namespace",
  svc: "name.namespace.svc",
  full: "full name",
  dot: "full name with a dot",
};

/** A team's Service in one form: `full` for ts is `curl-ts.ts-team.svc.cluster.local`. */
function nameInForm(team: string, form: Form, domain?: string): string {
  const short = curlPodName(team);
  const withNamespace = `${short}.${teamNamespace(team)}`;
  const names: Readonly<Record<Form, string>> = {
    short,
    ns: withNamespace,
    svc: `${withNamespace}.svc`,
    full: curlServiceName(team, domain),
    dot: `${curlServiceName(team, domain)}.`,
  };
  return names[form];
}

/**
 * Looks up a form of a name from a pod, and compares the address with the Service's.
 * @param domain The cluster domain. Default: cluster.local.
 */
export function lookupCheck({ from, to }: Pair, form: Form, domain?: string): Check {
  const elsewhere = form === "short" && from !== to;
  return {
    id: `dns:${from}:${to}:${form}`,
    group: "dns",
    what: elsewhere ? "short name fails in another namespace" : `look up the ${FORM_TITLES[form]}`,
    from: curlPodName(from),
    to: nameInForm(to, form, domain),
    run: (lab) => (elsewhere ? unknown(lab, from, to) : lookup(lab, { from, to }, form, domain)),
  };
}

async function lookup(lab: Lab, { from, to }: Pair, form: Form, domain: string | undefined): Promise<Outcome> {
  const pod = await lab.runningPod(from);
  const name = nameInForm(to, form, domain);
  const result = await curlFrom(lab, pod, `http://${name}/`);
  // Before the Service is read: a name without a Service is looked up too, and fails with NXDOMAIN.
  if (result.addresses.length === 0)
    return fail(result.message || "no address", await whyUnknown(lab, to, { name, domain }, result), {
      name,
      addresses: [],
    });
  const expected = await expectedAddress(lab, { from, to }, form);
  const detail = `${result.addresses.join(", ")} in ${result.lookupMs} ms`;
  const facts = { name, addresses: result.addresses, expected: expected.address, lookupMs: result.lookupMs };
  if (result.addresses.includes(expected.address)) return pass(detail + expected.note, facts);
  return fail(
    detail,
    `the ${expected.of} has ${expected.address}: another name matches first in the search list, or an outdated answer is cached`,
    facts,
  );
}

/** A pod's own short name is in its /etc/hosts, so it resolves to the pod and not to the Service. */
async function expectedAddress(lab: Lab, { from, to }: Pair, form: Form) {
  if (form === "short") return { address: (await lab.runningPod(from)).ip, of: "pod", note: " (by /etc/hosts)" };
  return { address: (await lab.service(to)).clusterIP, of: "Service", note: "" };
}

async function unknown(lab: Lab, from: string, to: string): Promise<Outcome> {
  const pod = await lab.runningPod(from);
  const name = nameInForm(to, "short");
  const result = await curlFrom(lab, pod, `http://${name}/`);
  const facts = { name, addresses: result.addresses, lookupMs: result.totalMs };
  if (result.addresses.length > 0)
    return fail(
      result.addresses.join(", "),
      `something outside ${to}-team has the name ${name}: a search domain of the node, or a Service in ${from}-team`,
      facts,
    );
  // Without CoreDNS no name resolves. A slow upstream is not a fault of the lab.
  if (await hasNoDnsPod(lab)) return fail(result.message || "no address", noDnsPod(lab), facts);
  return pass("not resolved, as expected", facts);
}

/** A name that a pod looked up, and the cluster domain if it is unusual. */
interface Asked {
  readonly name: string;
  readonly domain: string | undefined;
}

/** Why a name did not resolve: no answer, or no such name. */
async function whyUnknown(lab: Lab, to: string, { name, domain }: Asked, result: CurlResult): Promise<string> {
  if (await hasNoDnsPod(lab)) return noDnsPod(lab);
  if (/time/i.test(result.message) || result.totalMs >= SILENCE_MS)
    return "CoreDNS does not answer: a NetworkPolicy lacks UDP and TCP 53 or names other labels than its pods have (dns.adopt.selector), or CoreDNS is down";
  const service = await lab.service(to).catch(() => undefined);
  if (service === undefined)
    return `NXDOMAIN: there is no Service ${curlPodName(to)} in ${to}-team; \`${lab.up}\` creates it`;
  return `NXDOMAIN for ${name}, though its Service exists: the Corefile's kubernetes zone is not ${domain ?? CLUSTER_DOMAIN}, or a search list is missing`;
}

/** musl's resolver gives up after 5 s, and curl then reports the same as for an unknown name. */
const SILENCE_MS = 4900;

function noDnsPod({ coreDns }: Lab): string {
  return `no CoreDNS pod is ready: ${listsPods(coreDns)}`;
}

/** Whether no DNS pod can answer; false without permission to list them. */
async function hasNoDnsPod(lab: Lab): Promise<boolean> {
  const pods = await lab.dnsPods().catch(() => undefined);
  return pods !== undefined && !pods.some((pod) => pod.ready);
}

/** kube-proxy opens a Service shortly after its pod is ready, later on a busy node; until then connections are refused. */
const OPENING_SECONDS = 5;

/** Requests a form of a name from a pod with curl; the expected pod must answer. @param domain As of {@link lookupCheck}. */
export function curlCheck({ from, to }: Pair, form: Form, domain?: string): Check {
  return {
    id: `curl:${from}:${to}:${form}`,
    group: "curl",
    what: `curl the ${FORM_TITLES[form]}`,
    from: curlPodName(from),
    to: nameInForm(to, form, domain),
    run: (lab) => curl(lab, { from, to }, { name: nameInForm(to, form, domain), domain }),
  };
}

async function curl(lab: Lab, { from, to }: Pair, { name, domain }: Asked): Promise<Outcome> {
  const pod = await lab.runningPod(from);
  const result = await untilOpen(lab, () => curlFrom(lab, pod, `http://${name}/`));
  const answer = result.body.split("\n")[0] ?? "";
  const facts = {
    name,
    addresses: result.addresses,
    status: result.status,
    answer,
    lookupMs: result.lookupMs,
    totalMs: result.totalMs,
  };
  if (result.end !== "answered")
    return fail(result.message || result.end, await whyNoAnswer(lab, { from, to }, { name, domain }, result), facts);
  const detail = `${result.status} "${answer}" in ${result.totalMs} ms`;
  if (result.status !== 200) return fail(detail, "something other than the responder listens there", facts);
  if (!answer.startsWith(`${curlPodName(to)} answers`))
    return fail(
      detail,
      `the answer comes from a pod other than ${curlPodName(to)}: check the Service's endpoints`,
      facts,
    );
  return pass(detail, facts);
}

async function untilOpen(lab: Lab, ask: () => Promise<CurlResult>): Promise<CurlResult> {
  for (let second = 0; second < OPENING_SECONDS; second += 1) {
    const result = await ask();
    if (result.end !== "refused") return result;
    await lab.pause(1);
  }
  return ask();
}

async function whyNoAnswer(lab: Lab, { from, to }: Pair, asked: Asked, result: CurlResult): Promise<string> {
  if (result.end === "not resolved") return whyUnknown(lab, to, asked, result);
  const endpoints = await lab.cluster.endpoints(teamNamespace(to), curlPodName(to)).catch(() => undefined);
  if (endpoints?.length === 0)
    return `the Service has no endpoints: the pod ${curlPodName(to)} is not ready, has expired, or lacks the label app=${curlPodName(to)}`;
  if (result.end === "refused")
    return `nothing listens on port 80 of ${curlPodName(to)}: is the container responder running?`;
  if (result.end === "timed out")
    return from === to
      ? "dropped: the network does not let a pod reach itself through its Service (hairpin mode), or a NetworkPolicy denies it"
      : `dropped: a NetworkPolicy denies ${from} to ${to}, or the nodes' security groups do`;
  return "curl failed for another reason; see the message in the row";
}
