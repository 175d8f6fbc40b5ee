import { UNKNOWN, type Value } from "../../../policies/core/value.ts";
import type { CasesByRule } from "./cases.ts";
import { first, named, type Sample, type SampleResource, without } from "./samples.ts";
import { GOOD_POD } from "./workloads.ts";

const PSS = "pod-security.kubernetes.io";
const NAMESPACE: SampleResource = {
  type: "kubernetes:core/v1:Namespace",
  name: "namespace",
  props: {
    metadata: {
      name: "ts-team",
      labels: {
        [`${PSS}/audit`]: "restricted",
        [`${PSS}/enforce`]: "restricted",
        [`${PSS}/warn`]: "restricted",
        team: "ts",
      },
    },
  },
};
/** A namespace, with labels by themselves, as their keys have dots. */
const namespace = (name: Value, labels: Value): Sample => [{ ...NAMESPACE, props: { metadata: { name, labels } } }];
const OTHERS = namespace("kube-tools", {});
const labelled = (key: string, to: Value) =>
  namespace("ts-team", {
    [`${PSS}/audit`]: "restricted",
    [`${PSS}/enforce`]: "restricted",
    [`${PSS}/warn`]: "restricted",
    [key]: to,
  });

const inTeam = (type: string, name: string, spec: Value): SampleResource => ({
  type,
  name,
  props: { metadata: { name, namespace: "ts-team" }, spec },
});
const OTHER_TEAM = { ...NAMESPACE, name: "other", props: { metadata: { name: "sa-team", labels: { team: "sa" } } } };
const HARD = { pods: "20", "requests.cpu": "2", "requests.memory": "2Gi", "limits.memory": "4Gi" };
const quota = (hard: Value) => [NAMESPACE, inTeam("kubernetes:core/v1:ResourceQuota", "quota", { hard })];
const range = (limits: Value) => [NAMESPACE, inTeam("kubernetes:core/v1:LimitRange", "limits", { limits })];
const LIMIT = { type: "Container", default: { memory: "128Mi" }, defaultRequest: { cpu: "25m", memory: "32Mi" } };

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const DNS_PORTS = [
  { port: 53, protocol: "UDP" },
  { port: 53, protocol: "TCP" },
];
const NETWORK: Sample = [
  NAMESPACE,
  inTeam(POLICY, "deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
  inTeam(POLICY, "dns", {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [{ to: [{ namespaceSelector: {} }], ports: DNS_PORTS }],
  }),
];

const NS = "Namespace/ts-team: ";

export const TENANCY_CASES: CasesByRule = {
  "tenancy-team-label": {
    good: { "a team's": [NAMESPACE], "one of nobody's": OTHERS },
    bad: {
      "a team's by its name": [
        namespace("ts-team", {}),
        `${NS}metadata.labels.team is not set, on the namespace of a team. Fix: set metadata.labels.team`,
      ],
      "an empty label": [namespace("team-ts", { team: "" }), 'Namespace/team-ts: metadata.labels.team is "", on'],
    },
    unknown: {
      "unknown labels": [namespace("ts-team", UNKNOWN), `${NS}metadata.labels.team is known only`],
      "an unknown name": [namespace(UNKNOWN, {}), "Namespace/namespace: metadata.name is known only"],
    },
  },
  "tenancy-pod-security": {
    good: { restricted: [NAMESPACE] },
    bad: {
      "no labels": [
        OTHERS,
        `Namespace/kube-tools: metadata.labels["${PSS}/enforce"] is not set, less than restricted. Fix: set the labels`,
        `Namespace/kube-tools: metadata.labels["${PSS}/audit"] is not set`,
        `Namespace/kube-tools: metadata.labels["${PSS}/warn"] is not set`,
      ],
      privileged: [
        labelled(`${PSS}/enforce`, "privileged"),
        `${NS}metadata.labels["${PSS}/enforce"] is "privileged", less`,
      ],
      baseline: [labelled(`${PSS}/enforce`, "baseline"), `${NS}metadata.labels["${PSS}/enforce"] is "baseline", less`],
      "no audit": [labelled(`${PSS}/audit`, ""), `${NS}metadata.labels["${PSS}/audit"] is ""`],
      "a word that is no level": [labelled(`${PSS}/warn`, "strict"), `${NS}metadata.labels["${PSS}/warn"] is "strict"`],
    },
    unknown: {
      "an unknown label": [labelled(`${PSS}/enforce`, UNKNOWN), `${NS}metadata.labels["${PSS}/enforce"] is known only`],
    },
  },
  "tenancy-quota": {
    good: {
      "all four bounds": quota(HARD),
      "a namespace of nobody's": OTHERS,
      "other names of the bounds": quota({ "count/pods": "20", cpu: "2", memory: "2Gi", "limits.memory": "4Gi" }),
      "bounds in two quotas, and one more in an unknown namespace": [
        ...quota({ pods: "20", "requests.cpu": "2" }),
        inTeam("kubernetes:core/v1:ResourceQuota", "memory", {
          hard: { "requests.memory": "2Gi", "limits.memory": "4Gi" },
        }),
        { type: "kubernetes:core/v1:ResourceQuota", name: "elsewhere", props: { metadata: { namespace: UNKNOWN } } },
      ],
    },
    bad: {
      "no quota": [[NAMESPACE], `${NS}no ResourceQuota is in it. Fix: add a ResourceQuota`],
      "a quota of another namespace": [
        named(quota(HARD), "quota", "metadata.namespace", "sa-team"),
        `${NS}no ResourceQuota is in it`,
      ],
      "a quota for the pods that end": [
        quota(HARD).map((one) =>
          one.name === "quota" ? inTeam(one.type, "quota", { hard: HARD, scopes: ["Terminating"] }) : one,
        ),
        `${NS}each ResourceQuota in it is for some pods alone, by its scopes`,
      ],
      "a quota for a class of pods": [
        quota(HARD).map((one) =>
          one.name === "quota"
            ? inTeam(one.type, "quota", {
                hard: HARD,
                scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["low"] }] },
              })
            : one,
        ),
        `${NS}each ResourceQuota in it is for some pods alone`,
      ],
      "no bound on pods": [
        quota({ "requests.cpu": "2", "requests.memory": "2Gi", "limits.memory": "4Gi" }),
        "ResourceQuota/ts-team/quota: spec.hard.pods is not set, so the team may take all",
      ],
      "no bounds on memory": [
        quota({ pods: "20", "requests.cpu": "2" }),
        'ResourceQuota/ts-team/quota: spec.hard["requests.memory"] is not set',
        'ResourceQuota/ts-team/quota: spec.hard["limits.memory"] is not set',
      ],
    },
    unknown: {
      "unknown bounds": [quota(UNKNOWN), "ResourceQuota/ts-team/quota: spec.hard is known only"],
      "a quota in an unknown namespace": [
        named(quota(HARD), "quota", "metadata.namespace", UNKNOWN),
        "ResourceQuota/quota: metadata.namespace is known only",
      ],
      "a team of two, whose quota's namespace is unknown": [
        [
          ...quota(HARD),
          OTHER_TEAM,
          { type: "kubernetes:core/v1:ResourceQuota", name: "other", props: { metadata: { namespace: UNKNOWN } } },
        ],
        "ResourceQuota/other: metadata.namespace is known only",
      ],
      "a quota in the namespace of a provider that is unknown": [
        quota(HARD).map((one) =>
          one.name === "quota"
            ? { ...one, props: { metadata: { name: "quota" }, spec: { hard: HARD } }, provider: { namespace: UNKNOWN } }
            : one,
        ),
        "ResourceQuota/quota: namespace is known only",
      ],
    },
  },
  "tenancy-limits": {
    good: {
      "all three defaults": range([LIMIT]),
      "a namespace of nobody's": OTHERS,
      "defaults in two lists, beside an unknown one": [
        ...range([{ type: "Container", default: { memory: "128Mi" } }, UNKNOWN]),
        inTeam("kubernetes:core/v1:LimitRange", "requests", {
          limits: [{ type: "Container", defaultRequest: { cpu: "25m", memory: "32Mi" } }],
        }),
      ],
    },
    bad: {
      "no LimitRange": [[NAMESPACE], `${NS}no LimitRange is in it. Fix: add a LimitRange`],
      "no default limit": [
        range([{ type: "Container", defaultRequest: LIMIT.defaultRequest }]),
        "LimitRange/ts-team/limits: spec.limits: no default.memory for containers",
      ],
      "no default requests": [
        range([{ type: "Container", default: LIMIT.default }]),
        "LimitRange/ts-team/limits: spec.limits: no defaultRequest.cpu for containers",
        "LimitRange/ts-team/limits: spec.limits: no defaultRequest.memory for containers",
      ],
      "defaults of pods": [
        range([{ ...LIMIT, type: "Pod" }]),
        "LimitRange/ts-team/limits: spec.limits: no default.memory",
        "LimitRange/ts-team/limits: spec.limits: no defaultRequest.cpu",
        "LimitRange/ts-team/limits: spec.limits: no defaultRequest.memory",
      ],
    },
    unknown: { "unknown limits": [range(UNKNOWN), "LimitRange/ts-team/limits: spec.limits is known only"] },
  },
  "tenancy-default-deny": {
    good: {
      "a denial of both ways": NETWORK,
      "a namespace of nobody's": OTHERS,
      "a denial beside a policy of which nothing is known": [
        inTeam(POLICY, "more", { podSelector: UNKNOWN, policyTypes: UNKNOWN }),
        ...NETWORK,
      ],
      "every address but some, on one port": named(NETWORK, "dns", "spec.egress.0", {
        to: [{ ipBlock: { cidr: "0.0.0.0/0" } }],
        ports: [{ port: 443 }],
      }),
      "every address but those inside": named(NETWORK, "dns", "spec.egress.0", {
        to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }],
      }),
    },
    bad: {
      "no policy": [
        [NAMESPACE],
        `${NS}no NetworkPolicy denies Ingress for all of its pods. Fix: add a NetworkPolicy`,
        `${NS}no NetworkPolicy denies Egress for all of its pods`,
      ],
      "a denial of ingress alone": [
        without(named(NETWORK, "deny", "spec.policyTypes", ["Ingress"]), "dns"),
        `${NS}no NetworkPolicy denies Egress`,
      ],
      "a denial for some pods": [
        without(named(NETWORK, "deny", "spec.podSelector", { matchLabels: { app: "a" } }), "dns"),
        `${NS}no NetworkPolicy denies Ingress`,
        `${NS}no NetworkPolicy denies Egress`,
      ],
      "a rule that lets everything in": [
        named(NETWORK, "deny", "spec.ingress", [{}]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is {}, which lets all Ingress through",
      ],
      "a rule that names every address": [
        named(NETWORK, "dns", "spec.egress", [
          { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }, { ipBlock: { cidr: "::/0" } }] },
        ]),
        "NetworkPolicy/ts-team/dns: spec.egress[0] is",
      ],
      "a denial in another namespace": [
        named(NETWORK, "deny", "metadata.namespace", "sa-team"),
        `${NS}no NetworkPolicy denies Ingress`,
      ],
      "a rule that lets everything out": [
        named(NETWORK, "dns", "spec.egress", [{ ports: [] }]),
        'NetworkPolicy/ts-team/dns: spec.egress[0] is {"ports":[]}, which lets all Egress through',
      ],
    },
    unknown: {
      "an unknown rule beside a denial": [
        named(NETWORK, "deny", "spec.ingress", UNKNOWN),
        "NetworkPolicy/ts-team/deny: spec.ingress is known only",
      ],
      "a policy in an unknown namespace": [
        named(without(NETWORK, "dns"), "deny", "metadata.namespace", UNKNOWN),
        "NetworkPolicy/deny: metadata.namespace is known only",
      ],
      "unknown ways": [
        without(named(NETWORK, "deny", "spec.policyTypes", UNKNOWN), "dns"),
        "NetworkPolicy/ts-team/deny: spec.policyTypes is known only",
      ],
      "an unknown label": [namespace(UNKNOWN, { team: UNKNOWN }), "Namespace/namespace: metadata.name is known only"],
    },
  },
  "tenancy-dns-egress": {
    good: {
      "both protocols": NETWORK,
      "both by name and by range": named(NETWORK, "dns", "spec.egress.0.ports", [
        { port: "dns", protocol: "UDP" },
        { port: 50, endPort: 60 },
      ]),
      "no denial of egress, so DNS is open": without(named(NETWORK, "deny", "spec.policyTypes", ["Ingress"]), "dns"),
      "a policy without types, as Kubernetes fills them in": named(NETWORK, "dns", "spec.policyTypes", undefined),
      "everything let out": named(NETWORK, "dns", "spec.egress", [{}]),
      "all ports of the namespace of DNS": named(NETWORK, "dns", "spec.egress", [
        { to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }] },
      ]),
      "all ports of a protocol": named(NETWORK, "dns", "spec.egress.0.ports", [
        { protocol: "UDP" },
        { protocol: "TCP" },
      ]),
      "the address of DNS": named(NETWORK, "dns", "spec.egress.0.to", [{ ipBlock: { cidr: "10.100.0.10/32" } }]),
      "DNS let out beside a policy of which nothing is known": [
        inTeam(POLICY, "more", { podSelector: {}, policyTypes: ["Egress"], egress: UNKNOWN }),
        ...NETWORK,
      ],
    },
    bad: {
      "no DNS": [
        without(NETWORK, "dns"),
        `${NS}no NetworkPolicy lets DNS out by UDP 53. Fix: let port 53 out for both`,
        `${NS}no NetworkPolicy lets DNS out by TCP 53`,
      ],
      "UDP alone": [
        named(NETWORK, "dns", "spec.egress.0.ports", [{ port: 53, protocol: "UDP" }]),
        `${NS}no NetworkPolicy lets DNS out by TCP 53`,
      ],
      "TCP alone, the default protocol": [
        named(NETWORK, "dns", "spec.egress.0.ports", [{ port: 53 }]),
        `${NS}no NetworkPolicy lets DNS out by UDP 53`,
      ],
      "to the pods of its own namespace, where DNS is not": [
        named(NETWORK, "dns", "spec.egress.0.to", [{ podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }]),
        `${NS}no NetworkPolicy lets DNS out by UDP 53`,
        `${NS}no NetworkPolicy lets DNS out by TCP 53`,
      ],
      "to another namespace": [
        named(NETWORK, "dns", "spec.egress.0.to", [
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "logging" } } },
        ]),
        `${NS}no NetworkPolicy lets DNS out by UDP 53`,
        `${NS}no NetworkPolicy lets DNS out by TCP 53`,
      ],
      "a port beside it": [
        named(NETWORK, "dns", "spec.egress.0.ports", [
          { port: 54, endPort: 60 },
          { port: 50, endPort: 52, protocol: "UDP" },
        ]),
        `${NS}no NetworkPolicy lets DNS out by UDP 53`,
        `${NS}no NetworkPolicy lets DNS out by TCP 53`,
      ],
      "for some pods": [
        named(NETWORK, "dns", "spec.podSelector", { matchExpressions: [{ key: "app", operator: "Exists" }] }),
        `${NS}no NetworkPolicy lets DNS out by UDP 53`,
        `${NS}no NetworkPolicy lets DNS out by TCP 53`,
      ],
    },
    unknown: {
      "unknown ports": [
        named(NETWORK, "dns", "spec.egress.0.ports", UNKNOWN),
        "NetworkPolicy/ts-team/dns: spec.egress[0].ports is known only",
      ],
    },
  },
  "tenancy-no-default-namespace": {
    good: {
      "a pod of a team": GOOD_POD,
      "what has no namespace": OTHERS,
      "the provider's namespace": [
        ...first(GOOD_POD, "metadata.namespace", undefined).map((pod) => ({
          ...pod,
          provider: { namespace: "ts-team" },
        })),
      ],
      "a custom resource, of which nobody knows": [
        { type: "kubernetes:example.com/v1:Thing", name: "thing", props: { metadata: { name: "thing" } } },
      ],
      "a patch of what is there": [
        {
          type: "kubernetes:core/v1:ServiceAccountPatch",
          name: "quiet",
          props: { metadata: { name: "default", namespace: "default" }, automountServiceAccountToken: false },
        },
      ],
      "a Helm release elsewhere": [
        { type: "kubernetes:helm.sh/v3:Release", name: "app", props: { chart: "app", namespace: "shop" } },
      ],
    },
    bad: {
      "default, said": [
        first(GOOD_POD, "metadata.namespace", "default"),
        'Pod/default/curl-ts: metadata.namespace is "default", which is the namespace default. Fix: set metadata.namespace',
      ],
      "nothing said": [first(GOOD_POD, "metadata.namespace", undefined), "Pod/curl-ts: metadata.namespace is not set"],
      "a custom resource that says so": [
        [{ type: "kubernetes:example.com/v1:Thing", name: "thing", props: { metadata: { namespace: "default" } } }],
        'Thing/default/thing: metadata.namespace is "default"',
      ],
      "an older API": [
        [{ type: "kubernetes:batch/v1beta1:CronJob", name: "job", props: {} }],
        "CronJob/job: metadata.namespace is not set",
      ],
      "a Helm release that names none": [
        [{ type: "kubernetes:helm.sh/v3:Release", name: "app", props: { chart: "app" } }],
        "Release/app: namespace is not set, which is the namespace default",
      ],
    },
    unknown: {
      "the unknown namespace of a custom resource": [
        [{ type: "kubernetes:example.com/v1:Thing", name: "thing", props: { metadata: { namespace: UNKNOWN } } }],
        "Thing/thing: metadata.namespace is known only",
      ],
      "the unknown namespace of a Helm release": [
        [{ type: "kubernetes:helm.sh/v3:Release", name: "app", props: { namespace: UNKNOWN } }],
        "Release/app: namespace is known only",
      ],
      "an unknown namespace": [
        first(GOOD_POD, "metadata.namespace", UNKNOWN),
        "Pod/curl-ts: metadata.namespace is known only",
      ],
    },
  },
};
