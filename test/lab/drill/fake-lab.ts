import { isObject } from "../../../components/schema/values.ts";
import { parseSettings, type Settings } from "../../../components/settings.ts";
import { sceneOf } from "../../../lab/drill/drill-list.ts";
import type { Environment } from "../../../lab/drill/drill-run.ts";
import { requestApi } from "../../../lab/kubernetes/api-requests.ts";
import type { Cluster, ExecResult, PodFacts } from "../../../lab/kubernetes/cluster.ts";
import { fieldOf, type KubernetesJson, objectStore } from "../../../lab/kubernetes/object-store.ts";
import { checkInputOf } from "../../../lab/verify/catalog.ts";
import {
  answered,
  type Execute,
  failed,
  fakeCluster,
  healthy,
  notFound,
  ran,
  runningPod,
} from "../verify/fake-cluster.ts";
import { FakeApi } from "./fake-api.ts";

const COREFILE_PATH = "/api/v1/namespaces/kube-system/configmaps/coredns";
const DEPLOYMENT_PATH = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";
const COREFILE = `.:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
    }
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
}
`;
const SERVICE_IPS: Readonly<Record<string, string>> = { ts: "10.96.1.1", sa: "10.96.1.2" };
const OWNER = [{ manager: "pulumi", operation: "Apply" }];

/** The settings of the stack local, with changes. */
export function localSettings(changes: Readonly<Record<string, unknown>> = {}): Settings {
  const settings = { cluster: { kind: "existing" }, ...changes };
  const entries = Object.entries(settings).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  return parseSettings(Object.fromEntries(entries));
}

function object(api: FakeApi, path: string, kind: string, content: KubernetesJson): void {
  const [, namespace = "", , name = ""] = /namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const metadata = { name, namespace, managedFields: OWNER, ...(isObject(content.metadata) ? content.metadata : {}) };
  api.put(path, { apiVersion: "v1", kind, ...content, metadata });
}

/** The objects that `lab up` makes for two teams, and CoreDNS. */
function fill(api: FakeApi): void {
  object(api, COREFILE_PATH, "ConfigMap", { data: { Corefile: COREFILE } });
  object(api, "/api/v1/namespaces/kube-system/pods/coredns-1", "Pod", {
    metadata: { labels: { "k8s-app": "kube-dns" }, ownerReferences: [{ kind: "ReplicaSet" }] },
  });
  const container = { name: "coredns", resources: { limits: { memory: "170Mi" } } };
  object(api, DEPLOYMENT_PATH, "Deployment", {
    apiVersion: "apps/v1",
    spec: {
      replicas: 2,
      template: { metadata: { labels: { "k8s-app": "kube-dns" } }, spec: { containers: [container] } },
    },
  });
  const labels = { "app.kubernetes.io/name": "fluent-bit" };
  const collector = { name: "fluent-bit", volumeMounts: [{ name: "state", mountPath: "/var/lib/fluent-bit" }] };
  object(api, "/apis/apps/v1/namespaces/logging/daemonsets/fluent-bit", "DaemonSet", {
    apiVersion: "apps/v1",
    spec: { template: { metadata: { labels }, spec: { containers: [collector], volumes: [{ name: "state" }] } } },
  });
  object(api, "/api/v1/namespaces/logging/configmaps/fluent-bit", "ConfigMap", {
    data: { "fluent-bit.yaml": "inputs:\n  - name: tail\n    db: /var/lib/fluent-bit/positions.db\n" },
  });
  for (const team of ["ts", "sa"]) {
    const core = `/api/v1/namespaces/${team}-team`;
    const policies = `/apis/networking.k8s.io/v1/namespaces/${team}-team/networkpolicies`;
    const app = `curl-${team}`;
    object(api, `${core}/pods/${app}`, "Pod", { metadata: { labels: { app } }, spec: { nodeName: "node-1" } });
    object(api, `${core}/services/${app}`, "Service", {
      spec: { clusterIP: SERVICE_IPS[team], ports: [{ port: 80, targetPort: 80 }], selector: { app } },
    });
    object(api, `${core}/resourcequotas/team`, "ResourceQuota", { spec: { hard: { pods: "20" } } });
    object(api, `${core}/limitranges/team`, "LimitRange", { spec: { limits: [{ max: { memory: "1Gi" } }] } });
    object(api, `${policies}/allow-dns`, "NetworkPolicy", { spec: { egress: [{ "k8s-app": "kube-dns" }] } });
    const peers = [{ [NAMESPACE]: "ts-team" }, { [NAMESPACE]: "sa-team" }];
    object(api, `${policies}/allow-peers`, "NetworkPolicy", { spec: { egress: peers, ingress: peers } });
  }
}
const NAMESPACE = "kubernetes.io/metadata.name";

/** A look-up of a name outside the cluster, by where the Corefile forwards it. */
function outside(corefile: string): ExecResult {
  if (corefile.includes("forward . 192.0.2.53")) return failed(6, "Could not resolve host");
  const result = answered("203.0.113.1", "hello");
  if (!corefile.includes("delay 1 2s")) return result;
  return { ...result, stdout: result.stdout.replace("0.000900", "2.000900") };
}

/** A cluster that behaves as its objects in the fake API server say. */
function clusterOf(api: FakeApi): Cluster {
  const at = (namespace: string, kind: string, name: string) =>
    api.object(`/api/v1/namespaces/${namespace}/${kind}/${name}`);
  const policy = (team: string, name: string) =>
    JSON.stringify(api.object(`/apis/networking.k8s.io/v1/namespaces/${team}-team/networkpolicies/${name}`) ?? {});
  const corefile = () => String(fieldOf(api.object(COREFILE_PATH), ["data", "Corefile"]));
  const starved = () => JSON.stringify(api.object(DEPLOYMENT_PATH)).includes('"limits":{"memory":"8Mi"}');
  const starts = () => !starved() && !/cahce|forward \. 127\.0\.0\.1$/m.test(corefile());
  const endpointsOf = (namespace: string, name: string) => {
    const wanted = fieldOf(at(namespace, "services", name), ["spec", "selector", "app"]);
    const team = namespace.replace("-team", "");
    const pod = at(namespace, "pods", `curl-${team}`);
    return pod !== undefined && fieldOf(pod, ["metadata", "labels", "app"]) === wanted ? [runningPod(team).ip] : [];
  };
  const curl = (host: string, pod: PodFacts): ExecResult => {
    const own = pod.name.replace("curl-", "");
    const [name = "", spaced] = host.split(".");
    const namespace = spaced ?? `${own}-team`;
    const team = namespace.replace("-team", "");
    if (!starts() || corefile().startsWith(".:1053") || !policy(own, "allow-dns").includes("kube-dns"))
      return failed(28, "Resolving timed out");
    if (host === "aws.amazon.com.") return outside(corefile());
    const service = at(namespace, "services", name);
    if (corefile().includes(`template IN ANY ${namespace}.`)) return failed(6, "Could not resolve host");
    if (service === undefined || corefile().includes("cluster.internal")) return failed(6, "Could not resolve host");
    const stale = /hosts \{\s+(\S+)/.exec(corefile())?.[1];
    if (stale !== undefined) return failed(28, "Connection timed out", stale);
    const address = SERVICE_IPS[team] ?? "";
    const port = fieldOf(service, ["spec", "ports"]);
    const open = JSON.stringify(port) === JSON.stringify([{ port: 80, targetPort: 80 }]);
    if (endpointsOf(namespace, name).length === 0 || !open) return failed(7, "Connection refused", address, 0.01);
    return answered(address, `curl-${team} answers 10.0.0.1 from 10.0.0.2`);
  };
  const peersAllowed = (from: string, to: string) =>
    JSON.stringify(fieldOf(JSON.parse(policy(to, "allow-peers")), ["spec", "ingress"])).includes(`${from}-team"`);
  const execute: Execute = (command, pod) => {
    const last = command.at(-1) ?? "";
    const own = pod.name.replace("curl-", "");
    if (command[0] === "ping")
      return peersAllowed(own, "sa") ? healthy(command, pod) : ran("5 packets transmitted, 0 received");
    if (command[0] !== "curl") return healthy(command, pod);
    if (last.includes(":8181/")) return failed(28, "Connection timed out", "10.0.0.53");
    if (last.includes(":53/")) return answered("10.0.0.53", "");
    return curl(new URL(last).hostname, pod);
  };
  return fakeCluster(
    {
      context: "fake",
      pod: async (namespace, name) => {
        if (at(namespace, "pods", name) === undefined) throw notFound(`pods "${name}"`);
        return runningPod(name.replace("curl-", ""));
      },
      pods: async () => [
        runningPod("dns", {
          ...{ namespace: "kube-system", name: "coredns-1", ip: "10.0.0.53", ready: starts() },
          ...(starved() ? { restarts: 3, ended: { reason: "OOMKilled", exitCode: 137, at: new Date() } } : {}),
        }),
      ],
      service: async (namespace, name) => {
        if (name === "kube-dns") return { clusterIP: "10.96.0.10", ports: [53] };
        const service = at(namespace, "services", name);
        if (service === undefined) throw notFound(`services "${name}"`);
        const ports: unknown = fieldOf(service, ["spec", "ports"]);
        const numbers = Array.isArray(ports) ? ports.map((port: unknown) => Number(fieldOf(port, ["port"]))) : [];
        return { clusterIP: String(fieldOf(service, ["spec", "clusterIP"])), ports: numbers };
      },
      endpoints: async (namespace, name) => endpointsOf(namespace, name),
      configMap: async () => ({ Corefile: corefile() }),
    },
    execute,
  );
}

const SETTINGS: Settings = localSettings();

/**
 * A lab on a fake API server, and what a drill is run with. The clock goes on by the pauses alone.
 * @param connection Whether its answers come over HTTP.
 */
export async function fakeLab(connection: "http" | "none" = "http") {
  const api = new FakeApi();
  fill(api);
  const config = connection === "http" ? await api.start() : undefined;
  const scene = sceneOf(SETTINGS);
  if (scene === undefined) throw new Error("no scene");
  let clock = Date.parse("2026-11-28T12:00:00Z");
  const env: Environment = {
    store: objectStore((request) => (config === undefined ? api.send(request) : requestApi(config, request))),
    cluster: clusterOf(api),
    stack: "local",
    input: checkInputOf("local", SETTINGS, 1),
    scene,
    pause: async (seconds) => {
      clock += seconds * 1000;
    },
    now: () => new Date(clock),
    onStep: () => {},
  };
  return { api, env };
}
