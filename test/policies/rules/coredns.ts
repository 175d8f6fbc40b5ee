import { possibleVersions } from "eks-dns-logging-corefile/addon";
import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";
import type { CasesByRule } from "./cases.ts";
import { addon, GOOD, IN, NOT_YET, UNKNOWN_CONFIGURATION } from "./coredns-samples.ts";
import { first, type Sample, type SampleResource } from "./samples.ts";

const nodes = (maxSize: Value): SampleResource => ({
  type: "aws:eks/nodeGroup:NodeGroup",
  name: "nodes",
  props: { scalingConfig: { maxSize } },
});
/** The component of this program around its add-on. */
const expecting = (pods: number, services: number): SampleResource => ({
  type: "eks-dns-logging:dns:CoreDns",
  name: "coredns",
  props: { clusterSize: { nodes: 9, pods, services } },
});
const ofComponent = (sample: Sample): Sample =>
  sample.map((resource) => (resource.name === "coredns" ? { ...resource, name: "coredns-addon" } : resource));
/** A version whose own schema is known. */
const KNOWN = "v1.12.3-eksbuild.1";
/** The add-on in a version that only the provider tells. */
const lookedUp = (configuration: unknown) => first(addon(configuration), "addonVersion", UNKNOWN);
/** The add-on behind the nodes, so that its version may come from them. */
const afterNodes = (sample: Sample): Sample => [
  ...sample.map((resource) => ({ ...resource, waitsFor: ["nodes"] })),
  nodes(3),
];
const limit = (memory: string, more: object = {}) => addon({ resources: { limits: { memory } }, ...more });
const cachedCorefile = (capacity: number) =>
  EKS_COREFILE.replace("cache 30", `cache 30 {\n        success ${capacity}\n        denial 9984\n    }`);

export const COREDNS_CASES: CasesByRule = {
  "coredns-configuration-valid": {
    good: {
      ...GOOD,
      YAML: first(addon({}), "configurationValues", "replicaCount: 2\nresources:\n  limits:\n    memory: 170Mi\n"),
      "an empty text": first(addon({}), "configurationValues", ""),
      "autoscaling if the version has it": addon({ autoScaling: { enabled: true } }, "v1.11.1-eksbuild.9"),
      "a percentage": addon({ podDisruptionBudget: { maxUnavailable: "50%" } }),
      "another add-on's": first(first(addon({ any: 1 }), "addonName", "vpc-cni"), "addonVersion", "v1.22.4-eksbuild.3"),
    },
    bad: {
      "what no version accepts, for a version from the provider": [
        lookedUp({ replicaCount: "2" }),
        `${IN}replicaCount is "2", which must be an integer (${possibleVersions().join(", ")}). Fix`,
      ],
      "invalid JSON, for a version from the provider": [
        first(lookedUp({}), "configurationValues", "{"),
        'Addon/coredns: configurationValues is "{", neither a JSON nor a YAML object',
      ],
      "neither JSON nor YAML": [
        first(addon({}), "configurationValues", "{replicaCount: 2"),
        'Addon/coredns: configurationValues is "{replicaCount: 2", neither a JSON nor a YAML object. Fix: follow the output',
      ],
      "an unknown key in YAML": [
        first(addon({}, KNOWN), "configurationValues", "replicas: 2\n"),
        `${IN}replicas is 2, which must not be set, since ${KNOWN} does not support it`,
      ],
      "a list": [addon([]), 'Addon/coredns: configurationValues is "[]", neither a JSON nor a YAML object'],
      null: [addon(null), 'Addon/coredns: configurationValues is "null", neither a JSON nor a YAML object'],
      "an unknown key": [
        addon({ replicas: 2 }, KNOWN),
        `${IN}replicas is 2, which must not be set, since ${KNOWN} does not support it (${KNOWN})`,
      ],
      "a text instead of a number": [
        addon({ replicaCount: "2" }),
        `${IN}replicaCount is "2", which must be an integer`,
      ],
      "a number instead of a text": [
        addon({ resources: { limits: { cpu: 1 } } }),
        `${IN}resources.limits.cpu is 1, which must be a string`,
      ],
      "an unknown key inside": [
        addon({ resources: { limit: {} } }, KNOWN),
        `${IN}resources.limit is {}, which must not be set, since ${KNOWN} does not support it`,
      ],
      "autoscaling that an older version rejects": [
        addon({ autoScaling: { enabled: true } }, "v1.11.1-eksbuild.8"),
        `${IN}autoScaling is {"enabled":true}, which must not be set, since v1.11.1-eksbuild.8 does not support it (v1.11.1-eksbuild.8)`,
      ],
      "a disruption budget that an old version rejects": [
        addon({ podDisruptionBudget: {} }, "v1.8.7-eksbuild.2"),
        `${IN}podDisruptionBudget is {}, which must not be set, since v1.8.7-eksbuild.2 does not support it`,
      ],
      "autoscaling without enabled": [
        addon({ autoScaling: {} }),
        `${IN}autoScaling.enabled is not set, which is required`,
      ],
      "a key that is wrong in a list": [
        addon({ tolerations: ["NoSchedule"] }),
        `${IN}tolerations[0] is "NoSchedule", which must be an object`,
      ],
      "too few replicas": [
        addon({ autoScaling: { enabled: true, minReplicas: 1 } }),
        `${IN}autoScaling.minReplicas is 1, which must be at least 2`,
      ],
      "too many replicas": [
        addon({ autoScaling: { enabled: true, maxReplicas: 1001 } }),
        `${IN}autoScaling.maxReplicas is 1001, which must be at most 1000`,
      ],
      "a share without %": [
        addon({ podDisruptionBudget: { maxUnavailable: "half" } }),
        `${IN}podDisruptionBudget.maxUnavailable is "half", which must have another form`,
      ],
    },
    unknown: {
      "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET],
      "a key of a newer version than the schemas that are known": [
        addon({ replicas: 2 }, "v1.14.3-eksbuild.23"),
        "Addon/coredns: configurationValues sets replicas, which is not in the schema of v1.12.3-eksbuild.1, the",
      ],
      "a version from another resource": [
        first(afterNodes(addon({ replicaCount: 2 })), "addonVersion", UNKNOWN),
        "Addon/coredns: addonVersion is known only",
      ],
      "a key that not every schema has, for a version from the provider": [
        lookedUp({ replicas: 2 }),
        "Addon/coredns: configurationValues sets replicas, which is not in the schema of v1.12.3-eksbuild.1",
      ],
      "an unknown configuration of an unknown version": [
        first(UNKNOWN_CONFIGURATION, "addonVersion", UNKNOWN),
        NOT_YET,
      ],
      "an unknown add-on": [first(addon({}), "addonName", UNKNOWN), "Addon/coredns: addonName is known only"],
    },
    deferred: {
      "what every version accepts, for a version from the provider": [
        lookedUp({ replicaCount: 2, corefile: EKS_COREFILE }),
        `Addon/coredns: addonVersion is looked up by the provider (the configuration fits ${possibleVersions().join(", ")}), so the deployment decides: `,
      ],
    },
  },
  "coredns-memory": {
    good: {
      "the default on three nodes": [...addon({}), nodes(3)],
      "enough for 1,000 nodes": [...limit("170Mi"), nodes(1000)],
      "a cluster of another stack": addon({}),
      "another add-on, on 2,000 nodes": [
        { type: "aws:eks/addon:Addon", name: "vpc-cni", props: { addonName: "vpc-cni" } },
        nodes(2000),
      ],
      "enough for the size that is expected, however many nodes there may be": [
        ...ofComponent(addon({})),
        expecting(9000, 500),
        nodes(2000),
      ],
      "enough for a larger cache": [...limit("340Mi", { corefile: cachedCorefile(70_144) }), nodes(3)],
    },
    bad: {
      "too little": [
        [...limit("32Mi"), nodes(3)],
        `${IN}resources.limits.memory is 32Mi, and 3 nodes with 1330 pods and Services need 53Mi. Fix: raise`,
      ],
      "too little for 2,000 nodes": [
        [...addon({}), nodes(2000)],
        `${IN}resources.limits.memory is 170Mi, and 2000 nodes with 221000 pods and Services need 263Mi`,
      ],
      "too little for autopath": [
        [
          ...limit("170Mi", { corefile: EKS_COREFILE.replace("    loop", "    autopath @kubernetes\n    loop") }),
          nodes(300),
        ],
        `${IN}resources.limits.memory is 170Mi, and 300 nodes with 34000 pods and Services need 184Mi with autopath`,
      ],
      "too little for the size that is expected": [
        [...ofComponent(limit("64Mi")), expecting(60_000, 1000), nodes(3)],
        "Addon/coredns-addon: configurationValues: resources.limits.memory is 64Mi, and the 61000 expected pods and Services need",
      ],
      "too little for a full cache": [
        [...limit("170Mi", { corefile: cachedCorefile(1_000_000) }), nodes(3)],
        `${IN}resources.limits.memory is 170Mi, and 3 nodes with 1330 pods and Services need 1205Mi with a full cache`,
      ],
      "no quantity": [limit("lots"), `${IN}resources.limits.memory is lots`],
    },
    unknown: {
      "an unknown configuration": [[...UNKNOWN_CONFIGURATION, nodes(3)], NOT_YET],
      "an unknown size": [[...addon({}), nodes(UNKNOWN)], "NodeGroup/nodes: scalingConfig.maxSize is known only"],
    },
  },
  "coredns-conflict-modes": {
    good: {
      ...GOOD,
      "PRESERVE on update": first(addon({}), "resolveConflictsOnUpdate", "PRESERVE"),
      "NONE on create": first(addon({}), "resolveConflictsOnCreate", "NONE"),
    },
    bad: {
      "PRESERVE on create": [
        first(addon({}), "resolveConflictsOnCreate", "PRESERVE"),
        'Addon/coredns: resolveConflictsOnCreate is "PRESERVE", not one of OVERWRITE, NONE. Fix: set resolveConflictsOnCreate',
      ],
      "no mode on create": [
        first(addon({}), "resolveConflictsOnCreate", undefined),
        "Addon/coredns: resolveConflictsOnCreate is not set",
      ],
      "another word on update": [
        first(addon({}), "resolveConflictsOnUpdate", "FORCE"),
        'Addon/coredns: resolveConflictsOnUpdate is "FORCE", not one of OVERWRITE, PRESERVE, NONE',
      ],
    },
    unknown: {
      "an unknown mode": [
        first(addon({}), "resolveConflictsOnUpdate", UNKNOWN),
        "Addon/coredns: resolveConflictsOnUpdate is known only",
      ],
    },
  },
};
