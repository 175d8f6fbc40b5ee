import { ApiException, type KubeConfig } from "@kubernetes/client-node";
import pLimit from "p-limit";
import { Failure } from "../command-line.ts";
import { asClusterError, listPath, requestApi } from "../kubernetes/api-requests.ts";
import { ClusterError, failAt } from "../kubernetes/cluster.ts";
import type { Connection } from "../kubernetes/connect.ts";
import { groupAt, type KubernetesObject, kubernetesObject, listAt, textAt, typeToken } from "./kubernetes-object.ts";

/** A kind that rules read, with what its API path needs. */
interface ListedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly clusterScoped?: true;
  /** Whether most clusters lack it, so that a user who may not list it is not told. Default: no. */
  readonly optional?: true;
}

/** Secrets are excluded: no rule needs their content, and the right to list them includes reading them. */
const KINDS: readonly ListedKind[] = [
  { apiVersion: "v1", kind: "Namespace", plural: "namespaces", clusterScoped: true },
  { apiVersion: "v1", kind: "Pod", plural: "pods" },
  { apiVersion: "v1", kind: "ReplicationController", plural: "replicationcontrollers" },
  { apiVersion: "v1", kind: "Service", plural: "services" },
  { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" },
  { apiVersion: "v1", kind: "ServiceAccount", plural: "serviceaccounts" },
  { apiVersion: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims" },
  { apiVersion: "v1", kind: "PersistentVolume", plural: "persistentvolumes", clusterScoped: true },
  { apiVersion: "v1", kind: "ResourceQuota", plural: "resourcequotas" },
  { apiVersion: "v1", kind: "LimitRange", plural: "limitranges" },
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments" },
  { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets" },
  { apiVersion: "apps/v1", kind: "StatefulSet", plural: "statefulsets" },
  { apiVersion: "apps/v1", kind: "ReplicaSet", plural: "replicasets" },
  { apiVersion: "batch/v1", kind: "Job", plural: "jobs" },
  { apiVersion: "batch/v1", kind: "CronJob", plural: "cronjobs" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", plural: "networkpolicies" },
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress", plural: "ingresses" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets" },
  { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", plural: "roles" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", plural: "rolebindings" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", plural: "clusterroles", clusterScoped: true },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    clusterScoped: true,
  },
  {
    apiVersion: "karpenter.k8s.aws/v1",
    kind: "EC2NodeClass",
    plural: "ec2nodeclasses",
    clusterScoped: true,
    optional: true,
  },
];

const NAMESPACES = "kubernetes:core/v1:Namespace";

/** The objects of a cluster that the kubeconfig's user may see. */
export interface ClusterObjects {
  readonly objects: readonly KubernetesObject[];
  /** Type tokens of the kinds that the user may not list. */
  readonly forbidden: readonly string[];
  /** Namespaces that were requested but do not exist, or that the user cannot see. */
  readonly absent: readonly string[];
}

/** Number of parallel requests. */
const PARALLEL = 4;
/** Objects per response, as in kubectl. */
const PAGE = 500;
const TIMEOUT_SECONDS = 30;

/**
 * Lists the objects that the policy rules read.
 * @param namespaces Limits namespaced objects; cluster-scoped objects are always read. Default: all namespaces.
 * @throws {ClusterError} if the API server does not answer or rejects the credentials.
 */
export async function readCluster(config: KubeConfig, namespaces: readonly string[] = []): Promise<ClusterObjects> {
  const forbidden: string[] = [];
  const lists = await pLimit(PARALLEL).map(KINDS, async (kind) => {
    const scopes = kind.clusterScoped === undefined && namespaces.length > 0 ? namespaces : [undefined];
    const ofKind: KubernetesObject[] = [];
    for (const namespace of scopes) {
      try {
        ofKind.push(...(await list(config, kind, namespace)));
      } catch (error) {
        if (!(error instanceof ClusterError) || (error.kind !== "forbidden" && error.kind !== "not-found")) throw error;
        // A missing API group has no objects.
        if (error.kind === "forbidden" && kind.optional === undefined) forbidden.push(typeToken(kind));
      }
    }
    return ofKind;
  });
  const objects = lists.flat();
  const isWanted = ({ kind, name }: KubernetesObject) =>
    kind !== "Namespace" || namespaces.length === 0 || namespaces.includes(name);
  const present = objects.filter(({ kind }) => kind === "Namespace").map(({ name }) => name);
  const absent = forbidden.includes(NAMESPACES) ? [] : namespaces.filter((name) => !present.includes(name));
  return { objects: objects.filter(isWanted), forbidden: [...new Set(forbidden)], absent };
}

/**
 * As {@link readCluster}, for a command, which has nothing to do without objects.
 * @throws {Failure} that names the context, also if the user may list nothing.
 */
export async function visibleObjects(
  { cluster, config }: Connection,
  namespaces: readonly string[] = [],
): Promise<ClusterObjects> {
  const visible = await readCluster(config, namespaces).catch(failAt(`context '${cluster.context}'`));
  if (visible.objects.length > 0) return visible;
  throw new Failure(`context '${cluster.context}': its user may list nothing; it needs the ClusterRole view`, 2);
}

async function list(
  config: KubeConfig,
  { apiVersion, kind, plural }: ListedKind,
  namespace: string | undefined,
): Promise<KubernetesObject[]> {
  const path = listPath({ apiVersion, plural, namespace });
  const query = new URLSearchParams({ limit: String(PAGE) });
  const objects: KubernetesObject[] = [];
  for (;;) {
    const page = await pageAt(config, `${path}?${query}`).catch((error: unknown) => {
      throw asClusterError(error, `list ${plural}`);
    });
    // Items of a list lack apiVersion and kind.
    objects.push(
      ...listAt(page, "items").flatMap((item) => kubernetesObject({ apiVersion, kind, ...groupAt(item) }) ?? []),
    );
    const next = textAt(page, "metadata", "continue") ?? "";
    if (next === "") return objects;
    query.set("continue", next);
  }
}

async function pageAt(config: KubeConfig, path: string): Promise<unknown> {
  const { status, body } = await requestApi(config, { path, seconds: TIMEOUT_SECONDS });
  if (status < 400) return JSON.parse(body);
  // The body is plain text if there is no such API group.
  throw new ApiException(status, body, body, {});
}
