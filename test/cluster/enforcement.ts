import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import type { ExecResult } from "../../lab/kubernetes/cluster.ts";
import { loadKubeConfig } from "../../lab/kubernetes/connect.ts";
import { TestCluster, until } from "./cluster.ts";
import { object } from "./dns-pods.ts";

const NAMESPACE = "lab-enforcement-test";
export const CURL_IMAGE = "docker.io/curlimages/curl:8.17.0";
/** Longest that a network may take to know a new policy. */
const NOTICE_SECONDS = 10;

/** Why a test of policies is left out. */
export const NOT_ENFORCED = "this cluster's network does not enforce NetworkPolicies";

let found: Promise<boolean> | undefined;

/** Whether the cluster's network enforces NetworkPolicies, by trying: a pod connects, and no longer once a policy denies it. Tried once. */
export function enforcesPolicies(): Promise<boolean> {
  found ??= tryPolicy(new TestCluster());
  return found;
}

async function tryPolicy(cluster: TestCluster): Promise<boolean> {
  const namespace = object("v1", "Namespace", NAMESPACE);
  try {
    await cluster.apply(namespace);
    await cluster.apply(
      inNamespace("v1", "Pod", "curl", {
        spec: {
          containers: [{ name: "curl", image: CURL_IMAGE, command: ["sleep", "3600"] }],
          terminationGracePeriodSeconds: 0,
        },
      }),
    );
    await until("the pod runs", () => cluster.podIsReady(NAMESPACE, "curl"));
    const [dns] = (
      await cluster.core.listNamespacedPod({ namespace: "kube-system", labelSelector: "k8s-app=kube-dns" })
    ).items;
    const url = `http://${dns?.status?.podIP}:8181/ready`;
    assert.deepEqual(await connections(NAMESPACE, "curl", [url]), [true], `${url} connects where no policy is`);
    const spec = { podSelector: {}, policyTypes: ["Egress"] };
    await cluster.apply(inNamespace("networking.k8s.io/v1", "NetworkPolicy", "deny", { spec }));
    for (let second = 0; second < NOTICE_SECONDS; second += 1) {
      const [connected] = await connections(NAMESPACE, "curl", [url]);
      if (connected === false) return true;
      await wait(1000);
    }
    return false;
  } finally {
    await cluster.remove(namespace);
  }
}

function inNamespace(apiVersion: string, kind: string, name: string, fields: object): KubernetesObject {
  return Object.assign(object(apiVersion, kind, name), { metadata: { name, namespace: NAMESPACE }, ...fields });
}

/** Runs a program in a pod's container `curl` or `canary`. */
export async function run(namespace: string, name: string, command: readonly string[]): Promise<ExecResult> {
  const cluster = kubeCluster(await loadKubeConfig({}));
  const pod = await cluster.pod(namespace, name);
  const container = pod.containers.find((one) => one === "canary") ?? "curl";
  return cluster.exec(pod, container, command, 60);
}

/** Whether a pod connects to each URL by TCP; all are asked at the same time. An answer in another protocol is one. */
export async function connections(namespace: string, name: string, urls: readonly string[]): Promise<boolean[]> {
  const each = urls.flatMap((url) => ["-o", "/dev/null", url]);
  const limits = ["--parallel", "--parallel-max", "200", "--connect-timeout", "5", "--max-time", "8"];
  const format = ["-w", "%{urlnum} %{time_connect}\\n"];
  const { stdout, stderr } = await run(namespace, name, [
    "curl",
    "-q",
    "-s",
    "--noproxy",
    "*",
    ...limits,
    ...format,
    ...each,
  ]);
  const times = new Map(
    stdout.split("\n").flatMap((line) => {
      const [number, seconds] = line.split(" ");
      return seconds === undefined ? [] : [[Number(number), Number(seconds)] as const];
    }),
  );
  assert.equal(times.size, urls.length, stdout + stderr);
  return urls.map((_, index) => (times.get(index) ?? 0) > 0);
}
