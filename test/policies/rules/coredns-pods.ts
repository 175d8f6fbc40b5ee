import { type Group, UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { addon, GOOD, IN, NOT_YET, UNKNOWN_CONFIGURATION } from "./coredns-samples.ts";
import { first, type Sample } from "./samples.ts";

/** A CoreDNS that is no add-on. */
const deployment = (spec: Group, name = "coredns", namespace = "kube-system", kind = "Deployment"): Sample => [
  { type: `kubernetes:apps/v1:${kind}`, name: "dns", props: { metadata: { name, namespace }, spec } },
];

export const COREDNS_PODS_CASES: CasesByRule = {
  "coredns-replicas": {
    good: {
      ...GOOD,
      "two pods of a Deployment": deployment({ replicas: 2 }),
      "another Deployment": deployment({ replicas: 1 }, "coredns", "dns"),
      "a patch of something else": deployment({}, "coredns", "kube-system", "DeploymentPatch"),
      autoscaling: addon({ autoScaling: { enabled: true, minReplicas: 2, maxReplicas: 10 } }),
    },
    bad: {
      "one pod of a Deployment": [
        deployment({ replicas: 1 }),
        "Deployment/kube-system/coredns: spec.replicas is 1, so one node takes DNS away. Fix: set spec.replicas: 2",
      ],
      "a Deployment that leaves the number out": [
        deployment({}),
        "Deployment/kube-system/coredns: spec.replicas is not set, so one node",
      ],
      "a patch to one pod": [
        deployment({ replicas: 1 }, "coredns", "kube-system", "DeploymentPatch"),
        "DeploymentPatch/kube-system/coredns: spec.replicas is 1, so one node",
      ],
      "one pod": [
        addon({ replicaCount: 1 }),
        `${IN}replicaCount is 1, so one node takes DNS away. Fix: set replicaCount: 2`,
      ],
      "one pod in YAML": [
        first(addon({}), "configurationValues", "replicaCount: 1\n"),
        `${IN}replicaCount is 1, so one node takes DNS away`,
      ],
      "no pod": [addon({ replicaCount: 0 }), `${IN}replicaCount is 0, so`],
      both: [
        addon({ replicaCount: 2, autoScaling: { enabled: true } }),
        `${IN}replicaCount is 2, though autoScaling is enabled`,
      ],
      "one pod at least": [
        addon({ autoScaling: { enabled: true, minReplicas: 1 } }),
        `${IN}autoScaling.minReplicas is 1, so one node`,
      ],
      "bounds the wrong way round": [
        addon({ autoScaling: { enabled: true, minReplicas: 5, maxReplicas: 3 } }),
        `${IN}autoScaling.maxReplicas is 3, below minReplicas, which is 5`,
      ],
    },
    unknown: {
      "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET],
      "an unknown number of pods": [
        deployment({ replicas: UNKNOWN }),
        "Deployment/kube-system/coredns: spec.replicas is known only",
      ],
    },
  },
  "coredns-disruption": {
    good: {
      ...GOOD,
      "one pod at a time": addon({ podDisruptionBudget: { enabled: true, maxUnavailable: 1 } }),
      "spread without affinity": addon({ affinity: {}, topologySpreadConstraints: [{ maxSkew: 1 }] }),
      "apart without spread": addon({
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100 }] } },
        topologySpreadConstraints: [],
      }),
      "two of five at once, as the autoscaler keeps five": addon({
        autoScaling: { enabled: true, minReplicas: 5, maxReplicas: 9 },
        podDisruptionBudget: { maxUnavailable: 2 },
      }),
      "half of them": addon({ podDisruptionBudget: { maxUnavailable: "50%" } }),
      "half of them at least": addon({ podDisruptionBudget: { minAvailable: "50%" } }),
      "no affinity, the default spread": addon({ affinity: null }),
    },
    bad: {
      "no budget": [
        addon({ podDisruptionBudget: { enabled: false } }),
        `${IN}podDisruptionBudget.enabled is false, so a drain takes all pods`,
      ],
      "all pods at once": [
        addon({ podDisruptionBudget: { maxUnavailable: 2 } }),
        `${IN}podDisruptionBudget.maxUnavailable is 2, of 2 pods, so a drain takes all`,
      ],
      "all pods by share": [
        addon({ podDisruptionBudget: { maxUnavailable: "100%" } }),
        `${IN}podDisruptionBudget.maxUnavailable is 100%`,
      ],
      "more than half, which is both of two": [
        addon({ podDisruptionBudget: { maxUnavailable: "51%" } }),
        `${IN}podDisruptionBudget.maxUnavailable is 51%, of 2 pods, so a drain takes all`,
      ],
      "no pod at least": [
        addon({ podDisruptionBudget: { minAvailable: 0 } }),
        `${IN}podDisruptionBudget.minAvailable is 0, of 2 pods, so a drain takes all`,
      ],
      "no pod at once": [
        addon({ podDisruptionBudget: { maxUnavailable: 0 } }),
        `${IN}podDisruptionBudget.maxUnavailable is 0, of 2 pods, so no node can be drained`,
      ],
      "three quarters, which is both of two": [
        addon({ podDisruptionBudget: { minAvailable: "75%" } }),
        `${IN}podDisruptionBudget.minAvailable is 75%, of 2 pods, so no node can be drained`,
      ],
      "an empty anti-affinity": [
        addon({ affinity: { podAntiAffinity: {} }, topologySpreadConstraints: [] }),
        `${IN}affinity is {"podAntiAffinity":{}} and topologySpreadConstraints is []`,
      ],
      "an anti-affinity without terms": [
        addon({
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } },
          topologySpreadConstraints: [],
        }),
        `${IN}affinity is {"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[]}}`,
      ],
      "no drain ever": [
        addon({ replicaCount: 3, podDisruptionBudget: { minAvailable: 3 } }),
        `${IN}podDisruptionBudget.minAvailable is 3, of 3 pods, so no node can be drained`,
      ],
      "neither spread nor apart": [
        addon({ affinity: {}, topologySpreadConstraints: [] }),
        `${IN}affinity is {} and topologySpreadConstraints is [], so all pods may run on one node`,
      ],
    },
    unknown: { "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET] },
  },
};
