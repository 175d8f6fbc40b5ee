import type { Condition, Series, WatchedStack } from "./alert.ts";

type WatchedCoreDns = NonNullable<WatchedStack["coredns"]>;

/** Series of CoreDNS's pods. */
interface CoreDnsSeries {
  /**
   * Matchers of all. CoreDNS and NodeLocal DNSCache have the same metrics; the port distinguishes them, however they are scraped. The
   * namespace excludes other CoreDNS installations, such as a virtual cluster's.
   */
  readonly dns: string;
  /** Labels of one of its pods, for tests. */
  readonly pod: string;
  /** The series that this pod has while it answers. */
  readonly info: string;
}

function seriesOf({ namespace }: WatchedCoreDns): CoreDnsSeries {
  const inNamespace = `namespace="${namespace}"`;
  const pod = `${inNamespace},instance="10.0.0.1:9153"`;
  return { dns: `${inNamespace},instance=~".+:9153"`, pod, info: `coredns_build_info{${pod},version="1.14.3"}` };
}

/** One alert per pod, even if a second job scrapes it, as kube-prometheus-stack does with CoreDNS. */
export const eachPod = (expr: string) => `max by (namespace, pod, instance) (${expr})`;

/** A condition on CoreDNS; undefined for a stack without it. */
export const onCoreDns =
  (condition: (coredns: WatchedCoreDns & CoreDnsSeries, stack: WatchedStack) => Condition | undefined) =>
  (stack: WatchedStack): Condition | undefined =>
    stack.coredns && condition({ ...stack.coredns, ...seriesOf(stack.coredns) }, stack);

/** A condition on stacks that have its subject. */
export const onStacks =
  (has: (stack: WatchedStack) => boolean) =>
  (condition: Condition) =>
  (stack: WatchedStack): Condition | undefined =>
    has(stack) ? condition : undefined;

/** PromQL over several lines, as a single one: a line break is a blank, or nothing inside a parenthesis. */
export const promql = (parts: TemplateStringsArray, ...values: readonly (string | number)[]) =>
  String.raw({ raw: parts }, ...values)
    .trim()
    .replaceAll(/(?<=\()\n\s*|\n\s*(?=\))/g, "")
    .replaceAll(/\n\s*/g, " ");

/** Samples of a test series, one per minute. */
export const SAMPLES = 30;
// Test series in promtool's notation: a constant, a growing and a shrinking value.
export const steady = (value: number) => `${value}x${SAMPLES}`;
export const rising = (perMinute: number, from = 0) => `${from}+${perMinute}x${SAMPLES}`;
export const falling = (perMinute: number) => `100-${perMinute}x${SAMPLES}`;

/**
 * Whether a counter of a pod that still answers has not moved for 20 seconds: faster than a rate, whose window must pass first.
 * Between two scrapes nothing moves, but every alert must hold longer than that.
 * @param window Default: 20 seconds.
 */
export const unmoved = (counter: string, by: string, alive: string, window = "20s") =>
  promql`
    unless sum by (${by}) (${counter})
      - (sum by (${by}) (${counter} offset ${window}) or 0 * sum by (${by}) (${counter})) > 0
      ${stillThere(alive)}
      ${stillThere(`${alive} offset ${window}`)}`;

/** Metrics of the lines that wait for each of a collector's destinations, and of those sent. */
interface Sending {
  /** Matchers of all destinations. */
  readonly matchers: string;
  /** Label with a destination's name. */
  readonly by: string;
  /** Label and values of S3 destinations. */
  readonly s3: readonly [label: string, values: string];
  readonly waiting: (matchers: string) => string;
  readonly sent: (matchers: string) => string;
  readonly alive: string;
}

/**
 * Lines wait for a destination that accepts none. An S3 object is closed after five minutes; its lines count as waiting until then.
 */
export const unsent = ({ matchers, by, s3: [label, values], waiting, sent, alive }: Sending) =>
  (
    [
      ["!~", "20s"],
      ["=~", "6m"],
    ] as const
  )
    .map(([match, window]) => {
      const destinations = `${matchers},${label}${match}"${values}"`;
      const groups = `instance, ${by}`;
      return `sum by (${groups}) (${waiting(destinations)}) > 0 ${unmoved(sent(destinations), groups, alive, window)}`;
    })
    .join(" or ");

/** The share of answers that are SERVFAIL. */
export const servfailShare = (matchers: string) => promql`
  sum(rate(coredns_dns_responses_total{${matchers},rcode="SERVFAIL"}[5m]))
  / sum(rate(coredns_dns_responses_total{${matchers}}[5m]))`;

/** Test series of answers, of which about 4 % or 2 % are SERVFAIL. */
export const servfailSeries = (labels: string): Series => ({
  [`coredns_dns_responses_total{${labels},rcode="SERVFAIL"}`]: { fires: rising(40), quiet: rising(20) },
  [`coredns_dns_responses_total{${labels},rcode="NOERROR"}`]: { fires: rising(1000), quiet: rising(1000) },
});

/** Answers of upstreams, by upstream `to` and code. */
export const ANSWERS = "coredns_proxy_request_duration_seconds_count";

/** A metric of queries to upstreams. */
export const forwarded = (metric: string, matchers: string, more = "") =>
  `${metric}{${matchers},proxy_name="forward"${more}}`;

/** The share of an upstream's answers that are REFUSED, above 3 %; a rare refused name raises no alert. */
export function refusedShare(matchers: string): string {
  const answers = (more = "") => perSecond(forwarded(ANSWERS, matchers, more), "to", 5);
  const refused = answers(',rcode="REFUSED"');
  return promql`
    ${refused} / (${answers()}) > 0.03
    and ${refused} > 0.05`;
}

/** Test series of an upstream, of whose answers about 4 % or 2 % are REFUSED, and of one that refuses its only query per minute. */
export const refusedSeries = (labels: string): Series => {
  const answers = (to: string, rcode: string) => forwarded(ANSWERS, labels, `,to="${to}",rcode="${rcode}"`);
  return {
    [answers("10.0.0.2:53", "REFUSED")]: { fires: rising(40), quiet: rising(20) },
    [answers("10.0.0.2:53", "NOERROR")]: { fires: rising(1000), quiet: rising(1000) },
    [answers("10.0.0.3:53", "REFUSED")]: { quiet: rising(1) },
  };
};

/** Excludes replaced pods, whose samples increase() still sees in its window. */
const stillThere = (alive: string) => `and on (instance) ${alive}`;

/** A collector that still answers has read no line for ten minutes. */
export const nothingRead = (lines: string, alive: string) =>
  `sum by (instance) (increase(${lines}[10m])) == 0 ${stillThere(alive)}`;

// Reasons for a collector's missing alerts.
export const NO_ROTATIONS = "does not count rotations";
export const NO_DISK = "does not count errors of its buffer's disk; the canary sees a lost line";

/**
 * Growth of a counter in the last minutes, per second. A new counter counts from zero, while rate() would wait for more samples.
 */
export const perSecond = (counter: string, by: string, minutes = 1) =>
  promql`
    sum by (${by}) (
      clamp_min(${counter} - (${counter} offset ${minutes}m or 0 * ${counter}), 0)
    ) / ${minutes * 60}`;

/**
 * A counter that has grown. Some only exist from their first event, in which increase() sees no growth; so a new counter counts as grown
 * if its pod was scraped before.
 * @param alive A series that each pod has.
 */
export const grew = (counter: string, window: string, by: string, alive: string) =>
  promql`
    sum by (${by}) (
      increase(${counter}[${window}]) > 0
      or (${counter} unless ${counter} offset ${window}) > 0
        and on (instance) ${alive} offset ${window}
    )`;

/**
 * A DaemonSet that does not run on each node, by kube-state-metrics, whose own pod and instance are excluded. During a rolling update, some
 * pod is always missing.
 * @see https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/daemonset-metrics.md
 */
export function missingOnNode(namespace: string, daemonSet: string): Condition {
  const labels = `{namespace="${namespace}",daemonset="${daemonSet}"}`;
  const series = `kube_daemonset_status_number_unavailable${labels}`;
  const updated = `kube_daemonset_status_updated_number_scheduled${labels}`;
  return {
    expr: promql`
      max by (namespace, daemonset) (${series}) > 0
      unless on (namespace, daemonset) ${updated} > ${updated} offset 2m`,
    for: "5m",
    series: {
      [series]: { fires: "0x5 1x30", quiet: "1x30" },
      [updated]: { fires: "3x5 0 1x30", quiet: "0+1x30" },
    },
  };
}

/** The same by Container Insights, whose agent has the same metrics for DaemonSets and Deployments, by workload name. */
export const MISSING_ON_NODE = {
  kind: "insights",
  metric: "status_replicas_unavailable",
  statistic: "Maximum",
  comparison: "above",
  threshold: 0,
  minutes: 5,
} as const;

/** Hours until a falling share reaches zero, if less than four. */
export const hoursLeft = (share: string) => `${share} / (-deriv(${share}[15m]) > 0) / 3600 < 4`;

// Runbook commands. An alert's label `instance` is a pod's address, which -o wide shows.
export const PODS = "`kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`";
export const LOGS = "`kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50 --prefix`";
// Without --ignore-errors, kubectl stops at the first pod that never restarted.
export const PREVIOUS =
  "`kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50 --prefix --previous --ignore-errors`";
export const COREFILE = "`kubectl -n kube-system get configmap coredns -o yaml`";

/** Stands for the namespace of the collectors. */
export const LOGGING_PLACEHOLDER = "LOGGING_NAMESPACE";
/** Excludes other collectors of the same kind. */
export const OWN_COLLECTOR = `namespace="${LOGGING_PLACEHOLDER}"`;
export const COLLECTOR_POD = `${OWN_COLLECTOR},instance="10.0.1.1:2020"`;
