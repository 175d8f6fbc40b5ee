import { LOGGING_NAMESPACE } from "../../logging/pipeline.ts";
import type { Condition, WatchedStack } from "../alert.ts";

type WatchedCoreDns = NonNullable<WatchedStack["coredns"]>;

/** The series of CoreDNS's pods. */
interface CoreDnsSeries {
  /**
   * Matchers of all. CoreDNS and NodeLocal DNSCache have the same metrics: the port distinguishes them, however they are scraped. The
   * namespace leaves out another CoreDNS, such as that of a virtual cluster.
   */
  readonly dns: string;
  /** Labels of one of its pods in the tests. */
  readonly pod: string;
  /** The series that this pod has as long as it answers. */
  readonly info: string;
}

function seriesOf({ namespace }: WatchedCoreDns): CoreDnsSeries {
  const own = `namespace="${namespace}"`;
  const pod = `${own},instance="10.0.0.1:9153"`;
  return { dns: `${own},instance=~".+:9153"`, pod, info: `coredns_build_info{${pod},version="1.14.3"}` };
}

/** One alert for each pod, also where a second job scrapes it, as kube-prometheus-stack does with CoreDNS. */
export const eachPod = (expr: string) => `max by (namespace, pod, instance) (${expr})`;

/** A condition where CoreDNS runs. */
export const onCoreDns =
  (condition: (coredns: WatchedCoreDns & CoreDnsSeries, stack: WatchedStack) => Condition | undefined) =>
  (stack: WatchedStack): Condition | undefined =>
    stack.coredns && condition({ ...stack.coredns, ...seriesOf(stack.coredns) }, stack);

/** Samples of a test, one a minute. */
export const SAMPLES = 30;
export const steady = (value: number) => `${value}x${SAMPLES}`;
export const rising = (perMinute: number, from = 0) => `${from}+${perMinute}x${SAMPLES}`;

export const falling = (perMinute: number, from = 100) => `${from}-${perMinute}x${SAMPLES}`;

/**
 * Whether a counter of a pod that still answers has not moved for 20 seconds: faster to notice than by a rate, whose window must pass
 * first. Between two scrapes nothing moves, which no alert outlasts.
 * @param window Instead of 20 seconds.
 */
export const unmoved = (counter: string, by: string, alive: string, window = "20s") =>
  `unless sum by (${by}) (${counter}) - (sum by (${by}) (${counter} offset ${window}) or 0 * sum by (${by}) (${counter})) > 0 ${stillThere(alive)} ${stillThere(`${alive} offset ${window}`)}`;

/** What shows of each destination of a collector which lines wait for it, and which it has taken. */
interface Sending {
  /** Matchers of all destinations. */
  readonly matchers: string;
  /** Label with the name of a destination. */
  readonly by: string;
  /** Label and values of destinations in S3. */
  readonly s3: readonly [label: string, values: string];
  readonly waiting: (matchers: string) => string;
  readonly sent: (matchers: string) => string;
  readonly alive: string;
}

/**
 * Lines wait for a destination that takes none. An object of S3 is closed after five minutes, and its lines count as waiting until then.
 */
export const unsent = ({ matchers, by, s3: [label, values], waiting, sent, alive }: Sending) =>
  (
    [
      ["!~", "20s"],
      ["=~", "6m"],
    ] as const
  )
    .map(([match, window]) => {
      const own = `${matchers},${label}${match}"${values}"`;
      const groups = `instance, ${by}`;
      return `sum by (${groups}) (${waiting(own)}) > 0 ${unmoved(sent(own), groups, alive, window)}`;
    })
    .join(" or ");

/** Of a pod that was replaced, increase() still sees the samples in its window. */
export const stillThere = (alive: string) => `and on (instance) ${alive}`;

// Why a collector cannot raise an alert.
export const NO_ROTATIONS = "does not count rotations";
export const NO_DISK = "does not count errors of its buffer's disk; the canary sees a lost line";

/**
 * How fast a counter has grown in the last minutes, per second. One that did not exist then counts from zero, where rate() would wait for
 * more samples.
 */
export const perSecond = (counter: string, by: string, minutes = 1) =>
  `sum by (${by}) (clamp_min(${counter} - (${counter} offset ${minutes}m or 0 * ${counter}), 0)) / ${minutes * 60}`;

/**
 * A counter that has grown. Some exist from their first event on: increase() sees no growth in that sample, so that a new one counts as
 * grown where its pod was scraped before.
 * @param alive A series that each pod has.
 */
export const grew = (counter: string, window: string, by: string, alive: string) =>
  `sum by (${by}) (increase(${counter}[${window}]) > 0 or (${counter} unless ${counter} offset ${window}) > 0 and on (instance) ${alive} offset ${window})`;

/**
 * A DaemonSet that does not run on each node, by kube-state-metrics, whose own pod and instance are left out. While an update goes on from
 * node to node, one pod or another is always missing.
 * @see https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/daemonset-metrics.md
 */
export function missingOnNode(namespace: string, daemonSet: string): Condition {
  const labels = `{namespace="${namespace}",daemonset="${daemonSet}"}`;
  const series = `kube_daemonset_status_number_unavailable${labels}`;
  const updated = `kube_daemonset_status_updated_number_scheduled${labels}`;
  return {
    expr: `max by (namespace, daemonset) (${series}) > 0 unless on (namespace, daemonset) ${updated} > ${updated} offset 2m`,
    for: "5m",
    fires: { [series]: "0x5 1x30", [updated]: "3x5 0 1x30" },
    quiet: { [series]: "1x30", [updated]: "0+1x30" },
  };
}

/** The same by Container Insights, whose agent gives DaemonSets and Deployments the same metrics, by the name of the workload. */
export const MISSING_ON_NODE = {
  kind: "insights",
  metric: "status_replicas_unavailable",
  statistic: "Maximum",
  comparison: "above",
  threshold: 0,
  minutes: 5,
} as const;

/** Hours until a share that falls reaches zero, as far as that is less than four. */
export const hoursLeft = (share: string) => `${share} / (-deriv(${share}[15m]) > 0) / 3600 < 4`;

// Commands of the runbooks. The label `instance` of an alert is a pod's address, which -o wide shows.
export const PODS = "`kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`";
export const LOGS = "`kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50 --prefix`";
// Without --ignore-errors, kubectl stops at the first pod that was never restarted.
export const PREVIOUS =
  "`kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50 --prefix --previous --ignore-errors`";
export const COREFILE = "`kubectl -n kube-system get configmap coredns -o yaml`";

/** Pods of this stack, and not those of another collector of the same kind. */
export const OWN_COLLECTOR = `namespace="${LOGGING_NAMESPACE}"`;
export const COLLECTOR_POD = `${OWN_COLLECTOR},instance="10.0.1.1:2020"`;
