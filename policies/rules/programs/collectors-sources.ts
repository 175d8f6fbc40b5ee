import { posix } from "node:path";
import { type Field, type Resource, someKnown } from "../../core/resource.ts";
import type { Report, Rule } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { fluentBitConfigs, type RunningConfig } from "../../readers/collectors-in-stack.ts";
import { mountsOf, nameOf, namespaceOf, podSpecOf, WORKLOADS } from "../../readers/workload.ts";
import { fluentBit, kubernetes, podSecurity } from "../rule-sources.ts";

const DAEMON_SET = /:DaemonSet$/;
const DEPLOYMENT = /:Deployment$/;
/** Folders of the node's journal: persistent and volatile. */
const JOURNALS = ["/var/log/journal", "/run/log/journal"];
const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";
const READS_EVENTS = [...WORKLOADS, "kubernetes:core/v1:ConfigMap"];
/** Built-in roles, all of which show more than events. */
const BUILT_IN_ROLES = ["cluster-admin", "admin", "edit", "view"];
const READING = ["get", "list", "watch"];

/** Access to sources other than pods: the node's journal, and Kubernetes events. */
export const COLLECTORS_SOURCES: readonly Rule[] = [
  {
    id: "collectors-journal-mount",
    family: "collectors",
    level: "mandatory",
    title: "Only DaemonSets mount the node's journal, read-only",
    reason: "It holds what all services of the node and its users' logins write.",
    fix: "read the journal by the collector on each node, mounted with readOnly: true",
    source: podSecurity("Baseline", "HostPath Volumes"),
    types: WORKLOADS,
    check: (resource, report) => {
      const pod = podSpecOf(resource);
      if (pod === undefined) return;
      if (!DAEMON_SET.test(resource.type)) {
        report.each(pod.at("volumes").items(), (volume) => {
          const path = volume.at("hostPath", "path");
          if (isJournal(path.text())) report.wrong(path, "which only a collector on each node reads");
        });
        return;
      }
      const writable = mountsOf(pod).filter(({ hostPath, readOnly }) => isJournal(hostPath) && !readOnly);
      report.each(writable, ({ field }) => report.wrong(field.at("readOnly"), "so its pods may change the journal"));
    },
  },
  {
    id: "collectors-events-once",
    family: "collectors",
    level: "mandatory",
    title: "One pod reads Kubernetes events",
    reason: "Each pod that reads them sends all of them.",
    fix: "read events in a StatefulSet with one replica",
    source: fluentBit("Kubernetes events", "data-pipeline/inputs/kubernetes-events"),
    types: READS_EVENTS,
    checkStack: (stack, report) =>
      report.each(eventReaders(stack, report), ({ workload, isOnNode }) => {
        if (isOnNode) return report.missing(workload, "its pods on all nodes read the same events");
        report.part(() => {
          const replicas = workload.at("spec", "replicas");
          if ((replicas.number() ?? 1) > 1) report.wrong(replicas, "so each event is read and sent that many times");
        });
        const strategy = workload.at("spec", "strategy", "type");
        if (DEPLOYMENT.test(workload.type) && strategy.text() !== "Recreate")
          report.wrong(strategy, "so two pods read during an update", "use a StatefulSet, or strategy Recreate");
      }),
  },
  {
    id: "collectors-events-rights",
    family: "collectors",
    level: "mandatory",
    title: "What reads Kubernetes events may read events and nothing else",
    reason: "Its token shows whatever its roles show.",
    fix: "bind its service account to a ClusterRole with get, list and watch on events only",
    source: kubernetes("RBAC good practices", "concepts/security/rbac-good-practices/"),
    types: [
      ...READS_EVENTS,
      ...["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].map((kind) => `${RBAC}:${kind}`),
    ],
    checkStack: (stack, report) =>
      report.each(eventReaders(stack, report), ({ workload, isOnNode }) => {
        // On a node it also reads pods.
        if (isOnNode) return;
        const account = podSpecOf(workload)?.at("serviceAccountName").text() ?? "default";
        const namespace = namespaceOf(workload);
        report.each(stack.ofType(`${RBAC}:ClusterRoleBinding`, `${RBAC}:RoleBinding`), (binding) => {
          if (!someKnown(binding.at("subjects").items(), (subject) => isAccount(subject, account, namespace, binding)))
            return;
          const role = binding.at("roleRef", "name");
          if (BUILT_IN_ROLES.includes(role.text() ?? "")) report.wrong(role, "which shows more than events");
          report.each(rolesOf(binding, stack), (found) => onlyEvents(found, report));
        });
      }),
  },
];

function isJournal(path: string | undefined): boolean {
  const folder = `${posix.join(path ?? "", ".")}/`;
  return JOURNALS.some((journal) => folder.startsWith(`${journal}/`));
}

function eventReaders(stack: Stack, report: Report): RunningConfig[] {
  return fluentBitConfigs(stack, report).filter(({ inputs }) =>
    inputs.some(({ name }) => name === "kubernetes_events"),
  );
}

function isAccount(subject: Field, account: string, namespace: string, binding: Resource): boolean {
  return (
    subject.at("kind").text() === "ServiceAccount" &&
    subject.at("name").text() === account &&
    (subject.at("namespace").text() ?? namespaceOf(binding)) === namespace
  );
}

/** A binding's role, if it is in the stack. */
function rolesOf(binding: Resource, stack: Stack): Resource[] {
  const [kind, name] = [binding.at("roleRef", "kind").text() ?? "", binding.at("roleRef", "name").text()];
  return stack
    .ofType(`${RBAC}:${kind}`)
    .filter((role) => nameOf(role) === name && (kind === "ClusterRole" || namespaceOf(role) === namespaceOf(binding)));
}

function onlyEvents(role: Resource, report: Report): void {
  report.each(role.at("rules").items(), (rule) => {
    const isNot = (list: string, allowed: readonly string[], problem: string) =>
      report.part(() =>
        report.each(rule.at(list).items(), (item) => {
          if (!allowed.includes(item.text() ?? "")) report.wrong(item, problem);
        }),
      );
    isNot("apiGroups", ["", "events.k8s.io"], "whose objects are no events");
    isNot("resources", ["events"], "which are no events");
    isNot("verbs", READING, "which a reader does not need");
    isNot("nonResourceURLs", [], "which a reader does not need");
  });
}
