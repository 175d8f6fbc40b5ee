import { isDeepStrictEqual } from "node:util";
import { type CoreDnsPods, USUAL_CORE_DNS_PODS } from "../kubernetes/labels.ts";
import { EVENT_READER } from "../logging/carriers.ts";
import { COLLECTORS } from "../logging/collectors/index.ts";
import { EVENT_READER_NAME } from "../logging/pipeline.ts";
import type { WatchedStack } from "./alerts/alert.ts";
import { COLLECTOR_METRICS } from "./alerts/collector-signals.ts";
import { EVENT_INPUT } from "./alerts/fluent-bit-signals.ts";
import type { MonitoringSettings } from "./settings.ts";

export const CANARY_NAMESPACE = "canary";
/** The longest line that the canary follows. */
export const CANARY_LINE = "canary line canary4294967295x1764440000";
/** Kinds of Prometheus Operator's CustomResourceDefinitions that this program creates. */
export const OPERATOR_API = { group: "monitoring.coreos.com", version: "v1", kinds: ["PodMonitor", "PrometheusRule"] };
/** Port of the canary's metrics. */
export const CANARY_PORT = 8080;

/** Pods with metrics, and their endpoints. */
export interface ScrapeTarget {
  /** Name of its PodMonitor, or prefix of its Services. */
  readonly name: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Metrics ports: the program's, and those of other containers in the pod. */
  readonly ports: readonly number[];
  readonly path: string;
  /** Whether the pods or their Service already have scrape annotations. */
  readonly annotated: boolean;
  /** Other ports of these pods that a network policy must keep open; undefined for pods without a policy here. */
  readonly others: readonly OpenPort[] | undefined;
  /** Series that only these pods have at these ports. Default: none. */
  readonly series?: string;
}

/** A port open to all. */
interface OpenPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** Port of CoreDNS's metrics. */
export const COREDNS_METRICS_PORT = 9153;

/** CoreDNS's open ports: its servers', and those for the kubelet's probes. */
const corednsPorts = (servers: readonly number[]): OpenPort[] => [
  ...servers.flatMap((port) => (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port }))),
  { protocol: "TCP", port: 8080 },
  { protocol: "TCP", port: 8181 },
];

function placeOf({ namespace, labels }: CoreDnsPods): CoreDnsPods {
  return { namespace, labels };
}

/** All of a stack's pods with metrics. */
export function scrapeTargets(stack: WatchedStack): ScrapeTarget[] {
  return [
    ...(stack.coredns === undefined
      ? []
      : [
          {
            name: "eks-dns-logging-coredns",
            namespace: stack.coredns.namespace,
            selector: stack.coredns.labels,
            ports: [COREDNS_METRICS_PORT],
            path: "/metrics",
            // EKS's and kubeadm's Service kube-dns is; that of CoreDNS's chart only if its values say so.
            annotated: isDeepStrictEqual(placeOf(stack.coredns), USUAL_CORE_DNS_PODS),
            // A policy on a CoreDNS with another owner might block another scraper.
            others: stack.coredns.managed ? corednsPorts(stack.coredns.ports) : undefined,
          },
        ]),
    ...(stack.nodeLocalCache
      ? [
          {
            name: "eks-dns-logging-node-local-dns",
            namespace: "kube-system",
            selector: { "k8s-app": "node-local-dns" },
            ports: [9253],
            path: "/metrics",
            annotated: true,
            // On the host network, where no policy applies.
            others: undefined,
          },
        ]
      : []),
    ...collectorTarget(stack),
    ...eventReaderTarget(stack),
    ...(stack.canary === undefined
      ? []
      : [
          {
            name: "eks-dns-logging-canary",
            namespace: CANARY_NAMESPACE,
            selector: { "app.kubernetes.io/name": "canary" },
            ports: [CANARY_PORT],
            path: "/metrics",
            annotated: false,
            others: [],
          },
        ]),
  ];
}

function collectorTarget({ collector, senderPorts, loggingNamespace }: WatchedStack): ScrapeTarget[] {
  if (collector === undefined) return [];
  const { path } = COLLECTOR_METRICS[collector];
  const program = COLLECTORS[collector];
  const port = program.ports.metrics;
  if (path === undefined || port === undefined) return [];
  const receives = Object.values(program.receives ?? {});
  return [
    {
      name: `eks-dns-logging-${collector}`,
      namespace: loggingNamespace,
      selector: { "app.kubernetes.io/name": collector },
      ports: [port, ...senderPorts],
      path,
      annotated: false,
      others: receives.map((receiverPort) => ({ protocol: "TCP" as const, port: receiverPort })),
    },
  ];
}

function eventReaderTarget({ eventReader, loggingNamespace }: WatchedStack): ScrapeTarget[] {
  const { path } = COLLECTOR_METRICS[EVENT_READER.id];
  if (eventReader === undefined || path === undefined) return [];
  return [
    {
      name: `eks-dns-logging-${EVENT_READER_NAME}`,
      namespace: loggingNamespace,
      selector: { "app.kubernetes.io/name": EVENT_READER_NAME },
      ports: eventReader.ports,
      path,
      annotated: false,
      others: [],
      series: EVENT_INPUT,
    },
  ];
}

/**
 * The spec of a PodMonitor. Ports are given by number, since an add-on's pods may not name them. Ports that a pod does not declare are
 * not scraped.
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitorSpec
 */
export function podMonitorSpec(target: ScrapeTarget, { interval }: MonitoringSettings["prometheus"]) {
  return {
    namespaceSelector: { matchNames: [target.namespace] },
    selector: { matchLabels: { ...target.selector } },
    // Alerts use the buckets of CoreDNS's histograms, which a Prometheus with native histograms drops otherwise.
    scrapeClassicHistograms: true,
    podMetricsEndpoints: target.ports.map((portNumber) => ({
      portNumber,
      path: target.path,
      interval,
      relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" }],
    })),
  };
}

/** A headless Service whose annotations lead Prometheus to its pods, ready or not. */
export function annotatedService({ name, namespace, selector, path }: ScrapeTarget, port: number) {
  return {
    metadata: {
      name: `${name}-${port}`,
      namespace,
      annotations: {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": String(port),
        "prometheus.io/path": path,
      },
    },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: { ...selector },
      ports: [{ name: "metrics", port, targetPort: port, protocol: "TCP" }],
    },
  };
}
