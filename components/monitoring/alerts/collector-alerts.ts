import { EVENT_READER } from "../../logging/carriers.ts";
import { EVENT_READER_NAME } from "../../logging/pipeline.ts";
import { LOGGING_NAMESPACE } from "../../logging/settings.ts";
import { scrapeTargets } from "../scrape-targets.ts";
import type { Alert, Condition, Signal, WatchedStack } from "./alert.ts";
import { COLLECTOR_METRICS } from "./collector-signals.ts";
import {
  COLLECTOR_POD,
  LOGGING_PLACEHOLDER,
  MISSING_ON_NODE,
  missingOnNode,
  OWN_COLLECTOR,
  onStacks,
  perSecond,
  promql,
  rising,
  steady,
} from "./expressions.ts";
import { EVENT_INPUT } from "./fluent-bit-signals.ts";

// With the name of the stack's collector. For a DaemonSet by name, kubectl would show only one pod.
const LOGS = "`kubectl -n logging logs -l app.kubernetes.io/name=fluent-bit --all-containers --tail=50 --prefix`";

/** The condition for the stack's collector; undefined if its metrics cannot show it. */
const onCollector =
  (signal: Signal) =>
  ({ collector }: WatchedStack): Condition | undefined => {
    const condition = collector === undefined ? undefined : COLLECTOR_METRICS[collector].signals[signal];
    return typeof condition === "string" ? undefined : condition;
  };

/** The same, or that of the event reader, which is another program if the collector is not Fluent Bit. */
const onSenders =
  (signal: Signal) =>
  (stack: WatchedStack): Condition | undefined => {
    const ofCollector = onCollector(signal)(stack);
    if (stack.eventReader === undefined || stack.collector === EVENT_READER.id) return ofCollector;
    const reader = onCollector(signal)({ ...stack, collector: EVENT_READER.id });
    if (ofCollector === undefined || reader === undefined) return ofCollector ?? reader;
    const quiet = Object.entries(ofCollector.series).map(([selector, values]) => [selector, { quiet: values.quiet }]);
    return {
      ...reader,
      expr: `(${ofCollector.expr}) or (${reader.expr})`,
      series: { ...Object.fromEntries(quiet), ...reader.series },
    };
  };

/** Failures of a collector. Each has its own metrics, and some show less than others. */
export const COLLECTOR_ALERTS: readonly Alert[] = [
  {
    name: "CollectorDown",
    group: "collector",
    severity: "critical",
    summary: "No collector answers: no pod's logs are collected.",
    cause: "Its pods are not admitted or crash, or a network policy blocks Prometheus.",
    steps: ["`kubectl -n logging get pods -o wide`", "`kubectl -n logging get events`", LOGS],
    condition: ({ collector }) => {
      const alive = collector === undefined ? undefined : COLLECTOR_METRICS[collector].alive;
      if (alive === undefined) return undefined;
      const series = alive.replace(/^\{.*$/, "otelcol_process_uptime_seconds_total").replace(/\{.*$/, "");
      return {
        expr: `absent(${alive})`,
        for: "2m",
        series: {
          [`${series}{${COLLECTOR_POD}}`]: { fires: "1x5 _x30", quiet: "1x30" },
        },
      };
    },
    // With missing lines alone, CloudWatch cannot tell it from CollectorSilent.
    cloudwatch: { kind: "incoming", minutes: 15 },
  },
  {
    name: "CollectorMissingOnNode",
    group: "collector",
    severity: "warning",
    summary: "The collector is missing on {{ $value }} nodes.",
    cause: "The pod crashes, is out of memory, or its image cannot be pulled.",
    steps: ["`kubectl -n logging get pods -o wide`", "`kubectl -n logging describe pods`"],
    condition: ({ collector, kubeStateMetrics }) =>
      collector === undefined || !kubeStateMetrics ? undefined : missingOnNode(LOGGING_PLACEHOLDER, collector),
    cloudwatch: { ...MISSING_ON_NODE, dimensions: { Namespace: LOGGING_PLACEHOLDER, PodName: "COLLECTOR" } },
  },
  {
    name: "CollectorUnreachable",
    group: "collector",
    severity: "warning",
    summary: "Prometheus cannot scrape the collector {{ $labels.instance }}.",
    cause: "The pod hangs or restarts, or a network policy blocks Prometheus.",
    steps: ["`kubectl -n logging get pods -o wide`", LOGS],
    condition: (stack) => {
      const targets = scrapeTargets(stack).filter(({ namespace }) => namespace === stack.loggingNamespace);
      const [port, ...others] = [...new Set(targets.flatMap(({ ports }) => ports))];
      if (port === undefined) return undefined;
      const pod = `up{${OWN_COLLECTOR},instance="10.0.1.1:${port}"}`;
      return {
        expr: `up{${OWN_COLLECTOR},instance=~".+:(${[port, ...others].join("|")})"} == 0`,
        for: "2m",
        series: { [pod]: { fires: "1x15 0x30", quiet: "1x30" } },
      };
    },
  },
  {
    name: "LinesDropped",
    group: "collector",
    severity: "critical",
    summary: "The collector {{ $labels.instance }} drops lines: they are lost.",
    cause: "The buffer is full, or the destination refuses them permanently.",
    steps: [LOGS, "Repair the destination, or enlarge `logging.buffer.size`."],
    condition: onSenders("dropped"),
  },
  {
    name: "SendFailing",
    group: "collector",
    severity: "critical",
    summary: "The collector {{ $labels.instance }} reads lines, but the destination accepts none.",
    cause: "The destination is down, hangs, answers 429 or 5xx, or refuses the credentials.",
    steps: [LOGS, "`npm run verify -- --only collector`"],
    explainedBy: ["OpenSearchDown", "OpenSearchReadOnly"],
    condition: onSenders("failing"),
  },
  {
    name: "BufferFilling",
    group: "collector",
    severity: "warning",
    summary: "The buffer of {{ $labels.instance }} will be full in {{ $value | humanize }} hours.",
    cause: "The pods write more than the destination accepts.",
    steps: [LOGS, "Enlarge the destination or `logging.buffer.size`, or exclude namespaces."],
    condition: onSenders("filling"),
  },
  {
    name: "FilesUnreadable",
    group: "collector",
    severity: "warning",
    summary: "The collector {{ $labels.instance }} cannot read some lines or files.",
    cause: "A line is longer than the read buffer, or the log files are not where they should be.",
    steps: [LOGS, "`kubectl -n logging describe pods`", "Check the mount of /var/log/pods."],
    condition: onCollector("unreadable"),
  },
  {
    name: "CollectorErrors",
    group: "collector",
    severity: "critical",
    summary: "The collector {{ $labels.instance }} logs {{ $value | humanize }} errors per second, though it sends.",
    cause: "The node's disk is full, or files are unreadable: lines are lost.",
    steps: [
      LOGS,
      "`kubectl describe nodes`",
      "Look for DiskPressure, and free disk space below /var/lib/eks-dns-logging.",
    ],
    // While a new pod's labels cannot be read, each of its lines is an error.
    explainedBy: [
      "SendFailing",
      "LinesDropped",
      "ApiServerSilent",
      "CoreDnsDown",
      "CoreDnsLoop",
      "CanaryLookupFailing",
    ],
    condition: onSenders("stuck"),
  },
  {
    name: "FilesRotateFast",
    group: "collector",
    severity: "warning",
    summary:
      "Pods write faster than {{ $labels.instance }} reads: {{ $value | humanize }} more unread files per minute.",
    cause: "Unread files use disk space, though the kubelet has deleted them.",
    steps: [
      "`kubectl top pods --all-namespaces --sort-by=cpu`",
      "Find the pod that writes most on that node. Reduce or exclude its logs, or raise `logging.resources`.",
    ],
    condition: onCollector("rotating"),
  },
  {
    name: "CollectorSilent",
    group: "collector",
    severity: "critical",
    summary: "The collector {{ $labels.instance }} runs but reads no lines, though the canary writes one per minute.",
    cause: "It waits for the API server, has lost its read positions, or its buffer is full.",
    steps: [LOGS, "`kubectl -n logging rollout restart daemonset/fluent-bit`"],
    // Without the canary, a quiet node would look the same.
    condition: (stack) => (stack.canary === undefined ? undefined : onCollector("silent")(stack)),
  },
  {
    name: "IndexRefused",
    group: "collector",
    severity: "warning",
    summary: "The destination rejects requests of {{ $labels.instance }}.",
    cause: "A field's type differs from the index, the index is read-only, or a line is too long.",
    steps: [LOGS, "Compare the field's type with the index template: docs/how-to/index-format.md."],
    condition: onSenders("refused"),
  },
];

const POD = `${OWN_COLLECTOR},instance="10.0.2.1:2020"`;
const INPUT = `fluentbit_input_records_total{${POD},name="kubernetes_events.0"}`;
const READER_LOGS = `\`kubectl -n ${LOGGING_NAMESPACE} logs ${EVENT_READER_NAME}-0 -c fluent-bit --tail=50\``;

const onReader = onStacks(({ eventReader }) => eventReader !== undefined);

/** Failures of the pod that reads Kubernetes events. The collector's alerts include its drops, failed sends and a filling buffer. */
export const EVENT_READER_ALERTS: readonly Alert[] = [
  {
    name: "EventReaderDown",
    group: "collector",
    severity: "warning",
    summary: "No event reader answers: Kubernetes events are not collected.",
    cause: "Its pod is not scheduled, crashes or was evicted, or a network policy blocks Prometheus.",
    steps: [
      `\`kubectl -n ${LOGGING_NAMESPACE} describe pod ${EVENT_READER_NAME}-0\``,
      READER_LOGS,
      "Repair it within an hour: the API server forgets older events.",
    ],
    condition: onReader({
      expr: `absent(${EVENT_INPUT})`,
      for: "5m",
      series: { [INPUT]: { fires: "1x5 _x30", quiet: "1x17 _x30" } },
    }),
  },
  {
    name: "EventsUnreadable",
    group: "collector",
    severity: "warning",
    summary: "The event reader {{ $labels.instance }} logs errors and reads no events.",
    cause: "It cannot reach the API server, or its ClusterRoleBinding or token is gone.",
    steps: [READER_LOGS, `\`kubectl get clusterrolebinding eks-dns-logging-${EVENT_READER_NAME} -o yaml\``],
    explainedBy: ["SendFailing", "LinesDropped"],
    condition: onReader({
      // It logs an error every 1.5 seconds.
      expr: promql`
        ${perSecond(`fluentbit_logger_logs_total{${OWN_COLLECTOR},message_type="error"}`, "instance")} > 0.25
        and on (instance) sum by (instance) (increase(${EVENT_INPUT}[5m])) == 0`,
      for: "3m",
      series: {
        [`fluentbit_logger_logs_total{${POD},message_type="error"}`]: { fires: rising(40), quiet: rising(40) },
        [INPUT]: { fires: steady(7), quiet: rising(1) },
      },
    }),
  },
];
