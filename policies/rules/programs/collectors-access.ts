import { posix } from "node:path";
import { type Field, type Resource, someKnown, Undecided } from "../../core/resource.ts";
import { cis, fluentBit, kubernetes, podSecurity, type Report, type Rule, texts } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { CONFIGURATION_TYPES, collectorsOf, type RunningConfig } from "../../readers/collectors-in-stack.ts";
import { credentialsIn } from "../../readers/credentials/credential-lines.ts";
import {
  accountOf,
  CONFIG_MAPS,
  isDaemonSet,
  mountsOf,
  nameOf,
  namespaceOf,
  plainPath,
  podSpecOf,
  WORKLOADS,
} from "../../readers/workload.ts";
import { includesAccount, isAccount } from "../kubernetes/tenancy-rbac.ts";

const LOG_PATHS = texts("logPaths", "Readable node paths, with everything below", [
  "/var/log",
  "/var/lib/docker/containers",
  "/run/log/journal",
  "/etc/machine-id",
  // The node's programs, for a collector that reads the journal by journalctl.
  "/usr",
  "/lib",
  "/lib64",
]);
const STATE_PATHS = texts("statePaths", "Writable node paths, with everything below", [
  "/var/lib/eks-dns-logging",
  "/var/lib/fluent-bit",
  "/var/fluent-bit/state",
  "/var/lib/fluentd",
  "/var/lib/filebeat",
  "/var/lib/filebeat-data",
  "/var/lib/vector",
  "/var/lib/promtail",
  "/run/promtail",
  "/var/lib/logagent",
  "/var/lib/otelcol",
  "/var/log/collected",
]);

/** What log collectors may access. */
export const COLLECTORS: readonly Rule[] = [
  {
    id: "collectors-host-paths",
    family: "collectors",
    level: "mandatory",
    title: "A collector mounts node logs read-only and writes only its own state",
    reason: "A collector runs on every node.",
    fix: "mount what it only reads with readOnly: true, and list other folders that it needs in the options `logPaths` (to read) and `statePaths` (to write)",
    source: podSecurity("Baseline", "HostPath Volumes"),
    options: [LOG_PATHS, STATE_PATHS],
    types: ["kubernetes:apps/v1:DaemonSet", "kubernetes:apps.kruise.io/*"],
    checkStack: (stack, report, settings) => {
      const isUnder = (paths: readonly string[], path: string) =>
        paths.some((root) => `${posix.join(plainPath(path), ".")}/`.startsWith(`${root}/`));
      report.each(collectorsOf(stack, report).unknownImages, (image) => {
        const pod = podSpecOf(image.owner);
        if (pod !== undefined && mountsOf(pod).some(({ hostPath }) => hostPath !== undefined))
          throw new Undecided(image);
      });
      report.each(collectorsOf(stack, report).daemonSets, (resource) => {
        const pod = podSpecOf(resource);
        if (pod === undefined) return;
        report.each(pod.at("volumes").items(), (volume) => {
          const path = volume.at("hostPath", "path");
          const text = path.text();
          if (text !== undefined && !isUnder([...settings.get(LOG_PATHS), ...settings.get(STATE_PATHS)], text))
            report.wrong(path, "which a collector does not need");
        });
        const writable = mountsOf(pod).filter(({ readOnly, hostPath }) => hostPath !== undefined && !readOnly);
        report.each(writable, ({ hostPath, field }) => {
          if (!isUnder(settings.get(STATE_PATHS), hostPath ?? ""))
            report.wrong(field.at("readOnly"), `so the collector may write to ${hostPath}`);
        });
      });
    },
  },
  {
    id: "collectors-no-credentials",
    family: "collectors",
    level: "mandatory",
    title: "No ConfigMap contains a password, key or token",
    reason: "Everyone in the namespace can read it.",
    fix: "move it to a Secret and reference that by an environment variable, or use Pod Identity",
    source: cis("4.4.1"),
    types: CONFIG_MAPS,
    check: (map, report) => {
      const tell = (name: string, file: Field, text: string) => {
        for (const { line, what } of credentialsIn(text, name))
          report.wrongIn(file, `line ${line} (value not shown)`, `${what} in a ConfigMap`);
      };
      report.part(() => report.each(map.at("data").entries(), ([key, file]) => tell(key, file, file.text() ?? "")));
      report.each(map.at("binaryData").entries(), ([key, file]) =>
        tell(key, file, Buffer.from(file.text() ?? "", "base64").toString("utf8")),
      );
    },
  },
  {
    id: "collectors-configuration-read",
    family: "collectors",
    level: "advisory",
    title: "The collector's configuration can be checked",
    reason:
      "Fluent Bit's is checked as a whole, that of another collector only for TLS and credentials, both in the stack's ConfigMaps alone.",
    fix: "put the configuration into a ConfigMap of the stack; review that of a collector other than Fluent Bit by hand, and exempt it with a reason",
    source: fluentBit("Configuration file", "administration/configuring-fluent-bit"),
    types: CONFIGURATION_TYPES,
    checkStack: (stack, report) => {
      const read = new Set(collectorsOf(stack, report).running.map(({ workload }) => workload));
      report.each(collectorsOf(stack, report).unknownImages, (image) => {
        throw new Undecided(image);
      });
      // Unknown parts have already been reported.
      if (report.verdicts.length > 0) return;
      const collectors = [...collectorsOf(stack, report).daemonSets, ...collectorsOf(stack, report).sidecars];
      const foreign = collectorsOf(stack, report).foreign;
      for (const collector of collectors.filter((resource) => !read.has(resource)))
        report.missing(collector, whyUnread(foreign.get(collector)));
    },
  },
];

/** @param sends Whether a collector other than Fluent Bit has a file with its destination; undefined for Fluent Bit. */
function whyUnread(sends: boolean | undefined): string {
  if (sends === undefined) return "no ConfigMap of this stack holds a Fluent Bit configuration for it";
  return sends
    ? "its configuration is not Fluent Bit's, so only TLS and credentials are checked in it"
    : "no ConfigMap of this stack says where it sends, so only its pod is checked";
}

const DEPLOYMENT = /:Deployment$/;
/** Folders of the node's journal: persistent and volatile. */
const JOURNALS = ["/var/log/journal", "/run/log/journal"];
const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";
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
      if (!isDaemonSet(resource)) {
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
    types: CONFIGURATION_TYPES,
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
      ...CONFIGURATION_TYPES,
      ...["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].map((kind) => `${RBAC}:${kind}`),
    ],
    checkStack: (stack, report) =>
      report.each(eventReaders(stack, report), ({ workload, isOnNode }) => {
        // On a node it also reads pods.
        if (isOnNode) return;
        const pod = podSpecOf(workload);
        if (pod === undefined) return;
        const [account, namespace] = [accountOf(pod), namespaceOf(workload)];
        const isForIt = (subject: Field, binding: Resource) =>
          includesAccount(subject, account, namespace) || isAccount(subject, account, namespace, binding);
        report.each(stack.ofType(`${RBAC}:ClusterRoleBinding`, `${RBAC}:RoleBinding`), (binding) => {
          if (!someKnown(binding.at("subjects").items(), (subject) => isForIt(subject, binding))) return;
          const role = binding.at("roleRef", "name");
          if (BUILT_IN_ROLES.includes(role.text() ?? "")) report.wrong(role, "which shows more than events");
          report.each(rolesOf(binding, stack), (bound) => onlyEvents(bound, report));
        });
      }),
  },
];

function isJournal(path: string | undefined): boolean {
  const folder = `${posix.join(path ?? "", ".")}/`;
  return JOURNALS.some((journal) => folder.startsWith(`${journal}/`));
}

function eventReaders(stack: Stack, report: Report): RunningConfig[] {
  return collectorsOf(stack, report).running.filter(({ inputs }) =>
    inputs.some(({ name }) => name === "kubernetes_events"),
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
    isNot("apiGroups", ["", "events.k8s.io"], "whose objects are not events");
    isNot("resources", ["events"], "which are not events");
    isNot("verbs", READING, "which a reader does not need");
    isNot("nonResourceURLs", [], "which a reader does not need");
  });
}
