import type { Alert } from "../alert.ts";
import { COREFILE, DNS, LOGS, onCoreDns, POD, perSecond, rising } from "./expressions.ts";

const FORWARD = `proxy_name="forward",to="10.0.0.2:53"`;
const ANSWERS = "coredns_proxy_request_duration_seconds_count";

/** How often it begins to ask an upstream, per second. What is answered is counted elsewhere. */
const TRIES = `(${["hits", "misses"].map((how) => perSecond(forwarded(`coredns_proxy_conn_cache_${how}_total`), "")).join(" + ")})`;

function forwarded(counter: string): string {
  return `${counter}{${DNS},proxy_name="forward"}`;
}

const SERVFAILS = `${ANSWERS}{${DNS},proxy_name="forward",rcode="SERVFAIL"}`;

/** What CoreDNS asks of others: resolvers and the Kubernetes API. @see https://coredns.io/plugins/forward/ */
export const UPSTREAM_ALERTS: readonly Alert[] = [
  {
    name: "CoreDnsLoop",
    group: "coredns",
    severity: "critical",
    summary: "CoreDNS forwards queries to itself, in a loop.",
    cause: "It forwards to a resolver that forwards back, and the plugin `loop` is off.",
    steps: [COREFILE, "Forward to resolvers that do not use CoreDNS, and enable the plugin `loop`."],
    condition: onCoreDns({
      // Most tries time out where a limit of CPU slows the loop down. Where the upstream is gone, none is answered. What comes back from
      // a loop is SERVFAIL; other answers come to those who ask for many new names.
      expr: `${TRIES} > 100 and ${perSecond(`coredns_dns_requests_total{${DNS}}`, "")} < 1.1 * ${TRIES} and ${perSecond(SERVFAILS, "")} > 0.02 * ${TRIES} and ${perSecond(SERVFAILS, "")} > 0.5 * ${perSecond(forwarded(ANSWERS), "")}`,
      for: "1m",
      fires: {
        [`coredns_proxy_conn_cache_hits_total{${POD},${FORWARD}}`]: rising(10_000),
        [`coredns_proxy_conn_cache_misses_total{${POD},${FORWARD}}`]: rising(80_000),
        [`${ANSWERS}{${POD},${FORWARD},rcode="SERVFAIL"}`]: rising(2_000),
        [`coredns_dns_requests_total{${POD}}`]: rising(55_000),
      },
      quiet: {
        [`coredns_proxy_conn_cache_hits_total{${POD},${FORWARD}}`]: rising(10_000),
        [`coredns_proxy_conn_cache_misses_total{${POD},${FORWARD}}`]: rising(80_000),
        [`${ANSWERS}{${POD},${FORWARD},rcode="SERVFAIL"}`]: rising(1_700),
        [`coredns_dns_requests_total{${POD}}`]: rising(55_000),
      },
    }),
  },
  {
    name: "CoreDnsServfail",
    group: "coredns",
    severity: "critical",
    summary: "CoreDNS answers {{ $value | humanizePercentage }} of queries with SERVFAIL.",
    cause: "An upstream resolver or the Kubernetes API does not answer.",
    steps: [
      LOGS,
      "`npm run lab -- dns explain example.com --from ts-team/curl-ts`",
      "Compare with CoreDnsUpstreamDown and CoreDnsApiErrors.",
    ],
    explainedBy: ["CoreDnsAllUpstreamsDown", "CoreDnsForwardRefused", "CoreDnsLoop"],
    condition: onCoreDns({
      expr: `sum(rate(coredns_dns_responses_total{${DNS},rcode="SERVFAIL"}[5m])) / sum(rate(coredns_dns_responses_total{${DNS}}[5m])) > 0.03`,
      for: "2m",
      fires: {
        [`coredns_dns_responses_total{${POD},rcode="SERVFAIL"}`]: rising(40),
        [`coredns_dns_responses_total{${POD},rcode="NOERROR"}`]: rising(1000),
      },
      quiet: {
        [`coredns_dns_responses_total{${POD},rcode="SERVFAIL"}`]: rising(20),
        [`coredns_dns_responses_total{${POD},rcode="NOERROR"}`]: rising(1000),
      },
    }),
    cloudwatch: {
      kind: "lines",
      pattern: '"[ERROR] plugin/errors"',
      line: "[ERROR] plugin/errors: 2 example.com. A: read udp 10.0.0.9:56659->10.0.0.2:53: i/o timeout",
      comparison: "above",
      threshold: 100,
      minutes: 5,
    },
  },
  {
    name: "CoreDnsSlow",
    group: "coredns",
    severity: "warning",
    summary: "The slowest 1 % of queries take {{ $value | humanizeDuration }} or more.",
    cause: "A slow upstream, or CoreDNS without CPU.",
    steps: ["`kubectl -n kube-system top pods -l k8s-app=kube-dns`", "Compare with CoreDnsUpstreamSlow."],
    condition: onCoreDns({
      expr: `histogram_quantile(0.99, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket{${DNS}}[5m]))) > 1`,
      for: "2m",
      fires: latency("coredns_dns_request_duration_seconds", POD, 900),
      quiet: latency("coredns_dns_request_duration_seconds", POD, 1000),
    }),
  },
  {
    name: "CoreDnsUpstreamSlow",
    group: "coredns",
    severity: "warning",
    summary: "The slowest 5 % of answers from {{ $labels.to }} take {{ $value | humanizeDuration }} or more.",
    cause: "The resolver is overloaded or far away. The VPC's accepts 1,024 packets per second and network interface.",
    steps: [
      "`npm run lab -- dns explain example.com --from ts-team/curl-ts`",
      "Enlarge the cache, or spread CoreDNS over more nodes.",
    ],
    condition: onCoreDns({
      expr: `histogram_quantile(0.95, sum by (le, to) (rate(coredns_proxy_request_duration_seconds_bucket{${DNS},proxy_name="forward"}[5m]))) > 0.5`,
      for: "2m",
      fires: latency("coredns_proxy_request_duration_seconds", `${POD},${FORWARD}`, 900),
      quiet: latency("coredns_proxy_request_duration_seconds", `${POD},${FORWARD}`, 990),
    }),
  },
  {
    name: "CoreDnsUpstreamDown",
    group: "coredns",
    severity: "warning",
    summary: "The upstream {{ $labels.to }} does not answer health checks.",
    cause: "The resolver is down, or a security group or network ACL drops port 53.",
    steps: [COREFILE, LOGS, "`npm run lab -- dns explain example.com --from ts-team/curl-ts`"],
    condition: onCoreDns({
      expr: `sum by (to) (rate(coredns_proxy_healthcheck_failures_total{${DNS},proxy_name="forward"}[2m])) > 0.1`,
      for: "1m",
      fires: { [`coredns_proxy_healthcheck_failures_total{${POD},${FORWARD}}`]: rising(60) },
      quiet: { [`coredns_proxy_healthcheck_failures_total{${POD},${FORWARD}}`]: rising(3) },
    }),
  },
  {
    name: "CoreDnsAllUpstreamsDown",
    group: "coredns",
    severity: "critical",
    summary: "All upstreams are down: no name outside the cluster resolves.",
    cause: "The node's resolver is down or unreachable.",
    steps: [COREFILE, "`npm run lab -- dns explain example.com --from ts-team/curl-ts`"],
    explainedBy: ["CoreDnsLoop"],
    condition: onCoreDns({
      // For longer than a failed check of a second is seen.
      expr: `${perSecond(`coredns_forward_healthcheck_broken_total{${DNS}}`, "")} > 0`,
      for: "2m",
      fires: { [`coredns_forward_healthcheck_broken_total{${POD}}`]: rising(5) },
      quiet: { [`coredns_forward_healthcheck_broken_total{${POD}}`]: "0x18 9x30" },
    }),
  },
  {
    name: "CoreDnsForwardRefused",
    group: "coredns",
    severity: "critical",
    summary: "CoreDNS refuses queries, since too many wait for upstreams.",
    cause: "`max_concurrent` is below queries per second times upstream delay.",
    steps: [COREFILE, "Raise `dns.corefile.options.forward.maxConcurrent`; each takes 2 KB of memory."],
    explainedBy: ["CoreDnsLoop"],
    condition: onCoreDns({
      expr: `${perSecond(`coredns_forward_max_concurrent_rejects_total{${DNS}}`, "")} > 0`,
      for: "2m",
      fires: { [`coredns_forward_max_concurrent_rejects_total{${POD}}`]: rising(5) },
      quiet: { [`coredns_forward_max_concurrent_rejects_total{${POD}}`]: "0x18 9x30" },
    }),
  },
  {
    name: "CoreDnsWrongUpstream",
    group: "coredns",
    severity: "warning",
    summary: "CoreDNS forwards to {{ $labels.to }}, which is not in the settings.",
    cause: "The Corefile in the cluster differs from the settings.",
    steps: [COREFILE, "`pulumi preview --refresh`"],
    condition: onCoreDns(({ upstreams }) => {
      if (upstreams === undefined) return undefined;
      const known = upstreams.map((address) => address.replaceAll(/[.[\]]/g, "\\\\$&")).join("|");
      const sent = "coredns_proxy_request_duration_seconds_count";
      return {
        expr: `sum by (to) (rate(${sent}{${DNS},proxy_name="forward",to!~"${known}"}[5m])) > 0`,
        for: "1m",
        fires: { [`${sent}{${POD},proxy_name="forward",to="192.0.2.9:53"}`]: rising(1) },
        quiet: { [`${sent}{${POD},proxy_name="forward",to="${upstreams[0] ?? ""}"}`]: rising(100) },
      };
    }),
  },
  {
    name: "CoreDnsApiErrors",
    group: "coredns",
    severity: "warning",
    summary: "CoreDNS gets no answer from the API server, and does not see new Services.",
    cause: "The API server is overloaded, down or unreachable.",
    steps: [LOGS, "`kubectl get --raw '/readyz?verbose'`"],
    condition: onCoreDns({
      expr: `sum(rate(coredns_kubernetes_rest_client_requests_total{${DNS},code=~"<error>|429|5.."}[5m])) > 0.02`,
      for: "2m",
      fires: { [`coredns_kubernetes_rest_client_requests_total{${POD},code="<error>"}`]: rising(2) },
      quiet: { [`coredns_kubernetes_rest_client_requests_total{${POD},code="200"}`]: rising(20) },
    }),
  },
];

/** A histogram with a thousand answers a minute, of which so many take less than half a second and the others two. */
function latency(metric: string, labels: string, fast: number): Record<string, string> {
  return Object.fromEntries(
    [
      ["0.256", fast],
      ["0.512", fast],
      ["2.048", 1000],
      ["+Inf", 1000],
    ].map(([le, count]) => [`${metric}_bucket{${labels},le="${le}"}`, rising(Number(count))]),
  );
}
