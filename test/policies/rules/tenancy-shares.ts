import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { named } from "./samples.ts";
import { inTeam, NAMESPACE, NS, OTHERS } from "./tenancy-samples.ts";

const OTHER_TEAM = { ...NAMESPACE, name: "other", props: { metadata: { name: "sa-team", labels: { team: "sa" } } } };
const HARD = { pods: "20", "requests.cpu": "2", "requests.memory": "2Gi", "limits.memory": "4Gi" };
const quota = (hard: Value) => [NAMESPACE, inTeam("kubernetes:core/v1:ResourceQuota", "quota", { hard })];
const range = (limits: Value) => [NAMESPACE, inTeam("kubernetes:core/v1:LimitRange", "limits", { limits })];
const LIMIT = { type: "Container", default: { memory: "128Mi" }, defaultRequest: { cpu: "25m", memory: "32Mi" } };

export const TENANCY_SHARES_CASES: CasesByRule = {
  "tenancy-quota": {
    good: {
      "all four bounds": quota(HARD),
      "a namespace without a team": OTHERS,
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
        `${NS}each ResourceQuota in it covers only some pods, by its scopes`,
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
        `${NS}each ResourceQuota in it covers only some pods`,
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
      "a namespace without a team": OTHERS,
      "limits that the API server uses as defaults": range([
        { type: "Container", max: { memory: "1Gi" }, min: { cpu: "10m", memory: "16Mi" } },
      ]),
      "defaults in two lists, and an unknown one": [
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
};
