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
