import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { COLLECTOR } from "./collector.ts";
import { EVERYTHING, PODS, R, clusterRole as role } from "./rbac-samples.ts";
import { named, type Sample } from "./samples.ts";

const PROXY = { apiGroups: [""], resources: ["nodes/proxy"], verbs: ["get"] };
const kubelet = (value: string): Sample =>
  named(COLLECTOR, "config", "data", {
    "fluent-bit.yaml": `pipeline:\n  filters:\n    - name: kubernetes\n      use_kubelet: ${value}\n`,
  });

const TOKEN = { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["get", "create"] };
const certificates = (resource: string, verb: string, names: readonly Value[] = []) => ({
  apiGroups: ["certificates.k8s.io"],
  resources: [resource],
  resourceNames: names,
  verbs: [verb],
});
const inNamespace = (sample: Sample): Sample =>
  sample.map((one) => ({ ...one, type: one.type.replace("ClusterRole", "Role") }));
const APPROVAL = certificates("certificatesigningrequests/approval", "update");
const KUBELETS = certificates("signers", "approve", ["kubernetes.io/kubelet-serving"]);
/** Rights that lead to more, with what they are on. */
const PATHS: readonly (readonly [group: string, resource: string, verb: string, on: string])[] = [
  ["", "persistentvolumes", "create", "on persistentvolumes, which may be any path of a node"],
  ["", "namespaces", "patch", "on namespaces, whose labels set their Pod Security level"],
  ["", "pods/ephemeralcontainers", "update", "on pods/ephemeralcontainers, which runs a program in any pod"],
  ...["mutatingwebhookconfigurations", "validatingadmissionpolicies", "mutatingadmissionpolicybindings"].map(
    (resource) =>
      [
        "admissionregistration.k8s.io",
        resource,
        "delete",
        "on what the API server asks before it admits an object",
      ] as const,
  ),
];
const pathRule = (group: string, resource: string, ...verbs: readonly string[]) => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
});

export const TENANCY_ESCALATION_CASES: CasesByRule = {
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
          [role({ ...PODS, verbs: ["get", verb] }), `${R}.verbs[1] is "${verb}", which can grant any right`] as const,
        ]),
      ),
      ...Object.fromEntries(
        [
          ["impersonate:user-info", "users"],
          ["impersonate:serviceaccount", "serviceaccounts"],
          ["impersonate:associated-node", "nodes"],
        ].map(([verb = "", resource = ""]) => [
          `for some actions: ${verb}`,
          [
            role({ apiGroups: ["authentication.k8s.io"], resources: [resource], verbs: [verb] }),
            `${R}.verbs[0] is "${verb}", which lets it act as another`,
          ] as const,
        ]),
      ),
      "what may be done as another": [
        role({ ...PODS, verbs: ["impersonate-on:user-info:list"] }),
        `${R}.verbs[0] is "impersonate-on:user-info:list", which lets it act as another`,
      ],
      "every verb on the users of impersonation for some actions": [
        role({ apiGroups: ["authentication.k8s.io"], resources: ["users"], verbs: ["*"] }),
        `${R}.verbs[0] is "*", which can grant any right`,
      ],
      "every verb on everything": [role(EVERYTHING), `${R}.verbs[0] is "*", which can grant any right`],
      "every verb on roles": [
        role({ apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["*"] }),
        `${R}.verbs[0] is "*", which can grant any right`,
      ],
      "every verb on accounts": [
        role({ apiGroups: [""], resources: ["serviceaccounts"], verbs: ["*"] }),
        `${R}.verbs[0] is "*", which can grant any right`,
      ],
    },
    unknown: { "an unknown verb": [role({ ...PODS, verbs: ["get", UNKNOWN] }), `${R}.verbs[1] is known only`] },
  },
  "tenancy-no-credential-issuing": {
    good: {
      reading: role(PODS),
      "the tokens of one account": role({ ...TOKEN, resourceNames: ["backup"] }),
      "reading tokens' requests": role({ ...TOKEN, verbs: ["get"] }),
      "accounts without their tokens": role({ ...TOKEN, resources: ["serviceaccounts"] }),
      "what another API group calls so": role({ ...TOKEN, apiGroups: ["x.example"] }),
      "certificates of kubelets' servers": role(APPROVAL, KUBELETS),
      "certificates of a signer of its own": role(certificates("signers", "sign", ["issuers.cert-manager.io/*"])),
      "a Role, which gives no right on what is in no namespace": inNamespace(role(APPROVAL)),
      "a wildcard, which another rule reports": role(EVERYTHING),
      "requests of certificates": role(certificates("certificatesigningrequests", "create")),
    },
    bad: {
      "the token of any account": [
        role(TOKEN),
        `${R}.verbs[1] is "create", on serviceaccounts/token, which gives the token of any account`,
      ],
      "the token of any account of a namespace": [
        inNamespace(role(TOKEN)),
        'Role/reader: rules[0].verbs[1] is "create", on serviceaccounts/token',
      ],
      "the tokens of everything": [role({ ...TOKEN, resources: ["*/token"] }), `${R}.verbs[1] is "create", on serv`],
      "every verb on tokens": [role({ ...TOKEN, verbs: ["*"] }), `${R}.verbs[0] is "*", on serviceaccounts/token`],
      "approval of any certificate": [
        role(APPROVAL),
        `${R}.verbs[0] is "update", on certificatesigningrequests/approval, which gives a certificate in any name`,
      ],
      "any signer": [role(certificates("signers", "approve")), `${R}.verbs[0] is "approve", on signers, which gives`],
      "the signer of the API server's clients, with approval": [
        role(APPROVAL, certificates("signers", "approve", ["kubernetes.io/kube-apiserver-client"])),
        `${R}.verbs[0] is "update", on certificatesigningrequests/approval`,
        'ClusterRole/reader: rules[1].verbs[0] is "approve", on signers',
      ],
    },
    unknown: {
      "an unknown verb": [role({ ...TOKEN, verbs: ["get", UNKNOWN] }), `${R}.verbs[1] is known only`],
      "unknown names": [role(certificates("signers", "sign", [UNKNOWN])), `${R}.resourceNames[0] is known only`],
    },
  },
  "tenancy-escalation-paths": {
    good: {
      "a wildcard, which another rule reports": role(EVERYTHING),
      "volumes by a Role, which gives no right on what is in no namespace": inNamespace(
        role(pathRule("", "persistentvolumes", "create")),
      ),
      ...Object.fromEntries(
        PATHS.flatMap(([group, resource, verb]) => [
          [`reading ${resource}`, role(pathRule(group, resource, "get", "list", "watch"))],
          [`one of ${resource} by its name`, role({ ...pathRule(group, resource, verb), resourceNames: ["mine"] })],
        ]),
      ),
      "namespaces of its own": role(pathRule("", "namespaces", "create")),
    },
    bad: Object.fromEntries(
      PATHS.map(([group, resource, verb, on]) => [
        `${verb} ${resource}`,
        [role(pathRule(group, resource, "get", verb)), `${R}.verbs[1] is "${verb}", ${on}. Fix: `] as const,
      ]),
    ),
    unknown: {
      "unknown names": [
        role({ ...pathRule("", "namespaces", "patch"), resourceNames: UNKNOWN }),
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
      "nodes/proxy and a collector that queries the kubelet": [
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
