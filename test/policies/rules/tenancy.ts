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
    egress: [{ to: [{ podSelector: {} }], ports: DNS_PORTS }],
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
    good: { "all four bounds": quota(HARD), "a namespace of nobody's": OTHERS },
    bad: {
      "no quota": [[NAMESPACE], `${NS}no ResourceQuota is in it. Fix: add a ResourceQuota`],
      "a quota of another namespace": [
        named(quota(HARD), "quota", "metadata.namespace", "sa-team"),
        `${NS}no ResourceQuota is in it`,
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
      "unknown bounds": [quota(UNKNOWN), "ResourceQuota/ts-team/quota: spec.hard.pods is known only"],
      "a quota in an unknown namespace": [
        named(quota(HARD), "quota", "metadata.namespace", UNKNOWN),
        "ResourceQuota/quota: metadata.namespace is known only",
      ],
    },
  },
  "tenancy-limits": {
    good: { "all three defaults": range([LIMIT]), "a namespace of nobody's": OTHERS },
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
    good: { "a denial of both ways": NETWORK, "a namespace of nobody's": OTHERS },
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
      "a rule that lets everything out": [
        named(NETWORK, "dns", "spec.egress", [{ ports: [] }]),
        'NetworkPolicy/ts-team/dns: spec.egress[0] is {"ports":[]}, which lets all Egress through',
      ],
    },
    unknown: {
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
    },
    bad: {
      "default, said": [
        first(GOOD_POD, "metadata.namespace", "default"),
        'Pod/default/curl-ts: metadata.namespace is "default", which is the namespace default. Fix: set metadata.namespace',
      ],
      "nothing said": [first(GOOD_POD, "metadata.namespace", undefined), "Pod/curl-ts: metadata.namespace is not set"],
    },
    unknown: {
      "an unknown namespace": [
        first(GOOD_POD, "metadata.namespace", UNKNOWN),
        "Pod/curl-ts: metadata.namespace is known only",
      ],
    },
  },
};
