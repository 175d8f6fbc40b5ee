import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { EVERYTHING, PODS, R, clusterRole as role } from "./rbac-samples.ts";
import type { Sample } from "./samples.ts";

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

const awsAuth = (mapRoles: Value, name = "aws-auth", namespace = "kube-system"): Sample => [
  {
    type: "kubernetes:core/v1:ConfigMap",
    name: "auth",
    props: { metadata: { name, namespace }, data: { mapRoles } },
  },
];
const NODES = "- rolearn: arn:aws:iam::1:role/nodes\n  groups: [system:bootstrappers, system:nodes]\n";
const ADMINS = "- rolearn: arn:aws:iam::1:role/admins\n  groups:\n    - system:masters\n";

export const TENANCY_RBAC_CASES: CasesByRule = {
  "tenancy-no-wildcards": {
    good: { "named rights": role(PODS), "rules by a label": aggregated([{ matchLabels: { "ours/reader": "true" } }]) },
    bad: {
      verbs: [role({ ...PODS, verbs: ["*"] }), `${R}.verbs[0] is "*", a wildcard. Fix: list the API groups`],
      resources: [role({ ...PODS, resources: ["pods", "*"] }), `${R}.resources[1] is "*"`],
      "a part of resources": [role({ ...PODS, resources: ["*/scale"] }), `${R}.resources[0] is "*/scale"`],
      "the rules of every role": [
        aggregated([{}]),
        "ClusterRole/reader: aggregationRule.clusterRoleSelectors[0] is {}, which includes the rules of every ClusterRole. Fix: name",
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
      "the nodes of EKS": awsAuth(NODES),
      "another ConfigMap": awsAuth(ADMINS, "notes"),
      "one of that name in another namespace, which EKS does not read": awsAuth(ADMINS, "aws-auth", "web"),
      "no mappings": awsAuth("- [\n"),
      "a role of a namespace that is called so": binding("cluster-admin").map((one) => ({
        ...one,
        props: { ...one.props, roleRef: { kind: "Role", name: "cluster-admin" } },
      })),
    },
    bad: {
      "cluster-admin": [
        binding("cluster-admin"),
        'RoleBinding/ts-team/members: roleRef.name is "cluster-admin", which may do everything in its namespace. Fix',
      ],
      "an IAM role that EKS makes a master": [
        awsAuth(NODES + ADMINS),
        "ConfigMap/kube-system/aws-auth: data.mapRoles: arn:aws:iam::1:role/admins is in system:masters, a group that passes all authorization checks. Fix: make an access entry",
      ],
      "cluster-admin in all namespaces": [
        as("v1:ClusterRoleBinding", binding("cluster-admin")),
        'ClusterRoleBinding/ts-team/members: roleRef.name is "cluster-admin", which may do everything. Fix',
      ],
      "a binding of an older API": [
        as("v1beta1:ClusterRoleBinding", binding("cluster-admin")),
        'ClusterRoleBinding/ts-team/members: roleRef.name is "cluster-admin"',
      ],
      "system:masters among others": [
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
      "unknown mappings": [awsAuth(UNKNOWN), "ConfigMap/kube-system/aws-auth: data.mapRoles is known only"],
      "an unknown role": [binding(UNKNOWN), "RoleBinding/ts-team/members: roleRef.name is known only"],
      "an unknown subject": [binding("a", UNKNOWN), "RoleBinding/ts-team/members: subjects[0].name is known only"],
    },
  },
  "tenancy-no-anonymous": {
    good: {
      "a group": binding("team-member"),
      "everybody who is known": binding("team-member", { kind: "Group", name: "system:authenticated" }),
    },
    bad: Object.fromEntries(
      [
        ["User", "system:anonymous"],
        ["Group", "system:unauthenticated"],
      ].map(([kind = "", name = ""]) => [
        name,
        [
          binding("team-member", { kind, name }),
          `RoleBinding/ts-team/members: subjects[0].name is "${name}", which is everyone who reaches the API server`,
        ] as const,
      ]),
    ),
    unknown: {
      "an unknown subject": [binding("a", UNKNOWN), "RoleBinding/ts-team/members: subjects[0].name is known only"],
    },
  },
  "tenancy-no-secret-reading": {
    good: {
      pods: role(PODS),
      "one Secret by its name": role({ ...PODS, resources: ["secrets"], resourceNames: ["mine"] }),
      "only writing": role({ ...PODS, resources: ["secrets"], verbs: ["create"] }),
      "only writing, on an unknown resource": role({ ...PODS, resources: [UNKNOWN], verbs: ["create"] }),
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
};
