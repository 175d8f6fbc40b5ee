import type { Alert } from "./alert.ts";
import { COREFILE, eachPod, LOGS, onCoreDns, PODS, PREVIOUS, promql, SAMPLES, steady } from "./expressions.ts";

// Series of kube-state-metrics. @see https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md
const ofContainer = (metric: string, { namespace, container }: Container, more = "") =>
  `kube_pod_container_status_${metric}{namespace="${namespace}",container="${container}"${more}}`;
const restarts = (container: Container) => ofContainer("restarts_total", container);
const waiting = (container: Container, reason: string) =>
  ofContainer("waiting_reason", container, `,reason="${reason}"`);

/** The container that runs CoreDNS, in its pods' namespace. */
interface Container {
  readonly namespace: string;
  readonly container: string;
}

/** Lines of which even one in the last minutes raises an alarm. */
const anyLine = (lines: { readonly pattern: string; readonly line: string; readonly minutes: number }) =>
  ({ kind: "lines", ...lines, comparison: "above", threshold: 0, datapoints: 1 }) as const;

/** Container Insights has a Deployment's metrics by name; these are placeholders for the stack's names. */
const COREDNS_DIMENSIONS = { Namespace: "COREDNS_NAMESPACE", PodName: "COREDNS" };

/** Failures of CoreDNS itself, by its own metrics. @see https://coredns.io/plugins/metrics/ */
export const COREDNS_ALERTS: readonly Alert[] = [
  {
    name: "CoreDnsDown",
    group: "coredns",
    severity: "critical",
    summary: "No CoreDNS pod answers: no names resolve in the cluster.",
    cause: "The pods are pending or crash, or a network policy blocks Prometheus.",
    steps: [PODS, "`kubectl -n kube-system describe pods -l k8s-app=kube-dns`", LOGS],
    condition: onCoreDns(({ dns, info }) => ({
      expr: `absent(coredns_build_info{${dns}})`,
      for: "2m",
      series: { [info]: { fires: `1x5 _x${SAMPLES}`, quiet: steady(1) } },
    })),
    cloudwatch: {
      kind: "insights",
      // A Service without pods has no data instead of 0, and alarms wait longer for missing data.
      metric: "status_replicas_available",
      dimensions: COREDNS_DIMENSIONS,
      statistic: "Minimum",
      comparison: "below",
      threshold: 1,
      minutes: 2,
    },
  },
  {
    name: "CoreDnsReplicaMissing",
    group: "coredns",
    severity: "warning",
    summary: "Fewer CoreDNS pods answer than configured.",
    cause: "A pod was killed or evicted, or cannot be scheduled.",
    steps: [PODS, "`kubectl -n kube-system get events --field-selector reason=FailedScheduling`"],
    condition: onCoreDns(({ namespace, dns, info, replicas }) =>
      replicas === undefined || replicas < 2
        ? undefined
        : {
            // By instance, since another job may scrape the same pods.
            expr: `count(count by (instance) (coredns_build_info{${dns}})) < ${replicas}`,
            for: "2m",
            series: {
              [info]: { fires: steady(1) },
              ...Object.fromEntries(
                Array.from({ length: replicas }, (_, last) => [
                  `coredns_build_info{namespace="${namespace}",instance="10.0.0.${last}:9153"}`,
                  { quiet: steady(1) },
                ]),
              ),
              [`coredns_build_info{namespace="${namespace}",instance="10.0.0.9:9153"}`]: { fires: `1x5 _x${SAMPLES}` },
            },
          },
    ),
    cloudwatch: {
      kind: "insights",
      metric: "status_replicas_unavailable",
      dimensions: COREDNS_DIMENSIONS,
      statistic: "Maximum",
      comparison: "above",
      threshold: 0,
      minutes: 5,
    },
  },
  {
    name: "CoreDnsPodUnreachable",
    group: "coredns",
    severity: "warning",
    summary: "Prometheus cannot scrape the CoreDNS pod {{ $labels.instance }}.",
    cause: "The pod hangs or restarts, or a network policy blocks Prometheus.",
    steps: [PODS, LOGS],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `${eachPod(`up{${dns}}`)} == 0`,
      for: "1m",
      series: { [`up{${pod}}`]: { fires: `1x15 0x${SAMPLES}`, quiet: steady(1) } },
    })),
  },
  {
    name: "CoreDnsRestarting",
    group: "coredns",
    severity: "warning",
    summary: "The CoreDNS container {{ $labels.instance }} was restarted.",
    cause: "It ran out of memory, failed its liveness probe, or exited with an error.",
    steps: ["`kubectl -n kube-system describe pods -l k8s-app=kube-dns`", "Last State has the reason.", PREVIOUS],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `${eachPod(`changes(process_start_time_seconds{${dns}}[10m])`)} > 0`,
      for: "0m",
      series: {
        [`process_start_time_seconds{${pod}}`]: { fires: `100x12 700x${SAMPLES}`, quiet: `100x2 700x${SAMPLES}` },
      },
    })),
    cloudwatch: {
      kind: "insights",
      // Restarts since the previous minute: each shows only once.
      metric: "pod_number_of_container_restarts",
      dimensions: COREDNS_DIMENSIONS,
      statistic: "Sum",
      comparison: "above",
      threshold: 0,
      minutes: 5,
      datapoints: 1,
    },
  },
  {
    name: "CoreDnsCrashLooping",
    group: "coredns",
    severity: "critical",
    summary: "A CoreDNS pod exits again and again.",
    cause:
      "The plugin loop found that queries are forwarded back to CoreDNS, the Corefile does not load, or memory runs out.",
    steps: [
      PREVIOUS,
      "The last line has `plugin/loop`, or the line of the Corefile.",
      "To end a loop, forward to addresses, or give the nodes a resolver other than the cluster's DNS.",
    ],
    condition: onCoreDns((coredns, { kubeStateMetrics }) => {
      if (!kubeStateMetrics) return undefined;
      const started = restarts(coredns);
      const ofOne = started.replace("}", ',pod="a"}');
      return {
        // The kubelet reports the reason only for part of the time between two starts, and not while the container runs.
        expr: promql`
          (
            max by (namespace, pod) (changes(${started}[5m])) > 1
            or max by (namespace, pod) (max_over_time(${waiting(coredns, "CrashLoopBackOff")}[5m])) > 0
          )
          and on (namespace, pod) ${started}`,
        for: "1m",
        series: {
          [ofOne]: { fires: `0x15 1 2 3x${SAMPLES}`, quiet: `0x15 1x${SAMPLES}` },
          [waiting(coredns, "ContainerCreating")]: { quiet: steady(1) },
        },
      };
    }),
    // The kubelet waits up to five minutes between two starts.
    cloudwatch: anyLine({
      pattern: '"plugin/loop: Loop"',
      line: '[FATAL] plugin/loop: Loop (127.0.0.1:44642 -> :53) detected for zone ".", see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 3238173470010107267.4158447259400991288."',
      minutes: 7,
    }),
  },
  {
    name: "CoreDnsPanic",
    group: "coredns",
    severity: "critical",
    summary: "CoreDNS panicked while it answered a query.",
    cause: "A plugin has a bug.",
    steps: [LOGS, "Search CoreDNS's issues for the plugin, and update the add-on."],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `${eachPod(`increase(coredns_panics_total{${dns}}[5m])`)} > 0`,
      for: "0m",
      series: { [`coredns_panics_total{${pod}}`]: { fires: `0x17 1x${SAMPLES}`, quiet: steady(3) } },
    })),
    cloudwatch: anyLine({
      pattern: '"Recovered from panic"',
      line: '[ERROR] Recovered from panic in server: "dns://:53" runtime error: invalid memory address or nil pointer dereference',
      minutes: 5,
    }),
  },
  {
    name: "CoreDnsCacheMissing",
    group: "coredns",
    severity: "warning",
    summary: "CoreDNS runs without a cache: each query for an outside name goes upstream.",
    cause: "The Corefile has no line `cache`.",
    steps: [COREFILE],
    condition: onCoreDns(({ dns, info, pod }) => ({
      expr: promql`
        absent(coredns_plugin_enabled{${dns},name="cache"})
        and on() count(coredns_build_info{${dns}}) > 0`,
      for: "2m",
      series: {
        [info]: { fires: steady(1), quiet: steady(1) },
        [`coredns_plugin_enabled{${pod},name="forward"}`]: { fires: steady(1) },
        [`coredns_plugin_enabled{${pod},name="cache"}`]: { quiet: steady(1) },
      },
    })),
  },
  {
    name: "CoreDnsMemoryNearLimit",
    group: "coredns",
    severity: "warning",
    summary: "A CoreDNS pod will soon be killed: it used {{ $value | humanizePercentage }} of its memory limit.",
    cause: "More pods and Services, a larger cache, or queries that wait for a slow upstream.",
    steps: [
      "`kubectl -n kube-system top pods -l k8s-app=kube-dns`",
      "Raise `dns.resources.limits.memory` or `dns.clusterSize`.",
    ],
    condition: onCoreDns(({ dns, pod, memoryLimit }) =>
      memoryLimit === undefined
        ? undefined
        : {
            // Resident memory includes the program's pages (49 MB of 1.14.3), which the kernel frees before it kills. The cause of a kill
            // is a peak of waiting queries, often a third above the samples.
            expr: promql`
              ${eachPod(`max_over_time((go_memstats_sys_bytes{${dns}} - go_memstats_heap_released_bytes{${dns}})[5m:15s])`)}
              / ${memoryLimit} > 0.7`,
            for: "1m",
            series: {
              [`go_memstats_sys_bytes{${pod}}`]: {
                fires: steady(Math.round(memoryLimit * 0.91)),
                quiet: steady(Math.round(memoryLimit * 0.89)),
              },
              [`go_memstats_heap_released_bytes{${pod}}`]: {
                fires: steady(Math.round(memoryLimit * 0.2)),
                quiet: steady(Math.round(memoryLimit * 0.2)),
              },
              [`process_resident_memory_bytes{${pod}}`]: { quiet: steady(memoryLimit) },
            },
          },
    ),
    cloudwatch: {
      kind: "insights",
      metric: "pod_memory_utilization_over_pod_limit",
      dimensions: COREDNS_DIMENSIONS,
      statistic: "Maximum",
      comparison: "above",
      threshold: 85,
      minutes: 5,
    },
  },
  {
    name: "CoreDnsReloadFailed",
    group: "coredns",
    severity: "warning",
    summary: "CoreDNS could not load a changed Corefile, and uses the old one.",
    cause: "A plugin refuses its options. A pod that restarts now will not start.",
    steps: [LOGS, COREFILE, "`npm run plan` checks the Corefile."],
    condition: onCoreDns(({ dns, pod }) => ({
      expr: `${eachPod(`increase(coredns_reload_failed_total{${dns}}[10m])`)} > 0`,
      for: "0m",
      series: { [`coredns_reload_failed_total{${pod}}`]: { fires: `0x15 1x${SAMPLES}`, quiet: steady(2) } },
    })),
    // Logged once per change.
    cloudwatch: anyLine({
      pattern: '"reload failed"',
      line: "[ERROR] plugin/reload: Corefile changed but reload failed: plugin/cache: cache TTL can not be zero or negative: -1",
      minutes: 10,
    }),
  },
  {
    name: "CoreDnsCorefileNotLoaded",
    group: "coredns",
    severity: "warning",
    summary: "The Corefile has changed, and no CoreDNS pod has loaded it.",
    cause:
      "It does not parse, which CoreDNS logs but does not count, or the plugin `reload` is off. Or only labels of its ConfigMap changed.",
    steps: [LOGS, COREFILE, "`npm run plan` checks the Corefile."],
    condition: onCoreDns(({ namespace, configMap, dns, pod, info }, { kubeStateMetrics }) => {
      if (!kubeStateMetrics) return undefined;
      const changed = `kube_configmap_metadata_resource_version{namespace="${namespace}",configmap="${configMap}"}`;
      return {
        expr: promql`
          max by (namespace, configmap) (changes(${changed}[15m])) > 0
          unless on() (
            count(coredns_reload_version_info{${dns}} unless coredns_reload_version_info{${dns}} offset 15m) > 0
            or count(changes(process_start_time_seconds{${dns}}[15m]) > 0) > 0
          )`,
        for: "3m",
        series: {
          [changed]: { fires: `100x10 200x${SAMPLES}`, quiet: `100x10 200x${SAMPLES}` },
          [`coredns_reload_version_info{${pod},hash="sha512",value="a"}`]: {
            fires: steady(1),
            quiet: `1x11 _x${SAMPLES}`,
          },
          [info]: { fires: steady(1), quiet: steady(1) },
          [`coredns_reload_version_info{${pod},hash="sha512",value="b"}`]: { quiet: `_x11 1x${SAMPLES}` },
        },
      };
    }),
    // Logged at each interval of the plugin `reload`.
    cloudwatch: anyLine({
      pattern: '"Corefile parse failed"',
      line: "[WARNING] plugin/reload: Corefile parse failed: Corefile:1 - Error during parsing: Unexpected '}' because no matching opening brace",
      minutes: 5,
    }),
  },
];
