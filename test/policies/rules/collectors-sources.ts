import { type Group, UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { COLLECTOR, D, line, spec } from "./collector.ts";
import { first, named, type Sample, type SampleResource } from "./samples.ts";
import { CONTAINER } from "./workloads.ts";

const TEXT = "pipeline:\n  inputs:\n    - name: kubernetes_events\n  outputs:\n    - name: http\n";
const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";
const META: Group = { name: "reader", namespace: "logging" };

const workload = (kind: string, changes: Group = {}): SampleResource => ({
  type: `kubernetes:apps/v1:${kind}`,
  name: "reader",
  props: {
    metadata: META,
    spec: {
      replicas: 1,
      ...changes,
      template: {
        spec: {
          serviceAccountName: "reader",
          containers: [{ ...CONTAINER, image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1" }],
          volumes: [{ name: "config", configMap: { name: "reader" } }],
        },
      },
    },
  },
});
const FILE: SampleResource = {
  type: "kubernetes:core/v1:ConfigMap",
  name: "file",
  props: { metadata: META, data: { "fluent-bit.yaml": TEXT } },
};
const ROLE: SampleResource = {
  type: `${RBAC}:ClusterRole`,
  name: "role",
  props: {
    metadata: { name: "reads-events" },
    rules: [{ apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["get", "list", "watch"] }],
  },
};
const BINDING: SampleResource = {
  type: `${RBAC}:ClusterRoleBinding`,
  name: "binding",
  props: {
    metadata: { name: "reads-events" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reads-events" },
    subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "logging" }],
  },
};
const READER: Sample = [workload("StatefulSet"), FILE, ROLE, BINDING];
const reader = (kind: string, changes: Group): Sample => [workload(kind, changes), FILE, ROLE, BINDING];
const role = (path: string, to: Value | undefined) => named(READER, "role", path, to);
/** A role of the reader's own namespace, bound by its account there. */
const inNamespace = (namespace: string): Sample => [
  ...READER,
  {
    type: `${RBAC}:Role`,
    name: "more",
    props: { metadata: { name: "more", namespace }, rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
  },
  {
    type: `${RBAC}:RoleBinding`,
    name: "bound",
    props: {
      metadata: { name: "more", namespace },
      roleRef: { kind: "Role", name: "more" },
      subjects: [{ kind: "ServiceAccount", name: "reader" }],
    },
  },
];

const journal = (kind: string, path: Value, mount: Group = { readOnly: true }): Sample =>
  first(
    first([workload(kind)], "spec.template.spec.volumes", [{ name: "logs", hostPath: { path } }]),
    "spec.template.spec.containers.0.volumeMounts",
    [{ name: "logs", mountPath: "/logs", ...mount }],
  );
const S = "StatefulSet/logging/reader: spec.";

export const COLLECTORS_SOURCES_CASES: CasesByRule = {
  "collectors-journal-mount": {
    good: {
      "a DaemonSet that reads it": journal("DaemonSet", "/var/log/journal"),
      "pods that mount none": READER,
      "a folder that begins like it": journal("StatefulSet", "/var/log/journalist"),
      "another folder that a DaemonSet writes": journal("DaemonSet", "/var/lib/fluent-bit", {}),
    },
    bad: {
      "a pod that reads it": [
        journal("Deployment", "/run/log/journal/"),
        'Deployment/logging/reader: spec.template.spec.volumes[0].hostPath.path is "/run/log/journal/", which only a collector',
      ],
      "a pod that reads a part of it": [
        journal("StatefulSet", "/var/log/x/../journal/abc"),
        `${S}template.spec.volumes[0].hostPath.path is "/var/log/x/../journal/abc"`,
      ],
      "a DaemonSet that can write it": [
        journal("DaemonSet", "/var/log/journal", {}),
        "DaemonSet/logging/reader: spec.template.spec.containers[0].volumeMounts[0].readOnly is not set, so its pods may change",
      ],
    },
    unknown: {
      "an unknown path": [journal("StatefulSet", UNKNOWN), `${S}template.spec.volumes[0].hostPath.path is known only`],
      "an unknown mount": [
        journal("DaemonSet", "/var/log/journal", { readOnly: UNKNOWN }),
        "DaemonSet/logging/reader: spec.template.spec.containers[0].volumeMounts[0].readOnly is known only",
      ],
      "unknown volumes": [spec("volumes", UNKNOWN), `${D}volumes is known only`],
    },
  },
  "collectors-events-once": {
    good: {
      "a StatefulSet of one": READER,
      "one by default": reader("StatefulSet", { replicas: null }),
      "a Deployment that stops the old pod first": reader("Deployment", { strategy: { type: "Recreate" } }),
      "a collector on each node without events": COLLECTOR,
      "another Fluent Bit of two": [
        workload("StatefulSet", { replicas: 2 }),
        {
          ...FILE,
          props: { metadata: META, data: { "fluent-bit.yaml": TEXT.replace("kubernetes_events", "forward") } },
        },
      ],
    },
    bad: {
      "two replicas": [reader("StatefulSet", { replicas: 2 }), `${S}replicas is 2, so each event is read`],
      "a Deployment that starts the new pod first": [
        reader("Deployment", {}),
        "Deployment/logging/reader: spec.strategy.type is not set, so two pods read during an update. Fix: use a StatefulSet",
      ],
      "the collector on each node": [
        line("- name: tail", "- name: kubernetes_events\n    - name: tail"),
        "DaemonSet/logging/fluent-bit: its pods on all nodes read the same events",
      ],
      "OpenKruise's DaemonSet": [
        [{ ...workload("DaemonSet"), type: "kubernetes:apps.kruise.io/v1alpha1:DaemonSet" }, FILE],
        "DaemonSet/logging/reader: its pods on all nodes read the same events",
      ],
    },
    unknown: {
      "unknown replicas": [reader("StatefulSet", { replicas: UNKNOWN }), `${S}replicas is known only`],
      "an unknown file": [
        named(READER, "file", "data", { "fluent-bit.yaml": UNKNOWN }),
        'ConfigMap/logging/reader: data["fluent-bit.yaml"] is known only',
      ],
      "an unknown strategy": [
        reader("Deployment", { strategy: UNKNOWN }),
        "Deployment/logging/reader: spec.strategy.type is known only",
      ],
    },
  },
  "collectors-events-rights": {
    good: {
      "only events": READER,
      "rights of another account": named(
        role("rules.0.resources.0", "secrets"),
        "binding",
        "subjects.0.namespace",
        "other",
      ),
      "an unbound role": role("metadata.name", "other"),
      "rights of the accounts of another namespace": named(
        role("rules.0.resources.1", "pods"),
        "binding",
        "subjects.0",
        {
          kind: "Group",
          name: "system:serviceaccounts:other",
        },
      ),
      "a role of another namespace": inNamespace("other"),
      "a role of the same name in another namespace": named(
        inNamespace("logging"),
        "more",
        "metadata.namespace",
        "other",
      ),
      "a collector on each node": line("- name: tail", "- name: kubernetes_events\n    - name: tail"),
    },
    bad: {
      "another resource": [
        role("rules.0.resources.1", "pods"),
        'ClusterRole/reads-events: rules[0].resources[1] is "pods", which are not events. Fix: bind its service account',
      ],
      "another group": [
        role("rules.0.apiGroups.0", "apps"),
        'ClusterRole/reads-events: rules[0].apiGroups[0] is "apps"',
      ],
      "a verb that writes": [
        role("rules.0.verbs.1", "create"),
        'ClusterRole/reads-events: rules[0].verbs[1] is "create"',
      ],
      "a path of the API": [
        role("rules.0.nonResourceURLs", ["/metrics"]),
        'ClusterRole/reads-events: rules[0].nonResourceURLs[0] is "/metrics"',
      ],
      "a role that every cluster has": [
        named(READER, "binding", "roleRef.name", "view"),
        'ClusterRoleBinding/reads-events: roleRef.name is "view", which shows more than events',
      ],
      "another resource, with an account by its deprecated name": [
        first(
          first(role("rules.0.resources.1", "pods"), "spec.template.spec.serviceAccountName", undefined),
          "spec.template.spec.serviceAccount",
          "reader",
        ),
        'ClusterRole/reads-events: rules[0].resources[1] is "pods"',
      ],
      ...Object.fromEntries(
        ["system:serviceaccounts", "system:serviceaccounts:logging", "system:authenticated"].map((group) => [
          `another resource, bound to the group ${group}`,
          [
            named(role("rules.0.resources.1", "pods"), "binding", "subjects.0", { kind: "Group", name: group }),
            'ClusterRole/reads-events: rules[0].resources[1] is "pods"',
          ] as const,
        ]),
      ),
      "a role of its namespace": [
        inNamespace("logging"),
        'Role/logging/more: rules[0].resources[0] is "pods", which are not events',
      ],
    },
    unknown: {
      "unknown rules": [role("rules", UNKNOWN), "ClusterRole/reads-events: rules is known only"],
      "an unknown resource": [
        role("rules.0.resources.0", UNKNOWN),
        "ClusterRole/reads-events: rules[0].resources[0] is known only",
      ],
      "unknown subjects": [
        named(READER, "binding", "subjects", UNKNOWN),
        "ClusterRoleBinding/reads-events: subjects is known only",
      ],
      "an unknown account": [
        first(READER, "spec.template.spec.serviceAccountName", UNKNOWN),
        `${S}template.spec.serviceAccountName is known only`,
      ],
    },
  },
};
