import { z } from "zod";
import { relation } from "../schema/errors.ts";
import { integer, string } from "../schema/values.ts";
import { Address, Domain, Duration, Upstream, Zone } from "./corefile-values.ts";

/**
 * How queries go to upstream servers.
 * @see https://coredns.io/plugins/forward/
 */
const ForwardOptions = z.strictObject({
  policy: z
    .enum(["random", "round_robin", "sequential"])
    .optional()
    .describe("Which upstream is asked first. Default random."),
  maxConcurrent: integer(1)
    .optional()
    .describe(
      "Queries that wait for upstreams at a time; more are refused. Size it above rate × delay: 5,000 queries/s at 400 ms need 2,000. Default: no limit.",
    ),
  maxFails: integer(0)
    .optional()
    .describe("Failed health checks until an upstream counts as down; 0 is never. Default 2."),
  expire: Duration.optional().describe("How long an idle connection is kept. Default 10s."),
  healthCheck: Duration.optional().describe("Time between health checks of an upstream that failed. Default 500ms."),
  except: z.array(Domain).min(1).optional().describe("Domains that are not forwarded. Default: none."),
  forceTcp: z.boolean().optional().describe("Ask over TCP always. Default false."),
  preferUdp: z.boolean().optional().describe("Ask over UDP even what came over TCP. Default false."),
  tlsServerName: Domain.optional().describe("Name in the upstream's certificate; needed with tls:// upstreams."),
});

const CacheSide = z.strictObject({
  capacity: integer(1024, 1_000_000)
    .optional()
    .describe(
      "Answers that are kept, from 1024; CoreDNS rounds down to a multiple of 256. Default 9984, or by profile and size.",
    ),
  ttl: integer(1, 86_400).optional().describe("Longest time in the cache, in seconds. Default: the cache's ttl."),
  minTtl: integer(0, 3600).optional().describe("Shortest time in the cache, in seconds. Default 5."),
});

/**
 * The cache.
 * @see https://coredns.io/plugins/cache/
 */
const CacheOptions = z.strictObject({
  ttl: integer(1, 3600).optional().describe("Longest time of an answer in the cache, in seconds. Default 30."),
  success: CacheSide.optional().describe("Answers with a record."),
  denial: CacheSide.optional().describe("Answers that a name or record does not exist."),
  prefetch: z
    .strictObject({
      amount: integer(1).describe("Queries that make an answer popular."),
      duration: Duration.default("1m").describe("Longest gap between these queries. Default 1m."),
      percentage: integer(10, 90)
        .default(10)
        .describe("Rest of the time to live at which it is asked again, in percent. Default 10."),
    })
    .optional()
    .describe("Ask again for popular answers before they expire. Default: off."),
  serveStale: z
    .strictObject({
      duration: Duration.default("1h").describe("How long an expired answer may be given. Default 1h."),
      refresh: z
        .enum(["immediate", "verify"])
        .default("immediate")
        .describe("`immediate` answers first and asks then; `verify` asks first. Default immediate."),
    })
    .optional()
    .describe("Answer with an expired answer while upstreams do not. Default: off."),
  servfail: Duration.optional().describe("How long a SERVFAIL is kept, up to 5m; 0s is not at all. Default 5s."),
});

const RewriteRule = z.strictObject({
  match: z
    .enum(["exact", "prefix", "suffix", "substring", "regex"])
    .default("exact")
    .describe(
      "How `from` is compared with the name asked for. CoreDNS puts a dot behind a prefix and a substring: a part of a label needs a regex. Default exact.",
    ),
  from: string(/^\S+$/, "a string without spaces").describe("What is looked for in the name."),
  to: string(/^\S+$/, "a string without spaces").describe(
    "What stands there instead; {1} is the first group of a regex.",
  ),
  answerAuto: z
    .boolean()
    .default(true)
    .describe("Give the answer under the name that was asked for: many resolvers reject another one. Default true."),
  continue: z.boolean().default(false).describe("Apply the rules that follow too. Default false."),
});

/** With a `*` too, which `checkDns` has words for. */
const StubDomainName = z.union([Domain, z.string().regex(/^\*\./)], "must be a domain, such as 'corp.example.com'");

const StubDomain = z.strictObject({
  domains: z.array(StubDomainName).min(1).describe("Domains that these upstreams answer for."),
  upstreams: z.array(Upstream).min(1).max(15).describe("Their servers, at most 15."),
  forward: ForwardOptions.optional().describe("How they are asked."),
});

/** What a Corefile does beyond the profile it starts from. */
export const CorefileOptions = z.strictObject({
  clusterDomain: Domain.optional().describe("The cluster's domain. Default cluster.local, the only one on EKS."),
  upstreams: z
    .array(Upstream)
    .min(1)
    .max(15)
    .optional()
    .describe("Servers for names outside the cluster, at most 15. Default /etc/resolv.conf, the node's own."),
  forward: ForwardOptions.optional().describe("How the upstreams are asked."),
  cache: CacheOptions.optional().describe("The cache."),
  stubDomains: z
    .array(StubDomain)
    .optional()
    .describe(
      "Domains with servers of their own, such as a company's; of two that fit a name, the longer one holds. Default: none.",
    ),
  hosts: z
    .strictObject({
      entries: z
        .array(
          z.strictObject({
            address: Address.describe("IP address."),
            names: z
              .array(Domain)
              .min(1)
              .describe("Names that it answers for, without `*`: a regex in `rewrite` can lead many names to one."),
          }),
        )
        .min(1)
        .describe("One address each with its names."),
      ttl: integer(1, 65_535).optional().describe("Time to live of the answers in seconds. Default 3600."),
    })
    .optional()
    .describe("Names with fixed addresses, before all other sources. Default: none."),
  rewrite: z.array(RewriteRule).optional().describe("Names that are answered as other names, in order. Default: none."),
  log: z
    .strictObject({
      classes: z
        .array(z.enum(["success", "denial", "error", "all"]))
        .min(1)
        .default(["denial", "error"])
        .describe("Kinds of answers that are logged. Default denial and error."),
      zones: z.array(Zone).min(1).optional().describe("Names that are logged. Default: all."),
    })
    .optional()
    .describe("Log queries to stdout; logging all costs throughput. Default: off."),
  lameduck: Duration.optional().describe(
    "How long a pod still answers after it was told to end, up to 25s, since the add-on's pods are killed after 30 s. Default 5s.",
  ),
  pods: z
    .enum(["disabled", "insecure", "verified"])
    .optional()
    .describe("Names made of a pod's IP; `verified` watches all pods. Default insecure, with autopath verified."),
  ttl: integer(0, 3600).optional().describe("Time to live of the cluster's own names in seconds. Default 5."),
  autopath: z
    .boolean()
    .optional()
    .describe(
      "Walk a pod's search list on the server, so that a name outside costs two queries and not eight. Watches all pods, which costs memory. Default false.",
    ),
  multisocket: integer(1, 1024)
    .optional()
    .describe("Sockets that listen on the port, for many cores; needs CoreDNS 1.12. Default: one."),
  reload: z
    .strictObject({
      interval: Duration.default("30s").describe("Time between looks at the Corefile, from 2s. Default 30s."),
      jitter: Duration.default("15s").describe("Random part of it, from 1s. Default 15s."),
    })
    .optional()
    .describe("How soon a changed Corefile is taken over."),
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
        "Where the options start: `eks-default` is what the add-on brings; `tuned` keeps more answers, gives stale ones while upstreams are down, and bounds waiting queries. Default eks-default.",
      ),
    options: CorefileOptions.optional().describe("What differs from the profile."),
    upstreamLoad: z
      .strictObject({
        queriesPerSecond: integer(1)
          .default(1024)
          .describe(
            "Queries a second that one pod sends upstream at its peak. Default 1024, what a VPC resolver takes from a node.",
          ),
        delay: Duration.default("2s").describe(
          "Longest time an answer takes. Default 2s, after which CoreDNS gives up.",
        ),
      })
      .optional()
      .describe("Sizes the tuned profile's max_concurrent: rate × delay."),
    text: z.string().min(1).optional().describe("A whole Corefile instead of profile and options."),
  })
  .superRefine((corefile, context) => {
    if (corefile.text === undefined) return;
    for (const key of ["profile", "options", "upstreamLoad"] as const) {
      if (corefile[key] === undefined) continue;
      relation(context, [key, "text"], `${key} and text are mutually exclusive`);
    }
  });
export type CorefileSettings = z.infer<typeof CorefileSettings>;
