import {
  type CachePlugin,
  CLUSTER_DOMAIN,
  type Corefile,
  type ForwardPlugin,
  type Plugin,
  renderCorefile,
  type Server,
} from "eks-dns-logging-corefile";
import type { CorefileOptions } from "./corefile-settings.ts";
import { DEFAULT_CAPACITY, type DnsProfile, dnsProfile } from "./profile.ts";
import type { DnsSettings } from "./settings.ts";

/** Defaults of the tuned profile. The profile's rows and the docs have the measurements. */
const TUNED = {
  /** It takes seconds until every node removes a terminating pod's endpoint; the pod is killed after 30. */
  lameduck: "20s",
  /** Refreshes popular answers before they expire, so that no client waits. */
  prefetch: { amount: 10, duration: "1m", percentage: 10 },
  /** With upstreams down, it answered 200 of 200 known names instead of none. */
  serveStale: { duration: "1h", refresh: "immediate" },
  /** CoreDNS refreshes and prefetches over TCP: if only UDP gets through, answers stay stale. */
  preferUdp: true,
} as const;

/** Beside serve_stale: otherwise an upstream's SERVFAIL hides the cached answers for 5 s. */
const STALE_SERVFAIL = "0s";

const REVERSE_ZONES = ["in-addr.arpa", "ip6.arpa"];

/** Text of the Corefile: the settings' own text unchanged, or the rendered one. */
export function corefileText(settings: DnsSettings): string {
  return settings.corefile.text ?? renderCorefile(corefileOf(settings));
}

/** The Corefile from profile and options; ignores `corefile.text`. */
export function corefileOf(settings: DnsSettings): Corefile {
  const { options = {}, profile } = settings.corefile;
  const sizes = dnsProfile(settings);
  return { imports: [], servers: [server(options, profile === "tuned", sizes)] };
}

/** In the order of the EKS default Corefile, so that a diff shows only real differences. */
function server(options: CorefileOptions, tuned: boolean, sizes: DnsProfile): Server {
  const domain = options.clusterDomain ?? CLUSTER_DOMAIN;
  const plugins: (Plugin | undefined)[] = [
    { plugin: "errors" },
    options.log && { plugin: "log", scope: options.log.zones, classes: options.log.classes },
    { plugin: "health", lameduck: options.lameduck ?? (tuned ? TUNED.lameduck : "5s") },
    { plugin: "ready" },
    ...rewrites(options),
    options.autopath ? { plugin: "autopath", source: "@kubernetes" } : undefined,
    options.hosts && { plugin: "hosts", entries: options.hosts.entries, ttl: options.hosts.ttl, fallthrough: [] },
    {
      plugin: "kubernetes",
      zones: [domain, ...REVERSE_ZONES],
      pods: options.pods ?? (options.autopath ? "verified" : "insecure"),
      fallthrough: REVERSE_ZONES,
      ttl: options.ttl,
    },
    { plugin: "prometheus", address: ":9153" },
    ...stubForwards(options, tuned),
    forward(".", options.upstreams ?? ["/etc/resolv.conf"], transport(options.forward, tuned), sizes.maxConcurrent),
    cache(options, tuned, sizes, domain),
    { plugin: "loop" },
    { plugin: "reload", interval: options.reload?.interval, jitter: options.reload?.jitter },
    { plugin: "loadbalance" },
    options.multisocket === undefined ? undefined : { plugin: "multisocket", sockets: options.multisocket },
  ];
  return { zones: [".:53"], plugins: plugins.filter((plugin) => plugin !== undefined) };
}

function rewrites(options: CorefileOptions): Plugin[] {
  return (options.rewrite ?? []).map(({ match, from, to, answerAuto, continue: appliesNext }) => ({
    plugin: "rewrite",
    match,
    from,
    to,
    // An exact rule always restores the queried name in answers.
    answer: answerAuto && match !== "exact" ? ["answer", "auto"] : undefined,
    continue: appliesNext,
  }));
}

type ForwardChoices = NonNullable<CorefileOptions["forward"]>;

function forward(
  from: string,
  upstreams: readonly string[],
  { healthCheck, maxConcurrent, ...choices }: ForwardChoices = {},
  limit: number | undefined = undefined,
): ForwardPlugin {
  return {
    plugin: "forward",
    from,
    upstreams,
    ...choices,
    healthCheck: healthCheck === undefined ? undefined : { interval: healthCheck },
    maxConcurrent: maxConcurrent ?? limit,
  };
}

/** Prefers UDP for CoreDNS's own queries, unless the options set a transport. */
function transport(choices: ForwardChoices = {}, tuned: boolean): ForwardChoices {
  if (!tuned || choices.preferUdp !== undefined || choices.forceTcp) return choices;
  return { ...choices, preferUdp: TUNED.preferUdp };
}

/** With serve_stale, cluster names are not cached: a stale answer could be the address of a deleted Service. */
function cache(
  { cache: choices = {} }: CorefileOptions,
  tuned: boolean,
  sizes: DnsProfile,
  domain: string,
): CachePlugin {
  const serveStale = choices.serveStale ?? (tuned ? TUNED.serveStale : undefined);
  const side = (name: "success" | "denial") => {
    const capacity = sizes.cache[name];
    if (capacity === undefined && choices[name] === undefined) return undefined;
    return { ...choices[name], capacity: capacity ?? DEFAULT_CAPACITY };
  };
  return {
    plugin: "cache",
    ttl: choices.ttl ?? 30,
    success: side("success"),
    denial: side("denial"),
    prefetch: choices.prefetch ?? (tuned ? TUNED.prefetch : undefined),
    serveStale,
    servfail: choices.servfail ?? (tuned || serveStale?.refresh === "immediate" ? STALE_SERVFAIL : undefined),
    more: serveStale && ["success", "denial"].map((kind) => ({ name: "disable", args: [kind, domain] })),
  };
}

/**
 * Lines in the block for all names; in separate blocks, hosts, rewrites and the log would not apply.
 * CoreDNS uses the first line that matches a name, so the longest domains come first.
 */
function stubForwards({ stubDomains = [] }: CorefileOptions, tuned: boolean): ForwardPlugin[] {
  return stubDomains
    .flatMap(({ domains, upstreams, forward: choices }) =>
      domains.map((domain) => ({
        labels: labelsOf(domain),
        line: forward(domain, upstreams, transport(choices, tuned)),
      })),
    )
    .sort((a, b) => b.labels - a.labels)
    .map(({ line }) => line);
}

function labelsOf(domain: string): number {
  return domain.replace(/\.$/, "").split(".").length;
}

/** The ConfigMap with CoreDNS's Corefile, for use by hand. */
export interface CorefileConfigMap {
  readonly apiVersion: "v1";
  readonly kind: "ConfigMap";
  readonly metadata: { readonly name: "coredns"; readonly namespace: "kube-system" };
  readonly data: { readonly Corefile: string };
}

/** Instructions to read before applying the ConfigMap. */
export const CONFIG_MAP_HEADER = [
  "# The Corefile of these settings, for use by hand: nothing here is applied by pulumi up, since CoreDNS on this cluster",
  "# is not managed by this stack. Review the difference first, and keep the old one:",
  "#   kubectl -n kube-system get configmap coredns -o yaml > coredns-before.yaml",
  "#   kubectl diff -f THIS_FILE",
  "#   kubectl replace -f THIS_FILE",
  "# With `reload` in its Corefile, CoreDNS loads it within a minute. If it has an error, CoreDNS logs it and keeps the old one.",
  "",
].join("\n");

/** The ConfigMap `kube-system/coredns` with the settings' Corefile; write {@link CONFIG_MAP_HEADER} above it. */
export function corefileConfigMap(settings: DnsSettings): CorefileConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "coredns", namespace: "kube-system" },
    data: { Corefile: corefileText(settings) },
  };
}
