import type { Value } from "../../../policies/core/resource.ts";
import type { Sample, SampleResource } from "./samples.ts";

export const PSS = "pod-security.kubernetes.io";
export const NAMESPACE: SampleResource = {
  type: "kubernetes:core/v1:Namespace",
  name: "namespace",
  props: {
    metadata: {
      name: "ts-team",
      labels: {
        [`${PSS}/audit`]: "restricted",
        [`${PSS}/enforce`]: "restricted",
        [`${PSS}/warn`]: "restricted",
        team: "ts",
      },
    },
  },
};
/** A namespace, with labels by themselves, as their keys have dots. */
export const namespace = (name: Value, labels: Value): Sample => [
  { ...NAMESPACE, props: { metadata: { name, labels } } },
];
export const OTHERS = namespace("kube-tools", {});

export const inTeam = (type: string, name: string, spec: Value): SampleResource => ({
  type,
  name,
  props: { metadata: { name, namespace: "ts-team" }, spec },
});

export const NS = "Namespace/ts-team: ";

export const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const DNS_PORTS = [
  { port: 53, protocol: "UDP" },
  { port: 53, protocol: "TCP" },
];
/** A denial of both ways, with a way out to DNS. */
export const NETWORK: Sample = [
  NAMESPACE,
  inTeam(POLICY, "deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
  inTeam(POLICY, "dns", {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [{ to: [{ namespaceSelector: {} }], ports: DNS_PORTS }],
  }),
];
