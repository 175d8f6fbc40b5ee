import type { DnsSettings } from "../settings.ts";

const EKS_DEFAULT = `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
`;

/** The Corefile that the settings ask for. */
export function corefileText(settings: Pick<DnsSettings, "corefile">): string {
  return settings.corefile.text ?? EKS_DEFAULT;
}
