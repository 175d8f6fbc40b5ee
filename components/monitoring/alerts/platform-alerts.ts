import { CANARY_LINE } from "../scrape-targets.ts";
import type { Alert } from "./alert.ts";
import {
  MISSING_ON_NODE,
  missingOnNode,
  onStacks,
  promql,
  refusedSeries,
  refusedShare,
  servfailSeries,
  servfailShare,
} from "./expressions.ts";

const NODE = 'node="a"';

const onLocalCache = onStacks(({ nodeLocalCache }) => nodeLocalCache);
const onCanary = onStacks(({ canary }) => canary !== undefined);
/** Requires a canary that can read its lines. */
const onReadLines = onStacks(({ canary }) => canary?.readsLines === true);
/** The canary queries this stack's OpenSearch. */
const onOpenSearch = onStacks(({ canary, inClusterOpenSearch }) => canary !== undefined && inClusterOpenSearch);

/** NodeLocal DNSCache has CoreDNS's metrics, at another port. */
const LOCAL = 'namespace="kube-system",instance=~".+:9253"';
const LOCAL_POD = 'namespace="kube-system",instance="10.0.0.1:9253"';

const LOCAL_STEPS = [
  "`kubectl -n kube-system get pods -l k8s-app=node-local-dns -o wide`",
  "`kubectl -n kube-system logs -l k8s-app=node-local-dns --tail=50 --prefix`",
];

const CANARY_LOGS = "`kubectl -n canary logs -l app.kubernetes.io/name=canary -c canary --tail=20 --prefix`";

/** Failures around CoreDNS and the collector, and those that the canary sees from outside. */
export const PLATFORM_ALERTS: readonly Alert[] = [
  {
    name: "NodeLocalDnsDown",
    group: "nodelocal-dns",
    severity: "critical",
    summary: "NodeLocal DNSCache on {{ $labels.instance }} does not answer: pods on that node resolve no names.",
    cause: "Its pod crashes or is out of memory.",
    steps: LOCAL_STEPS,
    condition: onLocalCache({
      expr: `up{${LOCAL}} == 0`,
      for: "2m",
      series: { [`up{${LOCAL_POD}}`]: { fires: "0x30", quiet: "1x30" } },
    }),
  },
  {
    name: "NodeLocalDnsAbsent",
    group: "nodelocal-dns",
    severity: "critical",
    summary: "Prometheus finds no NodeLocal DNSCache.",
    cause: "Its DaemonSet was deleted, its pods are not admitted, or Prometheus does not scrape them.",
    steps: LOCAL_STEPS,
    condition: onLocalCache({
      expr: `absent(up{${LOCAL}})`,
      for: "2m",
      series: { [`up{${LOCAL_POD}}`]: { fires: "1x5 _x30", quiet: "0x30" } },
    }),
  },
  {
    name: "NodeLocalDnsMissingOnNode",
    group: "nodelocal-dns",
    severity: "warning",
    summary: "NodeLocal DNSCache is missing on {{ $value }} nodes: pods there resolve no names.",
    cause: "The pod crashes, is out of memory, or its image cannot be pulled.",
    steps: LOCAL_STEPS,
    condition: ({ nodeLocalCache, kubeStateMetrics }) =>
      nodeLocalCache && kubeStateMetrics ? missingOnNode("kube-system", "node-local-dns") : undefined,
    cloudwatch: { ...MISSING_ON_NODE, dimensions: { Namespace: "kube-system", PodName: "node-local-dns" } },
  },
  {
    name: "NodeLocalDnsServfail",
    group: "nodelocal-dns",
    severity: "critical",
    summary: "NodeLocal DNSCache answers {{ $value | humanizePercentage }} of queries with SERVFAIL.",
    cause: "CoreDNS or the node's resolver does not answer.",
    steps: ["`kubectl -n kube-system logs -l k8s-app=node-local-dns --tail=50 --prefix`", "Compare with CoreDnsDown."],
    explainedBy: ["CoreDnsDown", "CoreDnsServfail", "CoreDnsAllUpstreamsDown", "CoreDnsLoop"],
    condition: onLocalCache({ expr: `${servfailShare(LOCAL)} > 0.03`, for: "2m", series: servfailSeries(LOCAL_POD) }),
  },
  {
    name: "NodeLocalDnsUpstreamRefuses",
    group: "nodelocal-dns",
    severity: "warning",
    summary:
      "The upstream {{ $labels.to }} of NodeLocal DNSCache refuses {{ $value | humanizePercentage }} of queries.",
    cause: "The node's resolver does not serve the nodes' addresses or these names.",
    steps: ["`kubectl -n kube-system get configmap node-local-dns -o yaml`", "Compare with CoreDnsUpstreamRefuses."],
    explainedBy: ["CoreDnsUpstreamRefuses"],
    condition: onLocalCache({ expr: refusedShare(LOCAL), for: "2m", series: refusedSeries(LOCAL_POD) }),
  },
  {
    name: "QuotaNear",
    group: "platform",
    severity: "warning",
    summary:
      "The namespace {{ $labels.namespace }} uses {{ $value | humanizePercentage }} of its {{ $labels.resource }}.",
    cause: "The team has grown, or finished pods were not deleted.",
    steps: ["`kubectl -n ts-team describe resourcequota`", "Raise `teams[].quota`."],
    condition: ({ namespaces, kubeStateMetrics }) => {
      if (namespaces.length === 0 || !kubeStateMetrics) return undefined;
      const labels = `namespace="${namespaces[0]}",resourcequota="team",resource="pods"`;
      return {
        // Drops the labels of kube-state-metrics' own pod.
        expr: promql`
          max by (namespace, resourcequota, resource) (
            kube_resourcequota{namespace=~"${namespaces.join("|")}",type="used"}
            / ignoring(type) (kube_resourcequota{type="hard"} > 0)
          ) > 0.9`,
        for: "10m",
        series: {
          [`kube_resourcequota{${labels},type="used"}`]: { fires: "19x30", quiet: "18x30" },
          [`kube_resourcequota{${labels},type="hard"}`]: { fires: "20x30", quiet: "20x30" },
        },
      };
    },
  },
  {
    name: "OpenSearchDown",
    group: "platform",
    severity: "critical",
    summary: "The in-cluster OpenSearch does not answer, or has lost shards.",
    cause: "Its pod is out of memory or disk space, or its volume is not bound.",
    steps: [
      "`kubectl -n logging get pods -l app.kubernetes.io/name=opensearch`",
      "`kubectl -n logging logs opensearch-0 -c opensearch --tail=50`",
    ],
    condition: onOpenSearch({
      expr: "max(canary_search_up) == 0",
      for: "3m",
      series: {
        [`canary_search_up{${NODE}}`]: { fires: "0x30", quiet: "0x30" },
        'canary_search_up{node="b"}': { quiet: "1x30" },
      },
    }),
  },
  {
    name: "OpenSearchReadOnly",
    group: "platform",
    severity: "critical",
    summary: "The in-cluster OpenSearch accepts no lines: {{ $value }} indices are read-only.",
    cause: "Its disk is more than 95 % full.",
    steps: [
      "`kubectl -n logging exec opensearch-0 -c opensearch -- df -h /usr/share/opensearch/data`",
      "Delete old indices or enlarge `logging.destination.storage`.",
    ],
    condition: onOpenSearch({
      expr: "max(canary_search_read_only_indices) > 0",
      for: "1m",
      series: { [`canary_search_read_only_indices{${NODE}}`]: { fires: "2x30", quiet: "0x30" } },
    }),
  },
  {
    name: "ApiServerSilent",
    group: "platform",
    severity: "critical",
    summary: "The API server does not answer a pod on {{ $labels.node }} within five seconds.",
    cause: "The control plane is overloaded, or the node cannot reach it.",
    steps: ["`kubectl get --raw '/readyz?verbose'`", CANARY_LOGS],
    condition: onCanary({
      expr: "canary_api_server_up == 0",
      for: "2m",
      series: { [`canary_api_server_up{${NODE}}`]: { fires: "0x30", quiet: "1x30" } },
    }),
  },
  {
    name: "CanaryDown",
    group: "canary",
    severity: "warning",
    summary: "The canary on {{ $labels.node }} has stopped: nothing is checked from there.",
    cause: "Its pod is not admitted, or its script exited.",
    steps: ["`kubectl -n canary get pods -o wide`", CANARY_LOGS],
    condition: onCanary({
      expr: "time() - canary_last_run_timestamp_seconds > 300",
      for: "1m",
      series: { [`canary_last_run_timestamp_seconds{${NODE}}`]: { fires: "60x30", quiet: "0+60x30" } },
    }),
  },
  {
    name: "CanaryAbsent",
    group: "canary",
    severity: "warning",
    summary: "Prometheus finds no canary: nothing is checked from any node.",
    cause: "Its DaemonSet was deleted, its pods are not admitted, or a network policy blocks Prometheus.",
    steps: ["`kubectl -n canary get pods -o wide`", CANARY_LOGS],
    condition: onCanary({
      expr: "absent(canary_last_run_timestamp_seconds)",
      for: "5m",
      series: { [`canary_last_run_timestamp_seconds{${NODE}}`]: { fires: "0+60x5 _x30", quiet: "0+60x30" } },
    }),
  },
  {
    name: "CanaryMissingOnNode",
    group: "canary",
    severity: "warning",
    summary: "The canary is missing on {{ $value }} nodes.",
    cause: "The pod crashes, is out of memory, or its images cannot be pulled.",
    steps: ["`kubectl -n canary get pods -o wide`", "`kubectl -n canary describe pods`"],
    condition: ({ canary, kubeStateMetrics }) =>
      canary !== undefined && kubeStateMetrics ? missingOnNode("canary", "canary") : undefined,
    cloudwatch: { ...MISSING_ON_NODE, dimensions: { Namespace: "canary", PodName: "canary" } },
  },
  {
    name: "CanaryLookupFailing",
    group: "canary",
    severity: "critical",
    summary: "Pods on {{ $labels.node }} cannot resolve names {{ $labels.name }} the cluster.",
    cause: "CoreDNS or the node's cache is down or unreachable.",
    steps: [CANARY_LOGS, "Compare with CoreDnsDown, NodeLocalDnsDown and CoreDnsAllUpstreamsDown."],
    explainedBy: [
      "CoreDnsDown",
      "CoreDnsServfail",
      "CoreDnsAllUpstreamsDown",
      "CoreDnsForwardRefused",
      "CoreDnsLoop",
      "NodeLocalDnsDown",
      "NodeLocalDnsAbsent",
    ],
    condition: onCanary({
      expr: "max by (node, name) (canary_lookup_up) == 0",
      for: "2m",
      series: { [`canary_lookup_up{${NODE},name="outside"}`]: { fires: "0x30", quiet: "1x30" } },
    }),
    cloudwatch: {
      kind: "lines",
      pattern: '"canary lookup failed"',
      line: "canary lookup failed for the name outside the cluster: aws.amazon.com",
      comparison: "above",
      threshold: 0,
      minutes: 2,
    },
  },
  {
    name: "CanaryLost",
    group: "canary",
    severity: "critical",
    summary: "A line that the canary wrote on {{ $labels.node }} has not arrived.",
    cause: "The collector dropped it, or the destination refuses it.",
    steps: [CANARY_LOGS, "Compare with LinesDropped and SendFailing."],
    explainedBy: [
      "LinesDropped",
      "SendFailing",
      "CollectorDown",
      "CollectorSilent",
      "CollectorErrors",
      "OpenSearchReadOnly",
    ],
    condition: onReadLines({
      expr: "increase(canary_lines_lost_total[15m]) > 0",
      for: "0m",
      series: { [`canary_lines_lost_total{${NODE}}`]: { fires: "0x15 1x30", quiet: "1x30" } },
    }),
    cloudwatch: {
      kind: "lines",
      pattern: '"canary line"',
      line: CANARY_LINE,
      comparison: "below",
      threshold: 1,
      minutes: 5,
    },
  },
  {
    name: "CanaryLate",
    group: "canary",
    severity: "warning",
    summary: "The newest line of {{ $labels.node }} in the destination is {{ $value | humanizeDuration }} old.",
    cause: "The collector sends a backlog, or the destination is slow.",
    steps: [CANARY_LOGS, "Compare with BufferFilling and SendFailing."],
    condition: onReadLines({
      expr: "canary_newest_line_age_seconds > 180",
      for: "2m",
      series: { [`canary_newest_line_age_seconds{${NODE}}`]: { fires: "190x30", quiet: "170x30" } },
    }),
  },
  {
    name: "CanaryDuplicate",
    group: "canary",
    severity: "warning",
    summary: "Lines of {{ $labels.node }} arrive more than once.",
    cause: "The collector sends again what the destination had accepted, or has lost its read positions.",
    steps: [CANARY_LOGS, "`kubectl -n logging get pods`", "Check whether the collector was restarted."],
    condition: onReadLines({
      expr: "increase(canary_lines_duplicated_total[15m]) > 0",
      for: "0m",
      series: { [`canary_lines_duplicated_total{${NODE}}`]: { fires: "0x15 1x30", quiet: "1x30" } },
    }),
  },
];
