import { parseCorefile, readUpstream } from "eks-dns-logging-corefile";
import { corefileText } from "../dns/corefile-rendering.ts";
import { serverPorts } from "../dns/endpoints.ts";
import { dnsProfile } from "../dns/profile.ts";
import { clusterDomainOf } from "../dns/resolver.ts";
import type { AdoptSettings, DnsSettings } from "../dns/settings.ts";
import { urlHost } from "../kubernetes/ip-family.ts";
import { commonLabels, coreDnsPods, namespacesOf, type TeamNamespaces } from "../kubernetes/labels.ts";
import { type Carrier, carriersOf, pipelineOf } from "../logging/carriers.ts";
import { tlsOf } from "../logging/destinations/destination-secrets.ts";
import type { Destination, DestinationOf } from "../logging/destinations/destination-settings.ts";
import { isUnknown } from "../logging/destinations/destination-values.ts";
import { indexPattern } from "../logging/indexing/index-format.ts";
import { logGroupName, searchUrl, withOwnHost } from "../logging/pipeline.ts";
import type { PatternNode } from "../logging/processing/pattern.ts";
import { patternText } from "../logging/processing/pattern-text.ts";
import { type Processing, processingOf } from "../logging/processing/processing.ts";
import { destinationsOfLine, meets, type RoutedLine, type Target, targetsOf } from "../logging/routing/routes.ts";
import { LOGGING_NAMESPACE, type LoggingSettings } from "../logging/settings.ts";
import { amount } from "../schema/values.ts";
import type { WatchedStack } from "./alerts/alert.ts";
import type { LogGroupOf } from "./cloudwatch-alarms.ts";
import { CANARY_LINE, CANARY_NAMESPACE, COREDNS_METRICS_PORT } from "./scrape-targets.ts";
import type { MonitoringSettings } from "./settings.ts";

/** The parts of a stack that can be watched. */
export interface Parts {
  /** CoreDNS; undefined if the stack has none, or no pods of it. */
  readonly dns: DnsSettings | undefined;
  /** Whether this stack manages CoreDNS's pods and Corefile. */
  readonly managesCoreDns: boolean;
  readonly logging: LoggingSettings | undefined;
  readonly teams: readonly TeamNamespaces[];
}

/** A stack's parts, its monitoring settings, and what its alerts depend on. */
export interface Watched {
  readonly settings: MonitoringSettings;
  readonly parts: Parts;
  readonly stack: WatchedStack;
}

/** The add-on's defaults. */
const ADDON_DEFAULT = { replicas: 2, memoryLimit: "170Mi" };

/** Name of the add-on's Deployment, container and ConfigMap. */
const USUAL_NAME = "coredns";

/** Derives what alerts depend on. */
export function watchedStack(parts: Parts, settings: MonitoringSettings): WatchedStack {
  const { dns, logging, teams, managesCoreDns } = parts;
  const onNodes = logging?.mode === "daemonset" ? logging : undefined;
  const targets = onNodes === undefined ? [] : targetsOf(onNodes, teams);
  return {
    coredns: dns === undefined ? undefined : corednsOf(dns, managesCoreDns),
    nodeLocalCache: dns?.nodeLocalCache !== undefined,
    collector: onNodes?.collector,
    ...metricsPorts(onNodes, teams),
    loggingNamespace: logging?.namespace ?? LOGGING_NAMESPACE,
    inClusterOpenSearch: targets.some(({ destination }) => isOwnSearch(destination)),
    namespaces: teams.flatMap(namespacesOf).sort(),
    canary: settings.canary.enabled ? { readsLines: canaryDestination(parts).kind !== "none" } : undefined,
    kubeStateMetrics: settings.prometheus.kubeStateMetrics,
  };
}

function corednsOf(dns: DnsSettings, managed: boolean): WatchedStack["coredns"] {
  const {
    deployment = USUAL_NAME,
    container = USUAL_NAME,
    configMap = USUAL_NAME,
  }: Partial<AdoptSettings> = dns.adopt ?? {};
  const place = { ...coreDnsPods(dns), deployment, container, configMap };
  if (!managed)
    return { managed, ...place, replicas: undefined, memoryLimit: undefined, upstreams: undefined, ports: [] };
  const { replicas, autoscaling, memoryLimit } = dnsProfile(dns);
  const byDefault = dns.adopt === undefined ? ADDON_DEFAULT : undefined;
  const memory = memoryLimit ?? byDefault?.memoryLimit;
  return {
    managed,
    ...place,
    replicas: autoscaling === undefined ? (replicas ?? byDefault?.replicas) : undefined,
    memoryLimit: memory === undefined ? undefined : amount(memory),
    upstreams: upstreamsOf(corefileText(dns)),
    ports: serverPorts(corefileText(dns)),
  };
}

/** Whether a Corefile serves metrics at the scraped port, or its imports may. */
export function servesMetrics(corefile: string): boolean {
  const { servers, imports } = parseCorefile(corefile);
  const plugins = servers.flatMap((server) => server.plugins);
  return (
    imports.length > 0 ||
    plugins.some((plugin) => plugin.plugin === "prometheus" && plugin.address?.endsWith(`:${COREDNS_METRICS_PORT}`))
  );
}

/** Addresses with port that a Corefile forwards to; undefined if one is a file on the node. */
function upstreamsOf(corefile: string): string[] | undefined {
  const forwards = parseCorefile(corefile)
    .servers.flatMap(({ plugins }) => plugins)
    .filter((plugin) => plugin.plugin === "forward");
  const read = forwards.flatMap(({ upstreams }) => upstreams).map(readUpstream);
  const addresses = read.flatMap((upstream) => {
    if (typeof upstream === "string" || upstream.kind === "file") return [];
    const { target, port, tls } = upstream;
    return [`${urlHost(target)}:${port ?? (tls ? 853 : 53)}`];
  });
  return addresses.length === read.length && addresses.length > 0 ? [...new Set(addresses)].sort() : undefined;
}

/** Metrics ports of the containers that each send to one of several destinations, on nodes and in the event reader, and of the reader. */
function metricsPorts(
  logging: LoggingSettings | undefined,
  teams: readonly TeamNamespaces[],
): Pick<WatchedStack, "senderPorts" | "eventReader"> {
  if (logging === undefined) return { senderPorts: [], eventReader: undefined };
  const [onNodes, reader] = carriersOf(logging);
  const portsOf = (carrier: Carrier) => {
    const pipeline = pipelineOf(carrier, { cluster: "", region: undefined, teams });
    const { senders = [] } = carrier.collector.render(pipeline);
    return senders.flatMap(({ ports }) => ports.metrics ?? []);
  };
  return {
    senderPorts: portsOf(onNodes),
    eventReader: reader && { ports: [reader.collector.ports.metrics ?? [], portsOf(reader)].flat() },
  };
}

/** Where the canary finds its lines, or why it cannot. */
export type CanaryDestination =
  | {
      readonly kind: "search";
      readonly url: string;
      readonly index: string;
      readonly own: boolean;
      readonly at: Destination;
    }
  | { readonly kind: "loki"; readonly url: string; readonly tenant: string | undefined; readonly at: Destination }
  | { readonly kind: "none"; readonly reason: string };

const none = (reason: string): CanaryDestination => ({ kind: "none", reason });

/** The canary's pods. */
const CANARY_POD = {
  namespace: CANARY_NAMESPACE,
  labels: commonLabels("canary"),
  line: CANARY_LINE,
};

interface WatchedPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** A line that must arrive whole. @default none */
  readonly line?: string;
}

/** The destinations of a pod's lines, or why there are none. */
function targetsOfPod(
  { logging, teams }: Pick<Parts, "logging" | "teams">,
  { namespace, labels, line: text }: WatchedPod,
): Target[] | string {
  if (logging === undefined) return "this stack collects no logs";
  if (logging.mode === "sidecar") return "a sidecar only collects the curl pods' logs";
  const { include, exclude } = logging.namespaces;
  if ((include.length > 0 && !include.includes(namespace)) || exclude.includes(namespace))
    return `logging.namespaces leaves out the namespace ${namespace}`;
  if (Object.entries(logging.labels).some(([key, value]) => labels[key] !== value))
    return "logging.labels leaves out its pods";
  const targets = targetsOf(logging, teams);
  const line = { namespace, labels, stream: "stdout" };
  const setting = text === undefined ? undefined : lossOf(text, line, processingOf(logging.processing, teams));
  if (setting !== undefined) return `logging.processing.${setting} changes or leaves out its lines`;
  const taken = targets.filter((target) => target.name === undefined || destinationsOfLine([target], line).length > 0);
  return taken.length === 0 ? "no route leads its lines to a destination" : taken;
}

/** The setting that may change or drop a line. */
function lossOf(text: string, line: RoutedLine, { redact, thin }: Processing): string | undefined {
  const matches = (pattern: PatternNode) => new RegExp(patternText(pattern, "ecmascript"), "u").test(text);
  if (redact.some(({ pattern, luhn, bare }) => !luhn && bare === undefined && matches(pattern))) return "redact";
  const rule = thin.find(
    (candidate) => meets(line, candidate) && (candidate.pattern === undefined || matches(candidate.pattern)),
  );
  return rule && (rule.kept === 0 ? "drop" : "sample");
}

/** Where the canary can find its lines: the first of their destinations that a pod can query. */
export function canaryDestination(parts: Pick<Parts, "dns" | "logging" | "teams">): CanaryDestination {
  const taken = targetsOfPod(parts, CANARY_POD);
  if (typeof taken === "string") return none(taken);
  const place = { namespace: parts.logging?.namespace ?? LOGGING_NAMESPACE, clusterDomain: clusterDomainOf(parts.dns) };
  const destinations = taken.map((target) => readable(target, place));
  return destinations.find(({ kind }) => kind !== "none") ?? destinations[0] ?? none("no destination takes its lines");
}

function readable({ destination, index }: Target, place: Parameters<typeof withOwnHost>[1]): CanaryDestination {
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch": {
      if (destination.credentials !== undefined)
        return none(`${destination.kind} requires a password, which only the collector has`);
      if (destination.token !== undefined || (destination.kind === "opensearch" && destination.sigv4 !== undefined))
        return none(`${destination.kind} requires an identity, which only the collector has`);
      const url = searchUrl(withOwnHost(destination, place));
      if (isUnknown(url)) return none("its address is only known after the deployment");
      const reason = distrust(destination);
      if (reason !== undefined) return none(reason);
      return { kind: "search", url, index: indexPattern(index), own: isOwnSearch(destination), at: destination };
    }
    case "loki": {
      if (isUnknown(destination.url)) return none("its address is only known after the deployment");
      const reason = distrust(destination);
      if (reason !== undefined) return none(reason);
      return destination.credentials === undefined && destination.token === undefined
        ? { kind: "loki", url: destination.url.replace(/\/$/, ""), tenant: destination.tenant, at: destination }
        : none("loki requires a password, which only the collector has");
    }
    case "cloudwatch":
      return none("reading CloudWatch Logs takes an AWS identity, which the canary does not have");
    case "s3":
      return none("lines arrive in S3 as compressed objects");
    case "http":
    case "otlp":
    case "splunk":
    case "firehose":
    case "kafka":
      return none(`a destination of kind ${destination.kind} cannot be queried`);
    case "file":
      return none("files on a node are not read by its pods");
    case "stdout":
      return none("the collector's own log can only be read through the API server");
  }
}

/** Why the canary, which only trusts public CAs, does not trust a destination; undefined if it does. */
function distrust(destination: Destination): string | undefined {
  const tls = tlsOf(destination);
  if (tls === undefined || (tls.verify && tls.caFile === undefined)) return undefined;
  return `the certificate of ${destination.kind} is not from a public CA, and only the collector has its CA certificate`;
}

/** Names the log groups with the lines that alarms count. */
export function logGroupsOf(parts: Pick<Parts, "dns" | "logging" | "teams">, cluster: string): LogGroupOf {
  const groupOf = (pod: WatchedPod) => {
    const targets = targetsOfPod(parts, pod);
    const [first] = (typeof targets === "string" ? [] : targets).flatMap(({ destination, suffix }) =>
      destination.kind === "cloudwatch" && countsLines(destination, suffix)
        ? [logGroupName(destination, cluster, suffix)]
        : [],
    );
    return first;
  };
  const pods = { coredns: coreDnsPods(parts.dns), canary: CANARY_POD };
  const groups = { coredns: groupOf(pods.coredns), canary: groupOf(pods.canary) };
  return (pod, line) => (line !== undefined && isDropped(line, pods[pod], parts) ? undefined : groups[pod]);
}

/** Whether `logging.processing` drops a pod's line. */
function isDropped(
  text: string,
  { namespace, labels }: WatchedPod,
  { logging, teams }: Pick<Parts, "logging" | "teams">,
) {
  return (
    logging !== undefined &&
    lossOf(
      text,
      { namespace, labels, stream: "stdout" },
      { ...processingOf(logging.processing, teams), redact: [] },
    ) === "drop"
  );
}

/**
 * Whether metric filters can count the lines of a log group.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
 */
function countsLines(destination: DestinationOf<"cloudwatch">, team: string | undefined): boolean {
  const teamClass = team === undefined ? undefined : destination.teams?.[team]?.class;
  return (teamClass ?? destination.class ?? "STANDARD") === "STANDARD";
}

function isOwnSearch(destination: Destination): boolean {
  return destination.kind === "opensearch" && destination.inCluster;
}
