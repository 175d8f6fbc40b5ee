import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { EgressRule } from "../kubernetes/network-policy.ts";
import type { Collector } from "./collectors/collector.ts";
import { LOGGING_NAMESPACE } from "./pipeline.ts";

type Receiver = Pick<Collector, "id" | "receives">;

/**
 * The name under which applications reach the collector of their own node, so that what it receives comes from its node's pods alone
 * and crosses no network. While that collector is replaced, their exporters wait and try again.
 * @see https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/
 */
export function receiverService(
  name: string,
  { id, receives = {} }: Receiver,
  metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> },
  options: pulumi.CustomResourceOptions,
): k8s.core.v1.Service | undefined {
  const ports = Object.entries(receives).map(([port, number]) => ({
    name: port,
    port: number,
    targetPort: port,
    protocol: "TCP",
  }));
  if (ports.length === 0) return undefined;
  return new k8s.core.v1.Service(
    `${name}-receiver`,
    {
      // Waiting for an endpoint would wait for a DaemonSet that is made after it.
      metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: {
        type: "ClusterIP",
        internalTrafficPolicy: "Local",
        selector: { "app.kubernetes.io/name": id },
        ports,
      },
    },
    options,
  );
}

/** The way out of a team's namespace to what receives on the nodes, and to nothing else; none where no collector does. */
export function receiverEgress({ id, receives = {} }: Receiver): EgressRule[] {
  const ports = Object.values(receives).map((port) => ({ protocol: "TCP" as const, port }));
  if (ports.length === 0) return [];
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": LOGGING_NAMESPACE } };
  return [{ to: [{ namespaceSelector, podSelector: { matchLabels: { "app.kubernetes.io/name": id } } }], ports }];
}
