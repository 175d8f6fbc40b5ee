/**
 * Labels of all Kubernetes objects that this program creates.
 * @param name The object's `app.kubernetes.io/name`, such as `curl`.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
 */
export function commonLabels(name: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/part-of": "eks-dns-logging",
    "app.kubernetes.io/managed-by": "pulumi",
  };
}

/**
 * Label with the namespace's name, which the API server sets on each namespace; selectors use it.
 * @see https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
 */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** Namespace of a team: `ts` gives `ts-team`. */
export function teamNamespace(team: string): string {
  return `${team}-team`;
}

/** A team and its namespaces. */
export interface TeamNamespaces {
  readonly name: string;
  /** @default one, NAME-team */
  readonly namespaces?: readonly { readonly name: string }[] | undefined;
}

/** Names of a team's namespaces. */
export function namespacesOf({ name, namespaces }: TeamNamespaces): string[] {
  return namespaces?.map((namespace) => namespace.name) ?? [teamNamespace(name)];
}

/** Levels of the Pod Security Standards. */
export type PodSecurityLevel = "restricted" | "baseline" | "privileged";

/**
 * Namespace labels for Pod Security admission: the API server rejects pods that violate `enforce`, and logs and warns about all
 * that are not "restricted".
 * @param enforce Default: restricted.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export function podSecurityLabels(enforce: PodSecurityLevel = "restricted"): Record<string, string> {
  return {
    "pod-security.kubernetes.io/enforce": enforce,
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
  };
}

/** Namespace of CoreDNS's pods, and the labels that select them. */
export interface CoreDnsPods {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** As on EKS, kubeadm, kind and k3s. */
export const USUAL_CORE_DNS_PODS: CoreDnsPods = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

/** Settings of an adopted CoreDNS. */
interface Adopting {
  readonly adopt?:
    | { readonly namespace: string; readonly selector?: Readonly<Record<string, string>> | undefined }
    | undefined;
}

/** CoreDNS's pods by the settings. */
export function coreDnsPods(dns: Adopting | undefined): CoreDnsPods {
  const { namespace, labels } = USUAL_CORE_DNS_PODS;
  return { namespace: dns?.adopt?.namespace ?? namespace, labels: dns?.adopt?.selector ?? labels };
}

/** CoreDNS's pods in kube-system; the usual ones if a CoreDNS elsewhere is adopted. */
export function coreDnsPodsOfKubeSystem(dns: Adopting | undefined): CoreDnsPods {
  const stated = coreDnsPods(dns);
  return stated.namespace === USUAL_CORE_DNS_PODS.namespace ? stated : USUAL_CORE_DNS_PODS;
}
