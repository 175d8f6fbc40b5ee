import assert from "node:assert/strict";
import type { KubernetesObject } from "@kubernetes/client-node";
import { type TestCluster, until } from "./cluster.ts";

const CURL_IMAGE = "docker.io/curlimages/curl:8.17.0";

/** The image of the cluster's own CoreDNS, which every cluster can pull. */
export async function coreDnsImage(tests: TestCluster): Promise<string> {
  const pods = await tests.core.listNamespacedPod({ namespace: "kube-system", labelSelector: "k8s-app=kube-dns" });
  const image = pods.items[0]?.spec?.containers[0]?.image;
  assert.ok(image !== undefined, "CoreDNS runs in kube-system");
  return image;
}

/** Runs a CoreDNS with a Corefile of its own, and returns its address. It has no right to see Services of its own: {@link letSeeServices}. */
export async function runCoreDns(
  tests: TestCluster,
  namespace: string,
  name: string,
  corefile: string,
): Promise<string> {
  const metadata = { name, namespace };
  const container = {
    name: "coredns",
    image: await coreDnsImage(tests),
    args: ["-conf", "/etc/coredns/Corefile"],
    readinessProbe: { tcpSocket: { port: 53 }, periodSeconds: 1 },
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
  };
  const volumes = [{ name: "config", configMap: { name } }];
  const spec = { containers: [container], volumes, dnsPolicy: "Default", terminationGracePeriodSeconds: 0 };
  await tests.apply(Object.assign(object("v1", "ConfigMap", name), { metadata, data: { Corefile: corefile } }));
  await tests.apply(Object.assign(object("v1", "Pod", name), { metadata, spec }));
  await until(`${name} runs`, () => tests.podIsReady(namespace, name));
  const ip = (await tests.pod(namespace, name)).status?.podIP;
  assert.ok(ip !== undefined, `${name} has an address`);
  return ip;
}

/** Lets the CoreDNS pods of a namespace see Services, as the cluster's own. Returns the binding, which stays when the namespace goes. */
export async function letSeeServices(tests: TestCluster, namespace: string): Promise<KubernetesObject> {
  const binding = Object.assign(object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", namespace), {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
  });
  await tests.apply(binding);
  return binding;
}

/** A pod with curl that asks one server. */
export function askingPod(namespace: string, name: string, server: string, ndots: number): KubernetesObject {
  const spec = {
    containers: [{ name: "curl", image: CURL_IMAGE, command: ["sleep", "3600"] }],
    dnsPolicy: "None",
    dnsConfig: {
      nameservers: [server],
      searches: [`${namespace}.svc.cluster.local`, "svc.cluster.local", "cluster.local"],
      options: [{ name: "ndots", value: String(ndots) }],
    },
    terminationGracePeriodSeconds: 0,
  };
  return Object.assign(object("v1", "Pod", name), { metadata: { name, namespace }, spec });
}

export function object(apiVersion: string, kind: string, name: string): KubernetesObject {
  return { apiVersion, kind, metadata: { name } };
}
