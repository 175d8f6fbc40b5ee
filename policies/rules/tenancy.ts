import { matchesGlob } from "../core/exemption.ts";
import { text, texts } from "../core/knob.ts";
import type { Rule } from "../core/rule.ts";
import { nameOf, namespaceOf } from "../kubernetes/pod-spec.ts";
import { cis, kubernetes } from "./sources.ts";
import { inNamespace, isTeams, LABEL, NAMES, NAMESPACE } from "./team-namespaces.ts";
import { TENANCY_NETWORK } from "./tenancy-network.ts";
import { TENANCY_RBAC } from "./tenancy-rbac.ts";

const QUOTA = "kubernetes:core/v1:ResourceQuota";
const LIMITS = "kubernetes:core/v1:LimitRange";

const STANDARD = text("standard", "Pod Security level that namespaces enforce at least", "restricted", [
  "baseline",
  "restricted",
]);
const HARD = texts("hard", "What a quota must bound", ["pods", "requests.cpu", "requests.memory", "limits.memory"]);
const STANDARDS = ["privileged", "baseline", "restricted"];
const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Kinds that belong to a namespace, of the API groups that Kubernetes itself brings. */
const NAMESPACED =
  /^kubernetes:(core\/v1:(Pod|Service|ConfigMap|Secret|ServiceAccount|PersistentVolumeClaim|ResourceQuota|LimitRange|Endpoints|ReplicationController)|apps\/v1:(Deployment|DaemonSet|StatefulSet|ReplicaSet)|batch\/v1:(Job|CronJob)|networking\.k8s\.io\/v1:(NetworkPolicy|Ingress)|rbac\.authorization\.k8s\.io\/v1:(Role|RoleBinding)|policy\/v1:PodDisruptionBudget|autoscaling\/\w+:HorizontalPodAutoscaler)$/;

/** What keeps teams apart and within their share. */
export const TENANCY: readonly Rule[] = [
  {
    id: "tenancy-team-label",
    family: "tenancy",
    level: "mandatory",
    title: "A team's namespace carries the label of its team",
    reason: "Network policies, quotas and the logs' index find a team by its label.",
    fix: "set metadata.labels.team to the team's name",
    source: cis("4.5.1"),
    knobs: [LABEL, NAMES],
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
    title: "Each namespace enforces a Pod Security standard, and warns and audits by it",
    reason: "Without the label the namespace takes privileged pods.",
    fix: "set the labels pod-security.kubernetes.io/enforce, audit and warn to restricted",
    source: cis("4.2.1"),
    knobs: [STANDARD],
    types: [NAMESPACE],
    check: (namespace, report, settings) =>
      report.each([ENFORCE, "pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn"], (key) => {
        const label = namespace.at("metadata", "labels", key);
        const wanted = settings.get(STANDARD);
        if (STANDARDS.indexOf(label.text() ?? "") < STANDARDS.indexOf(wanted))
          report.wrong(label, `less than ${wanted}`);
      }),
  },
  {
    id: "tenancy-quota",
    family: "tenancy",
    level: "mandatory",
    title: "Each team's namespace has a quota on pods, CPU and memory",
    reason: "Without one a team takes the whole cluster, by mistake or not.",
    fix: "add a ResourceQuota with hard limits to the namespace",
    source: kubernetes("Multi-tenancy, quotas", "concepts/security/multi-tenancy/#quotas"),
    knobs: [LABEL, NAMES, HARD],
    types: [NAMESPACE, QUOTA],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeams(namespace, settings)) return;
        const quotas = inNamespace(stack, QUOTA, nameOf(namespace));
        if (quotas.length === 0) return report.missing(namespace, "no ResourceQuota is in it");
        const bounds = (key: string) => quotas.some((quota) => quota.at("spec", "hard", key).isSet);
        const first = quotas[0]?.at("spec", "hard");
        for (const key of settings.get(HARD))
          if (first !== undefined && !bounds(key)) report.wrong(first.at(key), "so the team may take all");
      }),
  },
  {
    id: "tenancy-limits",
    family: "tenancy",
    level: "mandatory",
    title: "Each team's namespace has default requests and limits for containers",
    reason: "Under a quota a container without them is refused; without a default memory limit one takes the node.",
    fix: "add a LimitRange with default.memory and defaultRequest of type Container",
    source: kubernetes("Limit ranges", "concepts/policy/limit-range/"),
    knobs: [LABEL, NAMES],
    types: [NAMESPACE, LIMITS],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeams(namespace, settings)) return;
        const ranges = inNamespace(stack, LIMITS, nameOf(namespace));
        if (ranges.length === 0) return report.missing(namespace, "no LimitRange is in it");
        const containers = ranges
          .flatMap((range) => range.at("spec", "limits").items())
          .filter((limit) => limit.at("type").text() === "Container");
        const wanted = [
          ["default", "memory"],
          ["defaultRequest", "cpu"],
          ["defaultRequest", "memory"],
        ];
        for (const path of wanted.filter((keys) => !containers.some((limit) => limit.at(...keys).isSet))) {
          const [range] = ranges;
          if (range !== undefined)
            report.wrongIn(
              range.at("spec", "limits"),
              `no ${path.join(".")} for containers`,
              "so one without it takes what it likes",
            );
        }
      }),
  },
  {
    id: "tenancy-no-default-namespace",
    family: "tenancy",
    level: "mandatory",
    title: "Nothing is in the namespace default",
    reason: "It has no owner, quota or policy, and everything that forgets its namespace lands there.",
    fix: "set metadata.namespace",
    source: cis("4.5.2"),
    types: ["kubernetes:*"],
    check: (resource, report) => {
      if (NAMESPACED.test(resource.type) && namespaceOf(resource) === "default")
        report.wrong(resource.at("metadata", "namespace"), "which is the namespace default");
    },
  },
  ...TENANCY_NETWORK,
  ...TENANCY_RBAC,
];
