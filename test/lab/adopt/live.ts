import assert from "node:assert/strict";
import { LiveObjects } from "../../../lab/adopt/import-file.ts";
import { kubernetesObject } from "../../../lab/audit/kubernetes-object.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";

export type Json = Readonly<Record<string, unknown>>;

export function object(apiVersion: string, kind: string, name: string, namespace?: string, rest: Json = {}): Json {
  const { metadata, ...others } = rest;
  const more = typeof metadata === "object" ? metadata : {};
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), ...more }, ...others };
}

export function live(objects: readonly Json[], unread: readonly string[] = []): LiveObjects {
  return new LiveObjects(
    objects.map((content) => {
      const read = kubernetesObject(content);
      assert.ok(read !== undefined);
      return read;
    }),
    unread,
  );
}

export const CONTAINER = {
  name: "coredns",
  image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/eks/coredns:v1.13.2-eksbuild.31",
  args: ["-conf", "/etc/coredns/Corefile"],
  livenessProbe: { httpGet: { path: "/health", port: 8080, scheme: "HTTP" } },
  readinessProbe: { httpGet: { path: "/ready", port: 8181, scheme: "HTTP" } },
  resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } },
  volumeMounts: [{ mountPath: "/etc/coredns", name: "config-volume", readOnly: true }],
};

export const POD = {
  serviceAccountName: "coredns",
  dnsPolicy: "Default",
  terminationGracePeriodSeconds: 30,
  priorityClassName: "system-cluster-critical",
  tolerations: [{ key: "CriticalAddonsOnly", operator: "Exists" }],
  containers: [CONTAINER],
  volumes: [{ name: "config-volume", configMap: { name: "coredns", items: [{ key: "Corefile", path: "Corefile" }] } }],
};

/** CoreDNS as EKS installs it, with changes to its pods and its Corefile. */
export function coreDns(pod: Json = {}, corefile = EKS_COREFILE, spec: Json = {}): Json[] {
  const labels = { "k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns" };
  return [
    object("v1", "ConfigMap", "coredns", "kube-system", { data: { Corefile: corefile } }),
    object("v1", "Service", "kube-dns", "kube-system", {
      spec: { selector: { "k8s-app": "kube-dns" }, clusterIPs: ["172.20.0.10"] },
    }),
    object("apps/v1", "Deployment", "coredns", "kube-system", {
      spec: {
        replicas: 3,
        selector: { matchLabels: { "k8s-app": "kube-dns" } },
        template: { metadata: { labels }, spec: { ...POD, ...pod } },
        ...spec,
      },
    }),
  ];
}
