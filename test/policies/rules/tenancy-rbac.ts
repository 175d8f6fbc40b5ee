import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { COLLECTOR } from "./collector.ts";
import { named, type Sample } from "./samples.ts";

const role = (rule: Value): Sample => [
  {
    type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
    name: "role",
    props: { metadata: { name: "reader" }, rules: [rule] },
  },
];
const PODS = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
const binding = (to: Value, subject: Value = { kind: "Group", name: "ts" }): Sample => [
  {
    type: "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    name: "binding",
    props: { metadata: { name: "members", namespace: "ts-team" }, roleRef: { name: to }, subjects: [subject] },
  },
];
const RBAC = "kubernetes:rbac.authorization.k8s.io";
const as = (type: string, sample: Sample): Sample => sample.map((one) => ({ ...one, type: `${RBAC}/${type}` }));
const aggregated = (clusterRoleSelectors: Value): Sample => [
  {
    type: `${RBAC}/v1:ClusterRole`,
    name: "role",
    props: { metadata: { name: "reader" }, aggregationRule: { clusterRoleSelectors } },
  },
];
const EVERYTHING = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
const PROXY = { apiGroups: [""], resources: ["nodes/proxy"], verbs: ["get"] };
const kubelet = (value: string): Sample =>
  named(COLLECTOR, "config", "data", {
    "fluent-bit.yaml": `pipeline:\n  filters:\n    - name: kubernetes\n      use_kubelet: ${value}\n`,
  });
const R = "ClusterRole/reader: rules[0]";

export const TENANCY_RBAC_CASES: CasesByRule = {
  "tenancy-no-wildcards": {
    good: { "named rights": role(PODS), "rules by a label": aggregated([{ matchLabels: { "ours/reader": "true" } }]) },
    bad: {
      verbs: [role({ ...PODS, verbs: ["*"] }), `${R}.verbs[0] is "*", a wildcard. Fix: list the API groups`],
      resources: [role({ ...PODS, resources: ["pods", "*"] }), `${R}.resources[1] is "*"`],
      "a part of resources": [role({ ...PODS, resources: ["*/scale"] }), `${R}.resources[0] is "*/scale"`],
      "the rules of every role": [
        aggregated([{}]),
        "ClusterRole/reader: aggregationRule.clusterRoleSelectors[0] is {}, which takes in the rules of every ClusterRole. Fix: name",
      ],
      "an older API": [as("v1beta1:ClusterRole", role({ ...PODS, verbs: ["*"] })), `${R}.verbs[0] is "*"`],
      "a patch of a role": [
        as("v1:ClusterRolePatch", role({ ...PODS, verbs: ["*"] })),
        'ClusterRolePatch/reader: rules[0].verbs[0] is "*"',
      ],
      groups: [role({ ...PODS, apiGroups: ["*"] }), `${R}.apiGroups[0] is "*"`],
      paths: [role({ nonResourceURLs: ["/metrics/*"], verbs: ["get"] }), `${R}.nonResourceURLs[0] is "/metrics/*"`],
    },
    unknown: {
      "unknown verbs": [role({ ...PODS, verbs: UNKNOWN }), `${R}.verbs is known only`],
      "an unknown rule": [
        role(UNKNOWN),
        `${R}.apiGroups is known only`,
        `${R}.resources is known only`,
        `${R}.verbs is known only`,
        `${R}.nonResourceURLs is known only`,
      ],
      "unknown roles to take in": [
        aggregated([{ matchLabels: UNKNOWN }]),
        "ClusterRole/reader: aggregationRule.clusterRoleSelectors[0].matchLabels is known only",
      ],
    },
  },
  "tenancy-no-cluster-admin": {
    good: {
      "a narrow role": binding("team-member"),
      "a role of a namespace that is called so": binding("cluster-admin").map((one) => ({
        ...one,
        props: { ...one.props, roleRef: { kind: "Role", name: "cluster-admin" } },
      })),
    },
    bad: {
      "cluster-admin": [
        binding("cluster-admin"),
        'RoleBinding/ts-team/members: roleRef.name is "cluster-admin", which may do everything',
      ],
      "a binding of an older API": [
        as("v1beta1:ClusterRoleBinding", binding("cluster-admin")),
        'ClusterRoleBinding/ts-team/members: roleRef.name is "cluster-admin"',
      ],
      "system:masters beside others": [
        [
          {
            type: `${RBAC}/v1:ClusterRoleBinding`,
            name: "all",
            props: {
              metadata: { name: "all" },
              roleRef: { name: "view" },
              subjects: [
                { kind: "User", name: "me" },
                { kind: "Group", name: "system:masters" },
              ],
            },
          },
        ],
        'ClusterRoleBinding/all: subjects[1].name is "system:masters"',
      ],
      "system:masters": [
        binding("team-member", { kind: "Group", name: "system:masters" }),
        'RoleBinding/ts-team/members: subjects[0].name is "system:masters", a group that passes',
      ],
    },
    unknown: {
      "an unknown role": [binding(UNKNOWN), "RoleBinding/ts-team/members: roleRef.name is known only"],
      "an unknown subject": [binding("a", UNKNOWN), "RoleBinding/ts-team/members: subjects[0].name is known only"],
    },
  },
  "tenancy-no-escalation": {
    good: {
      reading: role(PODS),
      "every verb on what gives no right": role({ ...PODS, verbs: ["*"] }),
      "every verb on what another API group calls so": role({ ...EVERYTHING, apiGroups: ["x.example"] }),
      "every verb on paths": role({ nonResourceURLs: ["*"], verbs: ["*"] }),
    },
    bad: {
      ...Object.fromEntries(
        ["bind", "escalate", "impersonate"].map((verb) => [
          verb,
          [role({ ...PODS, verbs: ["get", verb] }), `${R}.verbs[1] is "${verb}", which gives any right away`] as const,
        ]),
      ),
      "every verb on everything": [role(EVERYTHING), `${R}.verbs[0] is "*", which gives any right away`],
      "every verb on roles": [
        role({ apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["*"] }),
        `${R}.verbs[0] is "*", which gives any right away`,
      ],
      "every verb on accounts": [
        role({ apiGroups: [""], resources: ["serviceaccounts"], verbs: ["*"] }),
        `${R}.verbs[0] is "*", which gives any right away`,
      ],
    },
    unknown: { "an unknown verb": [role({ ...PODS, verbs: ["get", UNKNOWN] }), `${R}.verbs[1] is known only`] },
  },
  "tenancy-no-secret-reading": {
    good: {
      pods: role(PODS),
      "one Secret by its name": role({ ...PODS, resources: ["secrets"], resourceNames: ["mine"] }),
      "writing alone": role({ ...PODS, resources: ["secrets"], verbs: ["create"] }),
      "writing alone, on what is not known": role({ ...PODS, resources: [UNKNOWN], verbs: ["create"] }),
      "what another API group calls so": role({ ...PODS, apiGroups: ["vault.example"], resources: ["secrets"] }),
      "no resources and unknown names": role({ ...PODS, resources: ["pods"], resourceNames: UNKNOWN }),
    },
    bad: {
      ...Object.fromEntries(
        ["get", "list", "watch", "*"].map((verb) => [
          verb,
          [
            role({ ...PODS, resources: ["secrets"], verbs: [verb] }),
            `${R}.verbs[0] is "${verb}", on secrets, which shows`,
          ] as const,
        ]),
      ),
      everything: [role(EVERYTHING), `${R}.verbs[0] is "*", on secrets, which shows`],
    },
    unknown: {
      "unknown resources": [role({ ...PODS, resources: [UNKNOWN] }), `${R}.resources[0] is known only`],
      "an unknown verb": [
        role({ ...PODS, resources: ["secrets"], verbs: ["create", UNKNOWN] }),
        `${R}.verbs[1] is known only`,
      ],
      "unknown names": [
        role({ ...PODS, resources: ["secrets"], resourceNames: UNKNOWN }),
        `${R}.resourceNames is known only`,
      ],
    },
  },
  "tenancy-nodes-proxy": {
    good: {
      "no such right": role(PODS),
      "the pods of the kubelet": role({ ...PROXY, resources: ["nodes/pods", "nodes/metrics"] }),
      "lists of everything": role({ ...EVERYTHING, verbs: ["list", "watch"] }),
      "everything of another API group": role({ ...EVERYTHING, apiGroups: ["metrics.k8s.io"] }),
    },
    bad: {
      "nodes/proxy": [role(PROXY), `${R}.resources[0] is "nodes/proxy", which runs commands in every pod`],
      "nodes/proxy beside a collector that asks the kubelet": [
        [...role(PROXY), ...kubelet("on")],
        `${R}.resources[0] is "nodes/proxy"`,
      ],
      everything: [role(EVERYTHING), `${R}.resources[0] is "*", which runs commands`],
      "the proxy of everything": [role({ ...PROXY, resources: ["*/proxy"] }), `${R}.resources[0] is "*/proxy"`],
      "all parts of nodes": [role({ ...PROXY, resources: ["nodes/*"] }), `${R}.resources[0] is "nodes/*"`],
    },
    unknown: { "unknown resources": [role({ ...PROXY, resources: UNKNOWN }), `${R}.resources is known only`] },
  },
};
