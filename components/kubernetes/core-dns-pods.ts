/** Where CoreDNS's pods are, and the labels that select them. */
export interface CoreDnsPods {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Those of EKS, kubeadm, kind and k3s. */
export const USUAL_CORE_DNS_PODS: CoreDnsPods = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

/** What settings say of a CoreDNS that is adopted. */
interface Adopting {
  readonly adopt?:
    | { readonly namespace: string; readonly selector?: Readonly<Record<string, string>> | undefined }
    | undefined;
}

/** CoreDNS's pods as settings name them. */
export function coreDnsPods(dns: Adopting | undefined): CoreDnsPods {
  const { namespace, labels } = USUAL_CORE_DNS_PODS;
  return { namespace: dns?.adopt?.namespace ?? namespace, labels: dns?.adopt?.selector ?? labels };
}

/** Those of kube-system: where settings adopt a CoreDNS elsewhere, the usual ones. */
export function coreDnsPodsOfKubeSystem(dns: Adopting | undefined): CoreDnsPods {
  const stated = coreDnsPods(dns);
  return stated.namespace === USUAL_CORE_DNS_PODS.namespace ? stated : USUAL_CORE_DNS_PODS;
}
