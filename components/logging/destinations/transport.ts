import { isIP } from "node:net";
import { addressPeer, type EgressRule, type Peer, podsOfNamespace } from "../../kubernetes/network-policy.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import type { Collector } from "../collectors/collector.ts";
import { hasIndex } from "../pipeline.ts";
import type { CollectorId } from "../settings.ts";
import type { Destination } from "./destination-settings.ts";

/** `NAME.NAMESPACE.svc` or `POD.NAME.NAMESPACE.svc`, with or without the cluster's domain. */
const SERVICE_HOST = /^(?:[a-z0-9-]+\.){1,2}([a-z0-9-]+)\.svc(\.|$)/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;
/** A Service on a lower port maps it to another port of its pods, which usually may not listen below. */
const UNPRIVILEGED_PORT = 1024;

/** What a network policy must know about a destination. */
interface PodsDestination {
  /** Addresses of an external destination with a host name. */
  readonly destinationCidrs: readonly string[];
  /** Port of the pods behind a Service. @default the Service's port if that is 1024 or higher, else all ports */
  readonly destinationPort?: number | undefined;
}

/** Whether a destination's addresses must be set, since network policies do not resolve names. */
export function needsCidrs(destination: Destination): boolean {
  const target = targetOf(destination);
  return target !== undefined && target.host !== undefined && isIP(target.host) === 0 && !isService(target.host);
}

/**
 * Allows a namespace's sidecars, or its canary, to reach the destination and nothing else; empty for stdout.
 *
 * A Service is opened by its namespace: policies apply to the pods behind it and their ports, not to the Service. Their labels are unknown,
 * and so is their port unless it is set: it is assumed to be the Service's, or if that is impossible, all ports are opened.
 * @param namespace Namespace of the collectors, and of this stack's OpenSearch.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function destinationEgress(
  destination: Destination,
  { destinationCidrs, destinationPort }: PodsDestination,
  namespace: string,
): EgressRule[] {
  const target = targetOf(destination);
  if (target === undefined) return [];
  const ports: EgressRule["ports"] = [{ protocol: "TCP", port: target.port }];
  if (target.host === undefined) return [{ to: [podsNamed(namespace, "opensearch")], ports }];
  if (isIP(target.host) !== 0) return [{ to: [addressPeer(target.host)], ports }];
  const [, ofService] = SERVICE_HOST.exec(target.host) ?? [];
  if (ofService !== undefined)
    return [{ to: [podsOfNamespace(ofService)], ...portsBehind(target.port, destinationPort) }];
  return [{ to: destinationCidrs.map((cidr) => ({ ipBlock: { cidr } })), ports }];
}

/** The port of the pods behind a Service; all ports if unknown. */
function portsBehind(service: number, pods: PodsDestination["destinationPort"]): Pick<EgressRule, "ports"> {
  const port = pods ?? (service < UNPRIVILEGED_PORT ? undefined : service);
  return port === undefined ? {} : { ports: [{ protocol: "TCP", port }] };
}

/** Whether a destination's host is a Service that this stack does not create. */
export function isAtService(destination: Destination): boolean {
  const host = targetOf(destination)?.host;
  return host !== undefined && isService(host);
}

/** Whether a host is a Service in the cluster. */
function isService(host: string): boolean {
  return SERVICE_HOST.test(host);
}

/** Host and port of a destination; no host for this stack's OpenSearch. */
function targetOf(destination: Destination): { readonly host: string | undefined; readonly port: number } | undefined {
  if ("url" in destination) return addressOf(destination.url);
  return hasIndex(destination) ? { host: destination.host, port: destination.port } : undefined;
}

/** Host and port of a URL; an IPv6 address without the brackets. */
export function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (port !== "") return { host, port: Number(port) };
  return { host, port: protocol === "https:" ? 443 : 80 };
}

/**
 * Allows a team's namespace to reach the receiver on the nodes and nothing else; empty if the collector receives nothing.
 * @param namespace Namespace of the collectors.
 */
export function receiverEgress(
  { id, receives = {} }: Pick<Collector, "id" | "receives">,
  namespace: string,
): EgressRule[] {
  const ports = Object.values(receives).map((port) => ({ protocol: "TCP" as const, port }));
  if (ports.length === 0) return [];
  return [{ to: [podsNamed(namespace, id)], ports }];
}

/** Pods of a namespace, by their name label. */
function podsNamed(namespace: string, name: string): Peer {
  return podsOfNamespace(namespace, { "app.kubernetes.io/name": name });
}

/** Whether a host is in the cluster: a name without a dot is a Service in the collector's namespace. */
function isInCluster(host: string): boolean {
  return isService(host) || !/[.:]/.test(host);
}

/**
 * A warning if no line arrives, or if anyone on the path can read lines or impersonate the destination. For Fluent Bit the policy
 * `collectors-tls` reports the latter, from its configuration. Paths are below the destination.
 */
export function transportIssues(destination: Destination, collector: CollectorId): SettingsIssue[] {
  const loopbacks = loopbackIssues(destination);
  if (loopbacks.length > 0) return loopbacks;
  const host = targetOf(destination)?.host;
  const idle = idleCaIssues(destination);
  if (collector === "fluent-bit" || host === undefined || isInCluster(host)) return idle;
  return [...idle, ...exposureIssues(destination, host)];
}

/** An address in the collector's pod, where no server listens. */
function loopbackIssues(destination: Destination): SettingsIssue[] {
  const issue = (path: SettingsIssue["path"], value: string): SettingsIssue[] => [
    { path, message: "leads to the collector's own pod", value, severity: "warning" },
  ];
  if (destination.kind === "kafka")
    return destination.brokers.flatMap((broker, index) =>
      LOOPBACK.test(broker.replace(/:\d+$/, "")) ? issue(["brokers", index], broker) : [],
    );
  const host = targetOf(destination)?.host;
  if (host === undefined || !LOOPBACK.test(host)) return [];
  return "url" in destination ? issue(["url"], destination.url) : issue(["host"], host);
}

/** A CA certificate that nothing is verified with. */
function idleCaIssues(destination: Destination): SettingsIssue[] {
  const [path, tls] = "tls" in destination ? [["tls"], destination.tls] : [[], destination];
  if (typeof tls !== "object" || !("verify" in tls) || tls.verify || tls.caSecretName === undefined) return [];
  const message = "has no effect with verify false, which accepts any certificate";
  return [{ path: [...path, "caSecretName"], message, value: tls.caSecretName, severity: "warning" }];
}

/** Warns of a connection on which others can read lines, or impersonate the destination. */
function exposureIssues(destination: Destination, host: string): SettingsIssue[] {
  const unencrypted = `without TLS, so anyone on the path to ${host} can read the lines`;
  const unverified = `without verification, so anyone on the path can impersonate ${host}`;
  const warning = (path: readonly string[], message: string, value: unknown): SettingsIssue[] => [
    { path: [...path], message: `sends ${message}`, value, severity: "warning" },
  ];
  if ("url" in destination) {
    if (destination.url.startsWith("http:")) return warning(["url"], unencrypted, destination.url);
    return destination.verify ? [] : warning(["verify"], unverified, false);
  }
  if (!hasIndex(destination)) return [];
  if (destination.tls === false) return warning(["tls"], unencrypted, false);
  return destination.tls?.verify === false ? warning(["tls", "verify"], unverified, false) : [];
}
