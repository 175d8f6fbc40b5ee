/**
 * The plugins of CoreDNS 1.14.3 as it is released, in the order in which they see a query. The order is compiled in: that of a
 * Corefile's lines means nothing but among lines of the same plugin.
 * @see https://github.com/coredns/coredns/blob/v1.14.3/plugin.cfg
 */
const ORDER = [
  ["root", "metadata", "geoip", "cancel", "tls", "proxyproto", "quic", "grpc_server", "https", "https3", "timeouts"],
  ["multisocket", "reload", "nsid", "bufsize", "bind", "debug", "trace", "ready", "health", "pprof", "prometheus"],
  ["errors", "log", "dnstap", "local", "dns64", "any", "chaos", "loadbalance", "tsig", "cache", "rewrite", "acl"],
  ["header", "dnssec", "autopath", "minimal", "template", "transfer", "hosts", "route53", "azure", "clouddns"],
  ["k8s_external", "kubernetes", "file", "auto", "secondary", "etcd", "loop", "forward", "grpc", "erratic", "whoami"],
  ["on", "sign", "view", "nomad"],
].flat();

const RANKS: ReadonlyMap<string, number> = new Map(ORDER.map((name, index) => [name, index]));

/** Place of a plugin in CoreDNS's order; undefined for one that the released CoreDNS does not have. */
export function rankOf(plugin: string): number | undefined {
  return RANKS.get(plugin);
}

/** Plugins that decide who answers, so that a reader takes the order of their lines for the order in which they are asked. */
export const DECIDERS: ReadonlySet<string> = new Set([
  ...[
    "rewrite",
    "acl",
    "template",
    "hosts",
    "route53",
    "azure",
    "clouddns",
    "k8s_external",
    "kubernetes",
    "file",
    "auto",
  ],
  ...["secondary", "etcd", "forward", "grpc", "erratic", "whoami", "nomad"],
]);

/** Plugins that refuse to start when a server block has two of them. */
export const ONCE: ReadonlySet<string> = new Set([
  ...[
    "cache",
    "dnssec",
    "errors",
    "hosts",
    "kubernetes",
    "loop",
    "prometheus",
    "nsid",
    "pprof",
    "ready",
    "tsig",
    "view",
  ],
]);

/** Plugins whose lines add up, in their order. All others use one line and drop the rest. */
export const REPEATABLE: ReadonlySet<string> = new Set([
  ...["forward", "rewrite", "log", "template", "file", "auto", "secondary", "acl", "header", "import", "on", "sign"],
  ...["transfer", "bind", "route53", "azure", "clouddns", "etcd", "dns64"],
]);
