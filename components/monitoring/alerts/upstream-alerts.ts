import type { Alert, Series } from "./alert.ts";
import {
  ANSWERS,
  COREFILE,
  forwarded,
  LOGS,
  onCoreDns,
  perSecond,
  promql,
  refusedSeries,
  refusedShare,
  rising,
  servfailSeries,
  servfailShare,
} from "./expressions.ts";

const FORWARD = `proxy_name="forward",to="10.0.0.2:53"`;

/**
 * Most queries are forwarded, and come back as SERVFAIL. Most tries time out if a CPU limit slows the loop down. If instead the upstream is
 * down, none is answered; if clients query many new names, other answers than SERVFAIL come.
 */
function isLoop(dns: string): string {
  // Queries to upstreams begun per second; answers are counted elsewhere.
  const begun = ["hits", "misses"].map((how) => forwarded(`coredns_proxy_conn_cache_${how}_total`, dns));
  const tries = `(${begun.map((counter) => perSecond(counter, "")).join(" + ")})`;
  const failed = perSecond(forwarded(ANSWERS, dns, ',rcode="SERVFAIL"'), "");
  const asked = perSecond(`coredns_dns_requests_total{${dns}}`, "");
  return promql`
    ${tries} > 100
    and ${asked} < 1.1 * ${tries}
    and ${failed} > 0.02 * ${tries}
    and ${failed} > 0.5 * ${perSecond(forwarded(ANSWERS, dns), "")}`;
}

/** Failures of CoreDNS's resolvers and of the Kubernetes API. @see https://coredns.io/plugins/forward/ */
export const UPSTREAM_ALERTS: readonly Alert[] = [
  {
    name: "CoreDnsLoop",
    group: "coredns",
    severity: "critical",
    summary: "CoreDNS forwards queries to itself, in a loop.",
    cause: "It forwards to a resolver that forwards back, and the plugin `loop` is off.",
    steps: [COREFILE, "Forward to resolvers that do not use CoreDNS, and enable the plugin `loop`."],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: isLoop(dns),
      for: "1m",
      series: {
        [`coredns_proxy_conn_cache_hits_total{${pod},${FORWARD}}`]: { fires: rising(10_000), quiet: rising(10_000) },
        [`coredns_proxy_conn_cache_misses_total{${pod},${FORWARD}}`]: { fires: rising(80_000), quiet: rising(80_000) },
        [`${ANSWERS}{${pod},${FORWARD},rcode="SERVFAIL"}`]: { fires: rising(2_000), quiet: rising(1_700) },
        [`coredns_dns_requests_total{${pod}}`]: { fires: rising(55_000), quiet: rising(55_000) },
      },
    })),
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
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `${servfailShare(dns)} > 0.03`,
      for: "2m",
      series: servfailSeries(pod),
    })),
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
    condition: onCoreDns(({ dns, pod }) => ({
      expr: promql`
        histogram_quantile(
          0.99, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket{${dns}}[5m]))
        ) > 1`,
      for: "2m",
      series: latency("coredns_dns_request_duration_seconds", pod, { fires: 900, quiet: 1000 }),
    })),
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
    condition: onCoreDns(({ dns, pod }) => ({
      expr: promql`
        histogram_quantile(
          0.95, sum by (le, to) (rate(coredns_proxy_request_duration_seconds_bucket{${dns},proxy_name="forward"}[5m]))
        ) > 0.5`,
      for: "2m",
      series: latency("coredns_proxy_request_duration_seconds", `${pod},${FORWARD}`, { fires: 900, quiet: 990 }),
    })),
  },
  {
    name: "CoreDnsUpstreamDown",
    group: "coredns",
    severity: "warning",
    summary: "The upstream {{ $labels.to }} does not answer health checks.",
    cause: "The resolver is down, or a security group or network ACL drops port 53.",
    steps: [COREFILE, LOGS, "`npm run lab -- dns explain example.com --from ts-team/curl-ts`"],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `sum by (to) (rate(coredns_proxy_healthcheck_failures_total{${dns},proxy_name="forward"}[2m])) > 0.1`,
      for: "1m",
      series: {
        [`coredns_proxy_healthcheck_failures_total{${pod},${FORWARD}}`]: { fires: rising(60), quiet: rising(3) },
      },
    })),
  },
  {
    name: "CoreDnsUpstreamRefuses",
    group: "coredns",
    severity: "warning",
    summary: "The upstream {{ $labels.to }} refuses {{ $value | humanizePercentage }} of queries.",
    cause:
      "The resolver does not serve the nodes' addresses or these names. CoreDNS passes its REFUSED on, and asks no other upstream.",
    steps: [
      "`npm run lab -- dns explain example.com --from ts-team/curl-ts`",
      "Allow the nodes' networks in the resolver, or give its names a stub domain with resolvers that all have them.",
    ],
    condition: onCoreDns(({ dns, pod }) => ({ expr: refusedShare(dns), for: "2m", series: refusedSeries(pod) })),
  },
  {
    name: "CoreDnsAllUpstreamsDown",
    group: "coredns",
    severity: "critical",
    summary: "All upstreams are down: no name outside the cluster resolves.",
    cause: "The node's resolver is down or unreachable.",
    steps: [COREFILE, "`npm run lab -- dns explain example.com --from ts-team/curl-ts`"],
    explainedBy: ["CoreDnsLoop"],
    condition: onCoreDns(({ dns, pod }) => ({
      // Must hold longer than the minute for which a short failure is visible.
      expr: `${perSecond(`coredns_forward_healthcheck_broken_total{${dns}}`, "")} > 0`,
      for: "2m",
      series: { [`coredns_forward_healthcheck_broken_total{${pod}}`]: { fires: rising(5), quiet: "0x18 9x30" } },
    })),
  },
  {
    name: "CoreDnsForwardRefused",
    group: "coredns",
    severity: "critical",
    summary: "CoreDNS refuses queries, since too many wait for upstreams.",
    cause: "`max_concurrent` is below queries per second times upstream delay.",
    steps: [COREFILE, "Raise `dns.corefile.options.forward.maxConcurrent`; each takes 2 KB of memory."],
    explainedBy: ["CoreDnsLoop"],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `${perSecond(`coredns_forward_max_concurrent_rejects_total{${dns}}`, "")} > 0`,
      for: "2m",
      series: { [`coredns_forward_max_concurrent_rejects_total{${pod}}`]: { fires: rising(5), quiet: "0x18 9x30" } },
    })),
  },
  {
    name: "CoreDnsWrongUpstream",
    group: "coredns",
    severity: "warning",
    summary: "CoreDNS forwards to {{ $labels.to }}, which is not in the settings.",
    cause: "The Corefile in the cluster differs from the settings.",
    steps: [COREFILE, "`pulumi preview --refresh`"],
    condition: onCoreDns(({ dns, pod, upstreams }) => {
      if (upstreams === undefined) return undefined;
      const configured = upstreams.map((address) => address.replaceAll(/[.[\]]/g, "\\\\$&")).join("|");
      const sent = "coredns_proxy_request_duration_seconds_count";
      return {
        expr: `sum by (to) (rate(${sent}{${dns},proxy_name="forward",to!~"${configured}"}[5m])) > 0`,
        for: "1m",
        series: {
          [`${sent}{${pod},proxy_name="forward",to="192.0.2.9:53"}`]: { fires: rising(1) },
          [`${sent}{${pod},proxy_name="forward",to="${upstreams[0] ?? ""}"}`]: { quiet: rising(100) },
        },
      };
    }),
  },
  {
    name: "CoreDnsApiErrors",
    group: "coredns",
    severity: "warning",
    summary: "The API server does not answer CoreDNS or denies it access, so that it does not see new Services.",
    cause: "The API server is overloaded, down or unreachable, or CoreDNS's cluster role or its binding is gone.",
    steps: [
      LOGS,
      "`kubectl get --raw '/readyz?verbose'`",
      "`kubectl get clusterrole,clusterrolebinding system:coredns`",
    ],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `sum(rate(coredns_kubernetes_rest_client_requests_total{${dns},code=~"<error>|401|403|429|5.."}[5m])) > 0.02`,
      for: "2m",
      series: {
        [`coredns_kubernetes_rest_client_requests_total{${pod},code="<error>"}`]: { fires: rising(2) },
        [`coredns_kubernetes_rest_client_requests_total{${pod},code="200"}`]: { quiet: rising(20) },
      },
    })),
  },
];

/** A histogram with a thousand answers per minute: the given number takes less than half a second, the others two. */
function latency(metric: string, labels: string, fast: { readonly fires: number; readonly quiet: number }): Series {
  const bucket = (le: string) => `${metric}_bucket{${labels},le="${le}"}`;
  const some = { fires: rising(fast.fires), quiet: rising(fast.quiet) };
  const all = { fires: rising(1000), quiet: rising(1000) };
  return { [bucket("0.256")]: some, [bucket("0.512")]: some, [bucket("2.048")]: all, [bucket("+Inf")]: all };
}
