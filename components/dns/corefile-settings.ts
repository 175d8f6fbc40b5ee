import { isAddress, seconds } from "eks-dns-logging-corefile";
import { z } from "zod";
import { relation } from "../schema/errors.ts";
import { integer, string } from "../schema/values.ts";

const DURATION = "must be a quoted duration, such as '500ms', '30s' or '1h'";

/**
 * A duration as Go writes it, such as `30s`, `1m30s` or `500ms`.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export const Duration = z.string(DURATION).refine((text) => seconds(text) !== undefined, DURATION);

const DOMAIN = /^([a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?\.?$/;
const Domain = z.string().max(253).regex(DOMAIN, "must be a domain, such as 'corp.example.com'");
const Zone = z.union([z.literal("."), Domain], "must be a domain, such as 'corp.example.com', or '.' for all");

const ADDRESS = "must be an IP address, such as '10.0.0.2'";
export const Address = z.string(ADDRESS).refine(isAddress, ADDRESS);

/** An upstream's spelling is checked as a whole by `checkDns`, together with loops to itself. */
const Upstream = string(
  /^\S+$/,
  "an IP address with an optional port, tls://ADDRESS, or a file such as '/etc/resolv.conf'",
);

/**
 * How queries go to upstream servers.
 * @see https://coredns.io/plugins/forward/
 */
const ForwardOptions = z.strictObject({
  policy: z
    .enum(["random", "round_robin", "sequential"])
    .optional()
    .describe("How an upstream is selected. Default random."),
  maxConcurrent: integer(1)
    .optional()
    .describe(
      "Maximum number of concurrent upstream queries; more are refused. Set it above rate × delay: 5,000 queries/s at 400 ms need 2,000. Default: no limit.",
    ),
  maxFails: integer(0)
    .optional()
    .describe("Failed health checks after which an upstream is down; 0 means never. Default 2."),
  expire: Duration.optional().describe("Lifetime of an idle connection. Default 10s."),
  healthCheck: Duration.optional().describe("Interval between health checks of a failed upstream. Default 500ms."),
  except: z.array(Domain).min(1).optional().describe("Domains not forwarded."),
  forceTcp: z.boolean().optional().describe("Always use TCP. Default false."),
  preferUdp: z.boolean().optional().describe("Try UDP first, even if the query came over TCP. Default false."),
  tlsServerName: Domain.optional().describe("Name in the upstream's certificate; required for tls:// upstreams."),
});

const CacheSide = z.strictObject({
  capacity: integer(1024, 1_000_000)
    .optional()
    .describe(
      "Maximum number of answers, at least 1024; CoreDNS rounds down to a multiple of 256. Default 9984, or by profile and clusterSize.",
    ),
  ttl: integer(1, 86_400).optional().describe("Maximum time to live in seconds. Default: ttl of the cache."),
  minTtl: integer(0, 3600).optional().describe("Minimum time to live in seconds. Default 5."),
});

/**
 * The cache.
 * @see https://coredns.io/plugins/cache/
 */
const CacheOptions = z.strictObject({
  ttl: integer(1, 3600).optional().describe("Maximum time to live in the cache in seconds. Default 30."),
  success: CacheSide.optional().describe("Positive answers."),
  denial: CacheSide.optional().describe("Negative answers (NXDOMAIN, NODATA)."),
  prefetch: z
    .strictObject({
      amount: integer(1).describe("Number of queries that make an answer popular."),
      duration: Duration.default("1m").describe("Maximum gap between these queries. Default 1m."),
      percentage: integer(10, 90)
        .default(10)
        .describe("Remaining time to live at which it is refreshed, in percent. Default 10."),
    })
    .optional()
    .describe("Refresh popular answers before they expire. Default: off."),
  serveStale: z
    .strictObject({
      duration: Duration.default("1h").describe("How long after expiry an answer may be served. Default 1h."),
      refresh: z
        .enum(["immediate", "verify"])
        .default("immediate")
        .describe(
          "`immediate` serves the stale answer, then refreshes; `verify` asks upstream first. Default immediate.",
        ),
    })
    .optional()
    .describe("Serve expired answers while upstreams are down. Default: off."),
  servfail: Duration.optional().describe("How long SERVFAIL is cached, at most 5m; 0s disables it. Default 5s."),
});

const RewriteRule = z.strictObject({
  match: z
    .enum(["exact", "prefix", "suffix", "substring", "regex"])
    .default("exact")
    .describe(
      "How `from` is matched. CoreDNS appends a dot to a prefix or substring: use a regex for part of a label. Default exact.",
    ),
  from: string(/^\S+$/, "a string without spaces").describe("Text or pattern to match."),
  to: string(/^\S+$/, "a string without spaces").describe("Replacement; {1} is the first group of a regex."),
  answerAuto: z
    .boolean()
    .default(true)
    .describe("Restore the queried name in the answer, since many resolvers reject another one. Default true."),
  continue: z.boolean().default(false).describe("Continue with the following rules. Default false."),
});

/** With a `*` too, which `checkDns` has words for. */
const StubDomainName = z.union([Domain, z.string().regex(/^\*\./)], "must be a domain, such as 'corp.example.com'");

const StubDomain = z.strictObject({
  domains: z.array(StubDomainName).min(1).describe("Domains forwarded to these upstreams."),
  upstreams: z.array(Upstream).min(1).max(15).describe("Upstream servers, at most 15."),
  forward: ForwardOptions.optional().describe("How queries are forwarded."),
});

/** What a Corefile does beyond the profile it starts from. */
export const CorefileOptions = z.strictObject({
  clusterDomain: Domain.optional().describe("Cluster domain. Default cluster.local, the only one on EKS."),
  upstreams: z
    .array(Upstream)
    .min(1)
    .max(15)
    .optional()
    .describe("Upstream servers for names outside the cluster, at most 15. Default /etc/resolv.conf of the node."),
  forward: ForwardOptions.optional().describe("How queries are forwarded upstream."),
  cache: CacheOptions.optional().describe("Cache."),
  stubDomains: z
    .array(StubDomain)
    .optional()
    .describe("Domains with dedicated upstreams, such as a company's; the longest match wins."),
  hosts: z
    .strictObject({
      entries: z
        .array(
          z.strictObject({
            address: Address.describe("IP address."),
            names: z
              .array(Domain)
              .min(1)
              .describe("Names of the address, without `*`; use a regex in `rewrite` for patterns."),
          }),
        )
        .min(1)
        .describe("Addresses with their names."),
      ttl: integer(1, 65_535).optional().describe("Time to live in seconds. Default 3600."),
    })
    .optional()
    .describe("Names with fixed addresses, which take precedence."),
  rewrite: z.array(RewriteRule).optional().describe("Rules that rewrite names, applied in order."),
  log: z
    .strictObject({
      classes: z
        .array(z.enum(["success", "denial", "error", "all"]))
        .min(1)
        .default(["denial", "error"])
        .describe("Classes of answers to log. Default denial and error."),
      zones: z.array(Zone).min(1).optional().describe("Zones to log. Default: all."),
    })
    .optional()
    .describe("Query log on stdout; logging everything reduces throughput. Default: off."),
  lameduck: Duration.optional().describe(
    "How long a terminating pod keeps answering, at most 25s, since it is killed after 30 s. Default 5s.",
  ),
  pods: z
    .enum(["disabled", "insecure", "verified"])
    .optional()
    .describe("Pod IP names; `verified` watches all pods. Default insecure, or verified with autopath."),
  ttl: integer(0, 3600).optional().describe("Time to live of cluster names in seconds. Default 5."),
  autopath: z
    .boolean()
    .optional()
    .describe(
      "Resolve the pod's search list on the server: two queries for an outside name, not eight. Watches all pods, which needs memory. Default false.",
    ),
  multisocket: integer(1, 1024)
    .optional()
    .describe("Listening sockets, for nodes with many cores; requires CoreDNS 1.12. Default 1."),
  reload: z
    .strictObject({
      interval: Duration.default("30s").describe("Interval between checks of the Corefile, at least 2s. Default 30s."),
      jitter: Duration.default("15s").describe("Random jitter of the interval, at least 1s. Default 15s."),
    })
    .optional()
    .describe("Reloading of a changed Corefile."),
});
export type CorefileOptions = z.infer<typeof CorefileOptions>;

const PROFILES = ["eks-default", "tuned"] as const;

/** The Corefile: a profile with options over it, or a whole text. */
export const CorefileSettings = z
  .strictObject({
    profile: z
      .enum(PROFILES)
      .optional()
      .describe(
        "Base of the options. `eks-default` is the add-on's Corefile; `tuned` caches more, serves stale answers while upstreams are down, and limits concurrent queries. Default eks-default.",
      ),
    options: CorefileOptions.optional().describe("Changes to the profile."),
    upstreamLoad: z
      .strictObject({
        queriesPerSecond: integer(1)
          .default(1024)
          .describe(
            "Peak queries per second that one pod sends upstream. Default 1024, the limit of a VPC resolver per node.",
          ),
        delay: Duration.default("2s").describe("Maximum response time. Default 2s, the timeout of CoreDNS."),
      })
      .optional()
      .describe("Load from which the tuned profile derives maxConcurrent: rate × delay."),
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
