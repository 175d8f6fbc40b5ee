import { matchesGlob } from "../../core/pack-config.ts";
import { type Field, type Resource, someKnown } from "../../core/resource.ts";
import { cis, kubernetes, type Rule, type Settings, text, texts } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { NAMESPACE, nameOf, namespaceOf } from "../../readers/workload.ts";

export const LABEL = text("teamLabel", "Label with the team's name", "team");
export const NAMES = texts("teamNames", "Names of team namespaces; * matches any text", ["*-team", "team-*"]);

/** Whether a namespace belongs to a team: by its label, else by its name. @throws {Undecided} if neither tells. */
export function isTeams(namespace: Resource, settings: Settings): boolean {
  const label = namespace.at("metadata", "labels", settings.get(LABEL));
  if (!label.isUnknown && (label.text() ?? "") !== "") return true;
  if (settings.get(NAMES).some((pattern) => matchesGlob(pattern, nameOf(namespace)))) return true;
  return label.isSet;
}

/** Cached by stack and type: a stack of a thousand teams needs it a thousand times. */
const BY_NAMESPACE = new WeakMap<Stack, Map<string, Map<string, Resource[]>>>();

/** Key of resources whose namespace is unknown; not a valid name. */
const NOWHERE_YET = "";

/**
 * Resources of a type in a namespace, followed by those whose namespace is unknown: {@link isIn} distinguishes them.
 */
export function inNamespace(stack: Stack, type: string, name: string): readonly Resource[] {
  const types = BY_NAMESPACE.get(stack) ?? new Map<string, Map<string, Resource[]>>();
  BY_NAMESPACE.set(stack, types);
  const namespaces = types.get(type) ?? Map.groupBy(stack.ofType(type), namespaceKey);
  types.set(type, namespaces);
  return [...(namespaces.get(name) ?? []), ...(namespaces.get(NOWHERE_YET) ?? [])];
}

/** Whether a resource is in a namespace. @throws {Undecided} */
export function isIn(resource: Resource, name: string): boolean {
  return namespaceOf(resource) === name;
}

function namespaceKey(resource: Resource): string {
  const places = [resource.at("metadata", "namespace"), resource.provider.at("namespace")];
  return places.some((place) => place.isUnknown) ? NOWHERE_YET : namespaceOf(resource);
}

const STANDARD = text("standard", "Lowest allowed level", "restricted", ["baseline", "restricted"]);
const STANDARDS = ["privileged", "baseline", "restricted"];
const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Isolation and ownership of teams' namespaces. */
export const TENANCY: readonly Rule[] = [
  {
    id: "tenancy-team-label",
    family: "tenancy",
    level: "mandatory",
    title: "A team's namespace has the team label",
    reason: "Network policies, quotas and log indices use it.",
    fix: "set metadata.labels.team to the team's name",
    source: cis("4.5.1"),
    options: [LABEL, NAMES],
    types: [NAMESPACE],
    check: (namespace, report, settings) => {
      const name = nameOf(namespace);
      if (!settings.get(NAMES).some((pattern) => matchesGlob(pattern, name))) return;
      const label = namespace.at("metadata", "labels", settings.get(LABEL));
      if ((label.text() ?? "") === "") report.wrong(label, "on the namespace of a team");
    },
  },
  {
    id: "tenancy-pod-security",
    family: "tenancy",
    level: "mandatory",
    title: "Each namespace enforces, audits and warns at a Pod Security level",
    reason: "Without the labels it accepts privileged pods.",
    fix: "set the labels pod-security.kubernetes.io/enforce, audit and warn to restricted",
    source: cis("4.2.1"),
    options: [STANDARD],
    types: [NAMESPACE],
    check: (namespace, report, settings) =>
      report.each([ENFORCE, "pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn"], (key) => {
        const label = namespace.at("metadata", "labels", key);
        const wanted = settings.get(STANDARD);
        if (STANDARDS.indexOf(label.text() ?? "") < STANDARDS.indexOf(wanted))
          report.wrong(label, `less than ${wanted}`);
      }),
  },
];

/** Namespaced kinds of Kubernetes' own API groups. */
const NAMESPACED = new RegExp(
  `^kubernetes:(${[
    "core/v1:(Pod|PodTemplate|Service|ConfigMap|Secret|ServiceAccount|PersistentVolumeClaim|ResourceQuota|LimitRange|Endpoints|ReplicationController)",
    "(apps|extensions)/\\w+:(Deployment|DaemonSet|StatefulSet|ReplicaSet|Ingress|NetworkPolicy)",
    "batch/\\w+:(Job|CronJob)",
    "networking\\.k8s\\.io/\\w+:(NetworkPolicy|Ingress)",
    "rbac\\.authorization\\.k8s\\.io/\\w+:(Role|RoleBinding)",
    "policy/\\w+:PodDisruptionBudget",
    "autoscaling/\\w+:HorizontalPodAutoscaler",
    "coordination\\.k8s\\.io/\\w+:Lease",
  ].join("|")})$`,
);
/** Cluster-scoped kinds of those groups: the API server removes a namespace from such objects. */
const CLUSTER_SCOPED = new RegExp(
  `^kubernetes:(${[
    "core/v1:(Namespace|Node|PersistentVolume)",
    "rbac\\.authorization\\.k8s\\.io/\\w+:(ClusterRole|ClusterRoleBinding)",
    "(storage|scheduling|node|certificates|flowcontrol\\.apiserver)\\.k8s\\.io/\\w+:(?!CSIStorageCapacity|PodCertificateRequest)\\w+",
    "(admissionregistration|apiextensions|apiregistration)\\.k8s\\.io/\\w+:\\w+",
    "networking\\.k8s\\.io/\\w+:(IngressClass|IPAddress|ServiceCIDR)",
    "policy/\\w+:PodSecurityPolicy",
  ].join("|")})$`,
);
const RELEASE = "kubernetes:helm.sh/v3:Release";

/** Resources in the namespace `default`. */
export const TENANCY_DEFAULT_NAMESPACE: readonly Rule[] = [
  {
    id: "tenancy-no-default-namespace",
    family: "tenancy",
    level: "mandatory",
    title: "Nothing is in the namespace default",
    reason: "It has no owner, quota or policies.",
    fix: "set metadata.namespace, or namespace of a Helm release",
    source: cis("4.5.2"),
    types: ["kubernetes:*"],
    checkStack: (stack, report) =>
      report.each(
        stack.resources.filter(({ type }) => type.startsWith("kubernetes:")),
        (resource) => {
          const field = namespaceField(resource);
          // The provider replaces an unknown name with default: the namespace's dependencies tell.
          const [input = ""] = field.path.split(".");
          const isDefault = !field.isUnknown && field.text() === "default";
          const comesFrom =
            isDefault && resource.propertyDependencies[input] === undefined
              ? []
              : stack.dependenciesOf(resource, input);
          const isOther = ({ type, name, inputs }: Resource) =>
            type === NAMESPACE && (inputs.at("metadata", "name").raw ?? name) !== "default";
          if ((isDefault || field.isUnknown) && comesFrom?.some(isOther)) return;
          if (isInDefault(resource, field)) report.wrong(field, "which is the namespace default");
        },
      ),
  },
];

function namespaceField(resource: Resource): Field {
  return resource.type === RELEASE ? resource.at("namespace") : resource.at("metadata", "namespace");
}

function isInDefault(resource: Resource, field: Field): boolean {
  // A patch creates nothing: its target already exists, such as each namespace's account default.
  if (resource.kind.endsWith("Patch") || CLUSTER_SCOPED.test(resource.type)) return false;
  if (resource.type === RELEASE)
    return (field.text() ?? resource.provider.at("namespace").text() ?? "default") === "default";
  // A custom resource without a namespace may be cluster-scoped.
  return NAMESPACED.test(resource.type) ? namespaceOf(resource) === "default" : field.text() === "default";
}

const QUOTA = "kubernetes:core/v1:ResourceQuota";
const LIMITS = "kubernetes:core/v1:LimitRange";
const HARD = texts("hard", "Resources to limit", ["pods", "requests.cpu", "requests.memory", "limits.memory"]);
/** Other names of the same limit. See https://kubernetes.io/docs/concepts/policy/resource-quotas/#compute-resource-quota */
const ALSO: Readonly<Record<string, string>> = {
  pods: "count/pods",
  "requests.cpu": "cpu",
  "requests.memory": "memory",
};
const DEFAULTS = [
  ["default", "memory"],
  ["defaultRequest", "cpu"],
  ["defaultRequest", "memory"],
] as const;

/** A team's share of the cluster. */
export const TENANCY_SHARES: readonly Rule[] = [
  {
    id: "tenancy-quota",
    family: "tenancy",
    level: "mandatory",
    title: "Each team's namespace has a quota for pods, CPU and memory",
    reason: "Without one, a team can use up the cluster.",
    fix: "add a ResourceQuota with hard limits to the namespace",
    source: kubernetes("Multi-tenancy, quotas", "concepts/security/multi-tenancy/#quotas"),
    options: [LABEL, NAMES, HARD],
    types: [NAMESPACE, QUOTA],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeams(namespace, settings)) return;
        const name = nameOf(namespace);
        const quotas = inNamespace(stack, QUOTA, name);
        const [first] = quotas;
        if (first === undefined) return report.missing(namespace, "no ResourceQuota is in it");
        if (!someKnown(quotas, (quota) => isIn(quota, name) && boundsAll(quota)))
          return report.missing(namespace, "each ResourceQuota in it covers only some pods, by its scopes");
        report.each(settings.get(HARD), (key) => {
          const bounds = (quota: Resource) =>
            quota
              .at("spec", "hard")
              .entries()
              .some(([bound]) => [key, ALSO[key]].includes(bound));
          if (!someKnown(quotas, (quota) => isIn(quota, name) && boundsAll(quota) && bounds(quota)))
            report.wrong(first.at("spec", "hard", key), "so the team may take all that the cluster has");
        });
      }),
  },
  {
    id: "tenancy-limits",
    family: "tenancy",
    level: "mandatory",
    title: "Each team's namespace has default container requests and limits",
    reason: "A quota rejects containers without them.",
    fix: "add a LimitRange with default.memory and defaultRequest of type Container",
    source: kubernetes("Limit ranges", "concepts/policy/limit-range/"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, LIMITS],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeams(namespace, settings)) return;
        const name = nameOf(namespace);
        const ranges = inNamespace(stack, LIMITS, name);
        const [first] = ranges;
        if (first === undefined) return report.missing(namespace, "no LimitRange is in it");
        report.each(DEFAULTS, (path) => {
          if (!someKnown(ranges, (range) => isIn(range, name) && hasDefault(range, path)))
            report.wrongIn(
              first.at("spec", "limits"),
              `no ${path.join(".")} for containers`,
              "so a container without it may take as much as it likes",
            );
        });
      }),
  },
];

/** A quota with a scope only counts that scope's pods, such as terminating ones. */
function boundsAll(quota: Resource): boolean {
  const scopes = quota.at("spec", "scopes").items().length;
  return scopes === 0 && quota.at("spec", "scopeSelector", "matchExpressions").items().length === 0;
}

/** Lists from which the API server takes unset defaults, by the default's list. */
const FILLED_BY: Readonly<Record<string, string>> = { default: "max", defaultRequest: "min" };

function hasDefault(range: Resource, [list, resource]: readonly [list: string, resource: string]): boolean {
  const lists = [list, FILLED_BY[list] ?? list];
  return someKnown(
    range.at("spec", "limits").items(),
    (limit) => limit.at("type").text() === "Container" && someKnown(lists, (name) => limit.at(name, resource).isSet),
  );
}
