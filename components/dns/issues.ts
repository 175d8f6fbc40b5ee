import {
  type CheckContext,
  CLUSTER_DOMAIN,
  checkCorefile,
  domainOf,
  groupsOf,
  isGoRegexp,
  loopOf,
  readUpstream,
  sameAddress,
  seconds,
  usedGroups,
} from "eks-dns-logging-corefile";
import { parseAddonVersion } from "eks-dns-logging-corefile/addon";
import ipaddr from "ipaddr.js";
import { USUAL_CORE_DNS_PODS } from "../kubernetes/labels.ts";
import { addonIssues, addonVersion, LOOKED_UP_VERSION } from "./addon.ts";
import { corefileText } from "./corefile-rendering.ts";
import type { CorefileOptions } from "./corefile-settings.ts";
import { portIssues, targetPort } from "./endpoints.ts";
import { answersOutside } from "./node-local-rendering.ts";
import { cacheMemoryIssues, idleLoadIssues } from "./profile.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

/**
 * Checks beyond the schema: settings that the add-on's version rejects, and Corefiles that CoreDNS would reject or loop with.
 * @param kubernetesVersion The EKS cluster's, or {@link LOOKED_UP_VERSION}; undefined on a cluster without EKS add-ons.
 * @param mayHaveRole Whether CoreDNS may have an AWS role, since another owner created the cluster.
 * @param dnsAddresses Addresses of the Service kube-dns. Default: those that EKS may assign.
 */
export function checkDns(
  settings: DnsSettings,
  kubernetesVersion: string | undefined,
  mayHaveRole = false,
  dnsAddresses?: readonly string[],
): DnsIssue[] {
  const takesAddon = kubernetesVersion !== undefined && settings.adopt === undefined;
  const addon = takesAddon ? addonIssues(settings, kubernetesVersion) : [];
  return [
    ...addon,
    ...corefileIssues(settings, { ...context(settings, kubernetesVersion, dnsAddresses), mayHaveRole }),
    ...portIssues(settings),
    ...cacheMemoryIssues(settings, takesAddon),
    ...bypassIssues(settings),
    ...idleLoadIssues(settings),
    ...releaseIssues(settings),
    ...checkNodeLocalCache(settings),
  ];
}

function context(
  settings: DnsSettings,
  kubernetesVersion: string | undefined,
  dnsAddresses: readonly string[] | undefined,
): CheckContext {
  const where = podsContext(settings, kubernetesVersion);
  const nodeLocal = settings.nodeLocalCache?.address;
  const { options, text } = settings.corefile;
  // On EKS, a text with another domain is wrong; elsewhere it is the source of the cluster's domain.
  const domainOfText = kubernetesVersion === undefined && text !== undefined ? domainOf(text) : undefined;
  const clusterDomain = options?.clusterDomain ?? domainOfText;
  return { clusterDns: settings.clusterDns ?? dnsAddresses, clusterDomain, nodeLocal, ...where };
}

/** The pods that run the Corefile: the add-on's, or existing ones with their own files and variables. */
function podsContext(settings: DnsSettings, kubernetesVersion: string | undefined): CheckContext {
  const { adopt } = settings;
  if (adopt !== undefined) {
    const coredns =
      adopt.version === undefined ? undefined : parseAddonVersion(`v${adopt.version}-eksbuild.1`)?.coredns;
    const place = { isAddon: false, port: targetPort(settings) };
    return { coredns, ...place, terminationGrace: adopt.terminationGracePeriodSeconds };
  }
  const version = kubernetesVersion === undefined ? undefined : addonVersion(settings, kubernetesVersion);
  return { coredns: version === undefined ? undefined : parseAddonVersion(version)?.coredns };
}

/** Issues of the Corefile. None with `adopt.manage: false`, which leaves it unused. */
function corefileIssues(settings: DnsSettings, checked: CheckContext): DnsIssue[] {
  if (settings.adopt?.manage === false) return [];
  const { text } = settings.corefile;
  if (text === undefined) return checkOptions(settings, checked);
  return checkCorefile(text, checked).errors.map((message) => ({
    path: ["corefile", "text"],
    message: `CoreDNS cannot run this Corefile: ${message}`,
  }));
}

/** Warnings about the Corefile of settings that {@link checkDns} accepts. */
export function dnsWarnings(
  settings: DnsSettings,
  kubernetesVersion: string | undefined,
  dnsAddresses?: readonly string[],
): readonly string[] {
  if (settings.adopt?.manage === false) return [];
  const where = context(settings, kubernetesVersion, dnsAddresses);
  return checkCorefile(corefileText(settings), { ...where, mayHaveRole: true }).warnings;
}

const OPTIONS = ["corefile", "options"] as const;

/** Issues in the Corefile's options, each at its own path; if there are none, the rendered Corefile is checked. */
function checkOptions(settings: DnsSettings, context: CheckContext): DnsIssue[] {
  const options = settings.corefile.options ?? {};
  const issues = [
    ...upstreamIssues(options, context),
    ...stubIssues(options),
    ...durationIssues(options),
    ...choiceIssues(options, settings),
    ...spellingIssues(options),
  ];
  if (issues.length > 0) return issues;
  return checkCorefile(corefileText(settings), context).errors.map((message) => ({
    path: [...OPTIONS],
    message: `CoreDNS cannot run with these options: ${message}`,
  }));
}

function issue(path: readonly (string | number)[], message: string, value: unknown): DnsIssue {
  return { path: [...OPTIONS, ...path], message, value };
}

function upstreamIssues(options: CorefileOptions, context: CheckContext): DnsIssue[] {
  const lists = [
    { path: ["upstreams"], upstreams: options.upstreams ?? [] },
    ...(options.stubDomains ?? []).map(({ upstreams }, index) => ({
      path: ["stubDomains", index, "upstreams"],
      upstreams,
    })),
  ];
  return lists.flatMap(({ path, upstreams }) =>
    upstreams.flatMap((text, index) => {
      const message = upstreamIssue(text, context);
      return message === undefined ? [] : [issue([...path, index], message, text)];
    }),
  );
}

function upstreamIssue(text: string, context: CheckContext): string | undefined {
  const upstream = readUpstream(text);
  if (typeof upstream === "string") return `must be ${upstream}`;
  const loop = loopOf(upstream, context);
  return loop === undefined
    ? undefined
    : `must be another server, since this is ${loop}, which would query itself forever`;
}

function stubIssues(options: CorefileOptions): DnsIssue[] {
  const clusterDomain = plain(options.clusterDomain ?? CLUSTER_DOMAIN);
  const seen = new Set<string>();
  return (options.stubDomains ?? []).flatMap(({ domains }, index) =>
    domains.flatMap((domain, place): DnsIssue[] => {
      const path = ["stubDomains", index, "domains", place];
      const name = plain(domain);
      if (name === clusterDomain || clusterDomain.endsWith(`.${name}`) || name.endsWith(`.${clusterDomain}`)) {
        return [
          issue(path, `must be a domain outside ${clusterDomain}, whose names the cluster itself answers`, domain),
        ];
      }
      if (domain.startsWith("*"))
        return [issue(path, "must be a domain without *, since it covers all names below it", domain)];
      if (seen.has(name)) return [issue(path, "must be unique among stubDomains", domain)];
      seen.add(name);
      return [];
    }),
  );
}

function plain(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, "");
}

function durationIssues({ reload, cache }: CorefileOptions): DnsIssue[] {
  const over = (text: string | undefined, max: number) => text !== undefined && (seconds(text) ?? 0) > max;
  const under = (text: string | undefined, min: number) => text !== undefined && (seconds(text) ?? 0) < min;
  const found: DnsIssue[] = [];
  if (under(reload?.interval, 2)) found.push(issue(["reload", "interval"], "must be at least 2s", reload?.interval));
  if (under(reload?.jitter, 1) && !under(reload?.jitter, Number.MIN_VALUE)) {
    found.push(issue(["reload", "jitter"], "must be 0s, or at least 1s", reload?.jitter));
  }
  if (over(cache?.servfail, 300)) found.push(issue(["cache", "servfail"], "must be at most 5m", cache?.servfail));
  return found;
}

function choiceIssues(options: CorefileOptions, { corefile }: DnsSettings): DnsIssue[] {
  const found: DnsIssue[] = [];
  if (options.autopath && options.pods !== undefined && options.pods !== "verified") {
    found.push(
      issue(["pods"], "must be verified with autopath, which needs it to find a pod's namespace", options.pods),
    );
  }
  if (corefile.upstreamLoad !== undefined && corefile.profile !== "tuned") {
    found.push({
      path: ["corefile"],
      message: "upstreamLoad requires profile tuned, whose max_concurrent it sizes",
    });
  }
  return found;
}

function spellingIssues({ rewrite = [] }: CorefileOptions): DnsIssue[] {
  return rewrite.flatMap(({ match, from, to }, index): DnsIssue[] => {
    const pathOf = (key: "from" | "to") => ["rewrite", index, key];
    const found: DnsIssue[] = [];
    if (match === "regex" && !isGoRegexp(from)) {
      found.push(
        issue(
          pathOf("from"),
          "must be a regular expression in Go's syntax, without look-around and back references",
          from,
        ),
      );
    } else if (usedGroups(to) > (match === "regex" ? groupsOf(from) : 0)) {
      const message =
        match === "regex" ? `must not use more groups than ${from} has` : "must not use groups, which only a regex has";
      found.push(issue(pathOf("to"), message, to));
    }
    for (const [key, word] of Object.entries({ from, to })) {
      if (/^[{}]$|\{[$%]|[\s#"]/.test(word)) {
        found.push(issue(["rewrite", index, key], 'must not contain a single brace, {$, {%, # or "', word));
      }
    }
    return found;
  });
}

const BYPASSES_COREDNS =
  "has no effect on outside names, which nodeLocalCache sends to the node's own resolvers: set corefile.options.upstreams, and they go through CoreDNS";

/** Warns of settings for outside names that have no effect, since the node's cache does not send those to CoreDNS. */
export function bypassIssues(settings: DnsSettings): DnsIssue[] {
  const { nodeLocalCache, corefile } = settings;
  if (nodeLocalCache === undefined || answersOutside(settings)) return [];
  const { cache, forward, log, clusterDomain = CLUSTER_DOMAIN } = corefile.options ?? {};
  const outside = log?.zones?.filter((zone) => !`.${zone}`.toLowerCase().endsWith(`.${clusterDomain}`)) ?? ["."];
  const paths = [
    ...(corefile.profile === "tuned" ? [["profile"]] : []),
    ...(cache === undefined ? [] : [["options", "cache"]]),
    ...(forward === undefined ? [] : [["options", "forward"]]),
    ...(log === undefined || outside.length === 0 ? [] : [["options", "log"]]),
  ];
  return paths.map((path) => ({ path: ["corefile", ...path], message: BYPASSES_COREDNS, severity: "warning" }));
}

/**
 * Addresses of AWS services on every node; the cache would replace the resolver or the Pod Identity agent.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
const RESERVED = ["169.254.169.", "169.254.170."];

/** Deleting a patch removes each field that no other field manager sets, since `force` takes a field from the others. */
function releaseIssues({ adopt, preserve }: DnsSettings): DnsIssue[] {
  if (!adopt?.manage || preserve !== false) return [];
  const message =
    "makes a destroy delete the Corefile and reset the Deployment's fields that no other tool manages, such as replicas to 1: CoreDNS's pods do not start without a Corefile";
  return [{ path: ["preserve"], message, severity: "warning" }];
}

/** Issues in NodeLocal DNSCache's settings. */
export function checkNodeLocalCache({
  nodeLocalCache: cache,
  clusterDns,
  corefile,
  adopt,
}: Pick<DnsSettings, "nodeLocalCache" | "clusterDns" | "corefile" | "adopt">): DnsIssue[] {
  if (cache === undefined) return [];
  const found: DnsIssue[] = [];
  const { namespace } = USUAL_CORE_DNS_PODS;
  if (adopt !== undefined && adopt.namespace !== namespace) {
    const message = `queries the CoreDNS pods of ${namespace}, not those of dns.adopt.namespace ${adopt.namespace}`;
    found.push({ path: ["nodeLocalCache"], message, severity: "warning" });
  }
  if (cache.mode === "iptables" && clusterDns === undefined) {
    found.push({
      path: ["clusterDns"],
      message:
        "must be the address of the Service kube-dns with nodeLocalCache in iptables mode, in which every node answers on it, but is not set",
    });
  }
  if (!isLocal(cache.address)) {
    const message =
      "must be an address of 169.254.0.0/16, such as 169.254.20.10, or of fd00::/8 on an IPv6 cluster, since it exists on every node";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  if (RESERVED.some((block) => ipaddr.process(cache.address).toString().startsWith(block))) {
    const message =
      "must not be in 169.254.169.0/24 or 169.254.170.0/24, which AWS uses for metadata, DNS, time and credentials";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  const families = [cache.address, ...(clusterDns ?? [])].map((address) => ipaddr.parse(address).kind());
  if (cache.mode === "iptables" && new Set(families).size > 1) {
    const message = "must have the address family of nodeLocalCache.address, IPv4 or IPv6";
    found.push({ path: ["clusterDns"], message, value: clusterDns });
  }
  for (const [index, value] of (clusterDns ?? []).entries()) {
    const isRepeated = clusterDns?.slice(0, index).some((address) => sameAddress(address, value));
    if (cache.mode === "iptables" && isRepeated) {
      const message = "must differ from the others with nodeLocalCache, which does not start with an address twice";
      found.push({ path: ["clusterDns", index], message, value });
    }
  }
  if (clusterDns?.some((address) => sameAddress(address, cache.address))) {
    const message = "must not be an address of clusterDns";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  if (corefile.options?.autopath) {
    const message =
      "must be false with nodeLocalCache, since CoreDNS then sees nodes instead of pods and cannot find their search lists";
    found.push({ path: ["corefile", "options", "autopath"], message, value: true });
  }
  return found;
}

/**
 * Whether an address can be the same on every node. IPv6 link-local ones cannot: resolv.conf would have to name the interface.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
function isLocal(address: string): boolean {
  const parsed = ipaddr.process(address);
  return parsed.range() === (parsed.kind() === "ipv4" ? "linkLocal" : "uniqueLocal");
}
