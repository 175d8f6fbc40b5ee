import { isIP } from "node:net";
import { addressPeer, type EgressRule, type Peer, podsOfNamespace } from "../../kubernetes/network-policy.ts";
import type { Collector } from "../collectors/collector.ts";
import { LOGGING_NAMESPACE } from "../pipeline.ts";
import type { Destination } from "./destination-settings.ts";

/** `NAME.NAMESPACE.svc` or `POD.NAME.NAMESPACE.svc`, with or without the cluster's domain. */
const SERVICE_HOST = /^(?:[a-z0-9-]+\.){1,2}([a-z0-9-]+)\.svc(\.|$)/;
/** A Service on a lower port leads to another port of its pods, which as a rule may not listen on one. */
const UNPRIVILEGED_PORT = 1024;

/** What is known of where a pod sends, as far as its network policy needs it. */
interface PodsDestination {
  /** Addresses of a destination outside the cluster that is named by a host name. */
  readonly destinationCidrs: readonly string[];
  /** Port of the pods behind a Service. @default that of the Service from 1024, else all */
  readonly destinationPort?: number | undefined;
}

/** Whether the addresses of a destination must be given, since a network policy knows no names. */
export function needsCidrs(destination: Destination): boolean {
  const target = targetOf(destination);
  return target !== undefined && target.host !== undefined && isIP(target.host) === 0 && !isService(target.host);
}

/**
 * The way out of a namespace to the destination of its sidecars, or of its canary, and to nothing else; none where lines go to stdout.
 *
 * A Service is opened by its namespace: a rule sees the pods behind it and their ports, and not the Service. Their labels are not known here,
 * nor is their port unless it is given: it is taken to be that of the Service, and where that cannot be, all ports are open.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function destinationEgress(
  destination: Destination,
  { destinationCidrs, destinationPort }: PodsDestination,
): EgressRule[] {
  const target = targetOf(destination);
  if (target === undefined) return [];
  const ports: EgressRule["ports"] = [{ protocol: "TCP", port: target.port }];
  if (target.host === undefined) return [{ to: [podsNamed("opensearch")], ports }];
  if (isIP(target.host) !== 0) return [{ to: [addressPeer(target.host)], ports }];
  const [, namespace] = SERVICE_HOST.exec(target.host) ?? [];
  if (namespace !== undefined)
    return [{ to: [podsOfNamespace(namespace)], ...portsBehind(target.port, destinationPort) }];
  return [{ to: destinationCidrs.map((cidr) => ({ ipBlock: { cidr } })), ports }];
}

/** The port of the pods behind a Service; all of them where it is not known. */
function portsBehind(service: number, pods: PodsDestination["destinationPort"]): Pick<EgressRule, "ports"> {
  const port = pods ?? (service < UNPRIVILEGED_PORT ? undefined : service);
  return port === undefined ? {} : { ports: [{ protocol: "TCP", port }] };
}

/** Whether a destination is named by a Service of the cluster, which this stack does not bring. */
export function isAtService(destination: Destination): boolean {
  const host = targetOf(destination)?.host;
  return host !== undefined && isService(host);
}

/** Whether a host is a Service of the cluster. */
export function isService(host: string): boolean {
  return SERVICE_HOST.test(host);
}

/** Host and port that lines go to; no host for the OpenSearch of this stack. */
export function targetOf(
  destination: Destination,
): { readonly host: string | undefined; readonly port: number } | undefined {
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return { host: destination.host, port: destination.port };
    case "http":
    case "loki":
    case "otlp":
    case "splunk": {
      const { hostname, port, protocol } = new URL(destination.url);
      const host = hostname.replace(/^\[(.*)\]$/, "$1");
      return { host, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
    }
    default:
      return undefined;
  }
}

/** The way out of a team's namespace to what receives on the nodes, and to nothing else; none where no collector does. */
export function receiverEgress({ id, receives = {} }: Pick<Collector, "id" | "receives">): EgressRule[] {
  const ports = Object.values(receives).map((port) => ({ protocol: "TCP" as const, port }));
  if (ports.length === 0) return [];
  return [{ to: [podsNamed(id)], ports }];
}

/** Pods of the logging namespace, by the name in their labels. */
function podsNamed(name: string): Peer {
  return podsOfNamespace(LOGGING_NAMESPACE, { "app.kubernetes.io/name": name });
}
