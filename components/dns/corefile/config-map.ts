import type { DnsSettings } from "../settings.ts";
import { corefileText } from "./from-settings.ts";

/** The ConfigMap that CoreDNS reads its Corefile from, for use by hand. */
export interface CorefileConfigMap {
  readonly apiVersion: "v1";
  readonly kind: "ConfigMap";
  readonly metadata: { readonly name: "coredns"; readonly namespace: "kube-system" };
  readonly data: { readonly Corefile: string };
}

/** What a person should read before the ConfigMap is applied. */
export const CONFIG_MAP_HEADER = [
  "# The Corefile of these settings, for use by hand: nothing here is applied by pulumi up, since CoreDNS on this cluster",
  "# belongs to whoever made the cluster. Look at the difference first, and keep the old one:",
  "#   kubectl -n kube-system get configmap coredns -o yaml > coredns-before.yaml",
  "#   kubectl diff -f THIS_FILE",
  "#   kubectl replace -f THIS_FILE",
  "# CoreDNS takes it over within a minute where its Corefile has `reload`; an error in it is in its log, and the old one stays.",
  "",
].join("\n");

/** The ConfigMap `kube-system/coredns` with the settings' Corefile; write {@link CONFIG_MAP_HEADER} above it. */
export function corefileConfigMap(settings: DnsSettings): CorefileConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "coredns", namespace: "kube-system" },
    data: { Corefile: corefileText(settings) },
  };
}
