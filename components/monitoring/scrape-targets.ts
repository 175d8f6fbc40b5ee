import { isDeepStrictEqual } from "node:util";
import { type CoreDnsPods, USUAL_CORE_DNS_PODS } from "../kubernetes/core-dns-pods.ts";
import { COLLECTORS } from "../logging/collectors/index.ts";
import { EVENT_READER_NAME, LOGGING_NAMESPACE } from "../logging/pipeline.ts";
import { EVENT_READER } from "../logging/sources/event-collection.ts";
import type { WatchedStack } from "./alert.ts";
import { COLLECTOR_METRICS } from "./alerts/collector-signals.ts";
import { EVENT_INPUT } from "./alerts/event-reader-alerts.ts";
import type { MonitoringSettings } from "./settings.ts";

/** Namespace of the canary. */
export const CANARY_NAMESPACE = "canary";
/** The longest line that the canary follows. */
export const CANARY_LINE = "canary line canary4294967295x1764440000";
/** What Prometheus Operator's CustomResourceDefinitions add to a cluster, and objects are made of here. */
export const OPERATOR_API = { group: "monitoring.coreos.com", version: "v1", kinds: ["PodMonitor", "PrometheusRule"] };
/** Port at which the canary's metrics are served. */
export const CANARY_PORT = 8080;

/** Pods that have metrics, and where. */
export interface ScrapeTarget {
  /** Name of the objects that lead to it. */
  readonly name: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Ports with metrics: that of the program, and those of more containers in the same pod. */
  readonly ports: readonly number[];
  readonly path: string;
  /** Whether the pods or a Service of theirs carry scrape annotations already. */
  readonly annotated: boolean;
  /** Further ports of the same pods that a network policy must leave open; undefined for pods without a policy here. */
  readonly others: readonly OpenPort[] | undefined;
  /** Series that these pods have and no others at the same ports. Default: none. */
  readonly series?: string;
}

/** A port that stays open to all. */
interface OpenPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** Port at which CoreDNS's metrics are served. */
export const COREDNS_METRICS_PORT = 9153;

/** What stays open of CoreDNS: its servers, and the probes of the kubelet. */
const corednsPorts = (servers: readonly number[]): OpenPort[] => [
  ...servers.flatMap((port) => (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port }))),
  { protocol: "TCP", port: 8080 },
  { protocol: "TCP", port: 8181 },
];

function placeOf({ namespace, labels }: CoreDnsPods): CoreDnsPods {
  return { namespace, labels };
}

/** Everything of a stack that has metrics. */
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
            // The Service kube-dns of EKS and kubeadm is. That of CoreDNS's chart is only where its values say so.
            annotated: isDeepStrictEqual(placeOf(stack.coredns), USUAL_CORE_DNS_PODS),
            // A policy on somebody else's CoreDNS might cut off another scraper.
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
            // In the node's own network, where no policy applies.
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

function collectorTarget({ collector, senderPorts }: WatchedStack): ScrapeTarget[] {
  if (collector === undefined) return [];
  const { path } = COLLECTOR_METRICS[collector];
  const program = COLLECTORS[collector];
  const port = program?.ports.metrics;
  if (path === undefined || port === undefined) return [];
  const receives = Object.values(program?.receives ?? {});
  return [
    {
      name: `eks-dns-logging-${collector}`,
      namespace: LOGGING_NAMESPACE,
      selector: { "app.kubernetes.io/name": collector },
      ports: [port, ...senderPorts],
      path,
      annotated: false,
      others: receives.map((each) => ({ protocol: "TCP" as const, port: each })),
    },
  ];
}

function eventReaderTarget({ eventReader }: WatchedStack): ScrapeTarget[] {
  const { path } = COLLECTOR_METRICS[EVENT_READER.id];
  if (eventReader === undefined || path === undefined) return [];
  return [
    {
      name: `eks-dns-logging-${EVENT_READER_NAME}`,
      namespace: LOGGING_NAMESPACE,
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
 * The spec of a PodMonitor. It names the port by its number, since the pods of an add-on may give it no name. A port that a pod does not
 * declare is not scraped.
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitorSpec
 */
export function podMonitorSpec(target: ScrapeTarget, { interval }: MonitoringSettings["prometheus"]) {
  return {
    namespaceSelector: { matchNames: [target.namespace] },
    selector: { matchLabels: { ...target.selector } },
    podMetricsEndpoints: target.ports.map((portNumber) => ({
      portNumber,
      path: target.path,
      interval,
      relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" }],
    })),
  };
}

/** The spec of a headless Service whose annotations lead a Prometheus to its pods, ready or not. */
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
