import { FLUENT_BIT } from "../../../policies/rules/collector.ts";
import { EKS_COREFILE } from "../../../support/eks-corefile.ts";
import { SOUND_CONTAINER, SOUND_POD } from "../fixtures.ts";

/** A value of a manifest, in which a violation is planted. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Manifest = { readonly [key: string]: Json };

/** Where the pod's spec stands in each kind. */
export const POD_PATHS: Readonly<Record<string, string>> = {
  Deployment: "spec.template.spec",
  StatefulSet: "spec.template.spec",
  DaemonSet: "spec.template.spec",
  ReplicaSet: "spec.template.spec",
  ReplicationController: "spec.template.spec",
  Job: "spec.template.spec",
  CronJob: "spec.jobTemplate.spec.template.spec",
  Pod: "spec",
  PodTemplate: "template.spec",
};

const PROBE = { httpGet: { path: "/", port: 8080 } };
const CONTAINER: Manifest = {
  ...SOUND_CONTAINER,
  env: [{ name: "MODE", value: "production" }],
  ports: [{ containerPort: 8080 }],
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  startupProbe: PROBE,
  lifecycle: { preStop: { sleep: { seconds: 5 } } },
};
const POD: Manifest = {
  ...SOUND_POD,
  containers: [CONTAINER],
  initContainers: [{ ...SOUND_CONTAINER, name: "init" }],
  volumes: [{ name: "tmp", emptyDir: {} }],
};

function object(
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined,
  { metadata, ...rest }: Manifest,
): Manifest {
  const place = namespace === undefined ? { name } : { name, namespace };
  return { apiVersion, kind, metadata: { ...place, ...Object(metadata) }, ...rest };
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Job: "batch/v1",
  CronJob: "batch/v1",
  Pod: "v1",
  PodTemplate: "v1",
  ReplicationController: "v1",
};

function workload(kind: string): Manifest {
  const keys = (POD_PATHS[kind] ?? "").split(".");
  // Only a pod that runs has ephemeral containers, which have no resources.
  const { resources: _, ...ephemeral } = SOUND_CONTAINER;
  const pod = kind === "Pod" ? { ...POD, ephemeralContainers: [{ ...ephemeral, name: "debug" }] } : POD;
  const body = keys.reduceRight<Manifest>((inner, key) => ({ [key]: inner }), pod);
  return object(API_VERSIONS[kind] ?? "apps/v1", kind, `a-${kind.toLowerCase()}`, "payments", body);
}

const LEVELS = Object.fromEntries(
  ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
);
const RBAC = "rbac.authorization.k8s.io/v1";
const RULE = { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] };
const roleRef = (kind: string, name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
const ACCOUNT = { kind: "ServiceAccount", name: "api", namespace: "payments" };
const DNS_PORTS = [
  { port: 53, protocol: "UDP" },
  { port: 53, protocol: "TCP" },
];

const { volumes: _, initContainers: __, ...COLLECTOR_POD } = POD;

/**
 * Objects of an application, a team, a collector and DNS, in which the audit finds one thing: that a collector mounts paths of its node,
 * without which there are no logs.
 */
export const CLEAN: readonly Manifest[] = [
  object("v1", "Namespace", "payments", undefined, { metadata: { labels: LEVELS } }),
  object("v1", "ServiceAccount", "api", "payments", {}),
  object("v1", "ConfigMap", "app", "payments", { data: { "app.yaml": "mode: production\n" } }),
  object("v1", "Service", "api", "payments", { spec: { ports: [{ port: 80 }] } }),
  object(RBAC, "Role", "api", "payments", { rules: [RULE] }),
  object(RBAC, "RoleBinding", "api", "payments", { roleRef: roleRef("Role", "api"), subjects: [ACCOUNT] }),
  object(RBAC, "ClusterRole", "reader", undefined, { rules: [RULE] }),
  object(RBAC, "ClusterRoleBinding", "reader", undefined, {
    roleRef: roleRef("ClusterRole", "reader"),
    subjects: [ACCOUNT],
  }),
  ...Object.keys(POD_PATHS).map(workload),
  object("v1", "Namespace", "web-team", undefined, { metadata: { labels: { ...LEVELS, team: "web" } } }),
  object("networking.k8s.io/v1", "NetworkPolicy", "default", "web-team", {
    spec: {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: DNS_PORTS,
        },
      ],
    },
  }),
  object("v1", "ResourceQuota", "quota", "web-team", {
    spec: { hard: { pods: "20", "requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "8Gi" } },
  }),
  object("v1", "LimitRange", "limits", "web-team", {
    spec: {
      limits: [{ type: "Container", default: { memory: "128Mi" }, defaultRequest: { cpu: "10m", memory: "64Mi" } }],
    },
  }),
  object("v1", "ConfigMap", "coredns", "kube-system", { data: { Corefile: EKS_COREFILE } }),
  object("apps/v1", "Deployment", "coredns", "kube-system", {
    spec: { replicas: 2, template: { spec: COLLECTOR_POD } },
  }),
  object("v1", "ConfigMap", "fluent-bit", "logging", { data: { "fluent-bit.yaml": FLUENT_BIT } }),
  object("apps/v1", "DaemonSet", "fluent-bit", "logging", {
    spec: {
      template: {
        spec: {
          ...COLLECTOR_POD,
          terminationGracePeriodSeconds: 15,
          containers: [
            {
              ...CONTAINER,
              name: "fluent-bit",
              image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
              volumeMounts: [
                { name: "state", mountPath: "/state" },
                { name: "logs", mountPath: "/var/log", readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: "config", configMap: { name: "fluent-bit" } },
            { name: "state", hostPath: { path: "/var/lib/fluent-bit" } },
            { name: "logs", hostPath: { path: "/var/log" } },
          ],
        },
      },
    },
  }),
];

/** The objects with one place in one of them set, or taken out by `undefined`. @param key Such as `Role/payments/api`. */
export function planted(key: string, path: string, to: Json | undefined): Manifest[] {
  let isThere = false;
  const changed = CLEAN.map((manifest) => {
    if (keyOf(manifest) !== key) return manifest;
    isThere = true;
    return { ...manifest, ...Object(change(manifest, keysOf(path), to)) };
  });
  if (!isThere) throw new Error(`no ${key} among the objects`);
  return changed;
}

export function keyOf({ kind, metadata }: Manifest): string {
  const { namespace, name }: { namespace?: string; name?: string } = Object(metadata);
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}

/** Keys of a path such as `metadata.labels."a.b/c".d`. */
function keysOf(path: string): string[] {
  return [...path.matchAll(/"([^"]+)"|([^."]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

function change(value: Json | undefined, keys: readonly string[], to: Json | undefined): Json | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return to;
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    const after = change(items[Number(key)], rest, to);
    const left = items.filter((_, index) => index !== Number(key));
    return after === undefined ? left : [...items.slice(0, Number(key)), after, ...items.slice(Number(key) + 1)];
  }
  const group: { readonly [key: string]: Json } = Object(value);
  const after = change(group[key], rest, to);
  const { [key]: __, ...others } = group;
  return after === undefined ? others : { ...group, [key]: after };
}
