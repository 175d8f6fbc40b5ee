import { isAddress, seconds } from "eks-dns-logging-corefile";
import { z } from "zod";
import { relation } from "../schema/errors.ts";
import { integer, string } from "../schema/values.ts";

const DURATION = "must be a quoted duration, such as '500ms', '30s' or '1h'";

/**
 * A duration in Go's format, such as `30s`, `1m30s` or `500ms`.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export const Duration = z.string(DURATION).refine((text) => seconds(text) !== undefined, DURATION);

const DOMAIN = /^([a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?\.?$/;
const A_DOMAIN = "must be a domain, such as 'corp.example.com'";
const NO_PATTERN = "must be a name without *: for all names below a domain, use rewrite, which leads them to a Service";
const Domain = z.string().max(253).regex(DOMAIN, A_DOMAIN);
/** A name of hosts, which many write as a pattern. */
const HostName = z
  .string()
  .max(253)
  .regex(DOMAIN, { error: ({ input }) => (String(input).startsWith("*") ? NO_PATTERN : A_DOMAIN) });
const Zone = z.union([z.literal("."), Domain], "must be a domain, such as 'corp.example.com', or '.' for all");

const ADDRESS = "must be an IP address, such as '10.0.0.2'";
export const Address = z.string(ADDRESS).refine(isAddress, ADDRESS);

/** `checkDns` fully validates upstreams, including loops. */
const Upstream = string(
  /^\S+$/,
  "an IP address with an optional port, tls://ADDRESS, or a file such as '/etc/resolv.conf'",
);

/**
 * Forwarding to upstream servers.
 * @see https://coredns.io/plugins/forward/
 */
const ForwardOptions = z.strictObject({
  policy: z.enum(["random", "round_robin", "sequential"]).optional().describe("Upstream selection. Default random."),
  maxConcurrent: integer(1)
    .optional()
    .describe("Concurrent queries, above rate × delay; more are refused. Default: no limit."),
  maxFails: integer(0).optional().describe("Failed health checks until it is down; 0: never. Default 2."),
  expire: Duration.optional().describe("Idle time of a connection. Default 10s."),
  healthCheck: Duration.optional().describe("Health check interval. Default 500ms."),
  except: z.array(Domain).min(1).optional().describe("Domains not forwarded."),
  forceTcp: z.boolean().optional().describe("TCP only. Default false."),
  preferUdp: z.boolean().optional().describe("Try UDP first for queries over TCP. Default false."),
  tlsServerName: Domain.optional().describe(
    "Certificate name of tls:// upstreams; without it, only a certificate for the address is valid.",
  ),
});

const CacheSide = z.strictObject({
  capacity: integer(1024, 1_000_000)
    .optional()
    .describe(
      "Answers, at least 1024, rounded down to a multiple of 256. Default 9984, or by profile and clusterSize.",
    ),
  ttl: integer(1, 86_400).optional().describe("Maximum, in seconds. Default: the cache's."),
  minTtl: integer(0, 3600).optional().describe("Minimum, in seconds. Default 5."),
});

/**
 * The cache.
 * @see https://coredns.io/plugins/cache/
 */
const CacheOptions = z.strictObject({
  ttl: integer(1, 3600).optional().describe("Maximum, in seconds. Default 30."),
  success: CacheSide.optional().describe("Positive answers."),
  denial: CacheSide.optional().describe("Negative answers (NXDOMAIN, NODATA)."),
  prefetch: z
    .strictObject({
      amount: integer(1).describe("Queries that make it popular."),
      duration: Duration.default("1m").describe("Maximum gap between them. Default 1m."),
      percentage: integer(10, 90).default(10).describe("Remaining TTL in percent, 10 to 90. Default 10."),
    })
    .optional()
    .describe("Refresh popular answers. Default: off."),
  serveStale: z
    .strictObject({
      duration: Duration.default("1h").describe("Time after expiry. Default 1h."),
      refresh: z
        .enum(["immediate", "verify"])
        .default("immediate")
        .describe("Answer at once, or ask upstream first. Default immediate."),
    })
    .optional()
    .describe("Serve expired answers while upstreams are down. Default: off."),
  servfail: Duration.optional().describe(
    "How long a SERVFAIL is cached, at most 5m. Default 5s, or 0s beside stale answers.",
  ),
});

const RewriteRule = z.strictObject({
  match: z
    .enum(["exact", "prefix", "suffix", "substring", "regex"])
    .default("exact")
    .describe("CoreDNS ends a prefix or substring with a dot; regex matches part of a label. Default exact."),
  from: string(/^\S+$/, "a string without spaces").describe("Text or pattern."),
  to: string(/^\S+$/, "a string without spaces").describe("Replacement; {1} is a regex's first group."),
  answerAuto: z.boolean().default(true).describe("Restore the queried name in answers. Default true."),
  continue: z.boolean().default(false).describe("Apply the following rules too. Default false."),
});

/** Allows `*`, for which `checkDns` has a better message. */
const StubDomainName = z.union([Domain, z.string().regex(/^\*\./)], "must be a domain, such as 'corp.example.com'");

const StubDomain = z.strictObject({
  domains: z.array(StubDomainName).min(1).describe("Domains."),
  upstreams: z.array(Upstream).min(1).max(15).describe("Servers for these domains, at most 15."),
  forward: ForwardOptions.optional().describe("Forwarding."),
});

/** Changes to a Corefile's profile. */
export const CorefileOptions = z.strictObject({
  clusterDomain: Domain.optional().describe(
    "Domain of the cluster's names. Default cluster.local, the only one on EKS.",
  ),
  upstreams: z
    .array(Upstream)
    .min(1)
    .max(15)
    .optional()
    .describe("For outside names, at most 15. Default: the node's /etc/resolv.conf."),
  forward: ForwardOptions.optional().describe("Forwarding to upstreams."),
  cache: CacheOptions.optional().describe("Cache of answers."),
  stubDomains: z.array(StubDomain).optional().describe("Domains with upstreams of their own; the longest match wins."),
  hosts: z
    .strictObject({
      entries: z
        .array(
          z.strictObject({
            address: Address.describe("IP address."),
            names: z
              .array(HostName)
              .min(1)
              .describe("Without `*`; for patterns use `rewrite`. They lose other records, such as MX."),
          }),
        )
        .min(1)
        .describe("Entries."),
      ttl: integer(1, 65_535)
        .optional()
        .describe("TTL of these answers in seconds; clients get at most the cache's. Default 3600."),
    })
    .optional()
    .describe("Fixed addresses, which take precedence."),
  rewrite: z.array(RewriteRule).optional().describe("Rules, in order."),
  log: z
    .strictObject({
      classes: z
        .array(z.enum(["success", "denial", "error", "all"]))
        .min(1)
        .default(["denial", "error"])
        .describe("Default denial and error."),
      zones: z.array(Zone).min(1).optional().describe("Zones. Default: all."),
    })
    .optional()
    .describe("Query log; logging everything reduces throughput. Default: off."),
  lameduck: Duration.optional().describe(
    "How long a terminating pod still answers; the add-on's are killed after 30s. Default 5s.",
  ),
  pods: z
    .enum(["disabled", "insecure", "verified"])
    .optional()
    .describe("Pod IP names; `verified` watches all pods. Default insecure, or verified with autopath."),
  ttl: integer(0, 3600).optional().describe("TTL of cluster names in seconds. Default 5."),
  autopath: z
    .boolean()
    .optional()
    .describe("Walk the search list on the server: fewer queries, more memory. Default false."),
  multisocket: integer(1, 1024).optional().describe("Listening sockets; requires CoreDNS 1.12. Default 1."),
  reload: z
    .strictObject({
      interval: Duration.default("30s").describe("Check interval, at least 2s. Default 30s."),
      jitter: Duration.default("15s").describe("Random delay of each check, at least 1s. Default 15s."),
    })
    .optional()
    .describe("Reloading of a changed Corefile."),
});
export type CorefileOptions = z.infer<typeof CorefileOptions>;

const PROFILES = ["eks-default", "tuned"] as const;

/** The Corefile: a profile with options, or a complete text. */
export const CorefileSettings = z
  .strictObject({
    profile: z
      .enum(PROFILES)
      .optional()
      .describe("`tuned` caches more and survives upstream failures. Default eks-default."),
    options: CorefileOptions.optional().describe("Changes to the profile."),
    upstreamLoad: z
      .strictObject({
        queriesPerSecond: integer(1).default(1024).describe("Peak of one pod. Default 1024, the VPC resolver's limit."),
        delay: Duration.default("2s").describe("Maximum response time. Default 2s, CoreDNS's timeout."),
      })
      .optional()
      .describe("Load from which tuned sets maxConcurrent: rate × delay."),
    text: z.string().min(1).optional().describe("A complete Corefile; excludes profile and options."),
  })
  .superRefine((corefile, context) => {
    if (corefile.text === undefined) return;
    for (const key of ["profile", "options", "upstreamLoad"] as const) {
      if (corefile[key] === undefined) continue;
      relation(context, [key, "text"], `${key} and text are mutually exclusive`);
    }
  });
export type CorefileSettings = z.infer<typeof CorefileSettings>;
