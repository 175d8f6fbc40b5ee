import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import { isObject } from "../../components/schema/values.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";

/**
 * URN of an object that this program itself made, under which its built-in exemptions stand: its collector may read the node's logs.
 * Undefined for all others. Anyone who may write to the collector's namespace could do as much with the collector itself.
 */
export function ownUrn({ apiVersion, kind, name, namespace, content }: KubernetesObject): string | undefined {
  const labels: unknown = isObject(content.metadata) ? content.metadata.labels : undefined;
  if (!isObject(labels) || labels["app.kubernetes.io/part-of"] !== "eks-dns-logging") return undefined;
  const pulumiName = pulumiNameOf(kind, name, namespace);
  if (pulumiName === undefined) return undefined;
  const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  return `urn:pulumi:audit::eks-dns-logging::kubernetes:${group}:${kind}::${pulumiName}`;
}

function pulumiNameOf(kind: string, name: string, namespace: string | undefined): string | undefined {
  if (kind === "Namespace" && name === LOGGING_NAMESPACE) return "logs-namespace";
  if (kind === "DaemonSet" && name === "node-local-dns" && namespace === "kube-system") return "coredns-local-daemon";
  if (namespace !== LOGGING_NAMESPACE) return undefined;
  if (kind === "DaemonSet") return `logs-${name}-daemonset`;
  if (kind === "StatefulSet" && name === "opensearch") return "logs-opensearch-node";
  if (kind === "Deployment" && name === "opensearch-dashboards") return "logs-opensearch-dashboards";
  return undefined;
}
