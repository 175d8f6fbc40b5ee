import { UNKNOWN, type Value } from "../../../policies/core/value.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type Sample, type SampleResource } from "./samples.ts";

const COREFILE = `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
`;

/** The add-on with a configuration. */
function addon(configuration: unknown, version = "v1.13.2-eksbuild.31"): Sample {
  const props = {
    addonName: "coredns",
    addonVersion: version,
    configurationValues: JSON.stringify(configuration),
    resolveConflictsOnCreate: "OVERWRITE",
    resolveConflictsOnUpdate: "OVERWRITE",
  };
  return [{ type: "aws:eks/addon:Addon", name: "coredns", props }];
}

const corefile = (text: string) => addon({ corefile: text });
const lacking = (line: string) => corefile(COREFILE.replace(`    ${line}\n`, ""));
const configMap = (text: Value): Sample => [
  {
    type: "kubernetes:core/v1:ConfigMap",
    name: "corefile",
    props: { metadata: { name: "coredns", namespace: "kube-system" }, data: { Corefile: text } },
  },
];
const GOOD: Record<string, Sample> = {
  "the default": first(addon({}), "configurationValues", undefined),
  "a whole configuration": addon({ corefile: COREFILE, replicaCount: 2 }),
};
const nodes = (maxSize: Value): SampleResource => ({
  type: "aws:eks/nodeGroup:NodeGroup",
  name: "nodes",
  props: { scalingConfig: { maxSize } },
});
const UNKNOWN_CONFIGURATION = first(addon({}), "configurationValues", UNKNOWN);
const IN = "Addon/coredns: configurationValues: ";
const NOT_YET = "Addon/coredns: configurationValues is known only";
const limit = (memory: string, more: object = {}) => addon({ resources: { limits: { memory } }, ...more });

export const COREDNS_CASES: CasesByRule = {
  "coredns-configuration-valid": {
    good: {
      ...GOOD,
      YAML: first(addon({}), "configurationValues", "replicaCount: 2\nresources:\n  limits:\n    memory: 170Mi\n"),
      "an empty text": first(addon({}), "configurationValues", ""),
      "autoscaling where the version has it": addon({ autoScaling: { enabled: true } }, "v1.11.1-eksbuild.9"),
      "a percentage": addon({ podDisruptionBudget: { maxUnavailable: "50%" } }),
      "another add-on's": first(first(addon({ any: 1 }), "addonName", "vpc-cni"), "addonVersion", "v1.22.4-eksbuild.3"),
    },
    bad: {
      "neither JSON nor YAML": [
        first(addon({}), "configurationValues", "{replicaCount: 2"),
        'Addon/coredns: configurationValues is "{replicaCount: 2", neither a JSON nor a YAML object. Fix: write what',
      ],
      "an unknown key in YAML": [
        first(addon({}), "configurationValues", "replicas: 2\n"),
        `${IN}replicas is 2, which the version does not know`,
      ],
      "a list": [addon([]), 'Addon/coredns: configurationValues is "[]", neither a JSON nor a YAML object'],
      null: [addon(null), 'Addon/coredns: configurationValues is "null", neither a JSON nor a YAML object'],
      "an unknown key": [
        addon({ replicas: 2 }),
        `${IN}replicas is 2, which the version does not know (v1.13.2-eksbuild.31)`,
      ],
      "a text where a number belongs": [addon({ replicaCount: "2" }), `${IN}replicaCount is "2", which is no integer`],
      "a number where a text belongs": [
        addon({ resources: { limits: { cpu: 1 } } }),
        `${IN}resources.limits.cpu is 1, which is no string`,
      ],
      "an unknown key inside": [
        addon({ resources: { limit: {} } }),
        `${IN}resources.limit is {}, which the version does not know`,
      ],
      "autoscaling that an older version rejects": [
        addon({ autoScaling: { enabled: true } }, "v1.11.1-eksbuild.8"),
        `${IN}autoScaling is {"enabled":true}, which the version does not know (v1.11.1-eksbuild.8)`,
      ],
      "a disruption budget that an old version rejects": [
        addon({ podDisruptionBudget: {} }, "v1.8.7-eksbuild.2"),
        `${IN}podDisruptionBudget is {}, which the version does not know`,
      ],
      "autoscaling without enabled": [
        addon({ autoScaling: {} }),
        `${IN}autoScaling.enabled is not set, which the version wants`,
      ],
      "a key that is wrong in a list": [
        addon({ tolerations: ["NoSchedule"] }),
        `${IN}tolerations[0] is "NoSchedule", which is no object`,
      ],
      "too few replicas": [
        addon({ autoScaling: { enabled: true, minReplicas: 1 } }),
        `${IN}autoScaling.minReplicas is 1, which is less than 2`,
      ],
      "too many replicas": [
        addon({ autoScaling: { enabled: true, maxReplicas: 1001 } }),
        `${IN}autoScaling.maxReplicas is 1001, which is more than 1000`,
      ],
      "a share without %": [
        addon({ podDisruptionBudget: { maxUnavailable: "half" } }),
        `${IN}podDisruptionBudget.maxUnavailable is "half", which is of none of the forms`,
      ],
    },
    unknown: {
      "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET],
      "an unknown version": [
        first(addon({ replicaCount: 2 }), "addonVersion", UNKNOWN),
        "Addon/coredns: addonVersion is known only",
      ],
      "an unknown add-on": [first(addon({}), "addonName", UNKNOWN), "Addon/coredns: addonName is known only"],
    },
  },
  "coredns-replicas": {
    good: { ...GOOD, autoscaling: addon({ autoScaling: { enabled: true, minReplicas: 2, maxReplicas: 10 } }) },
    bad: {
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
    unknown: { "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET] },
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
      "an anti-affinity of nothing": [
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
        `${IN}affinity is {} and topologySpreadConstraints is [], so all pods may stand on one node`,
      ],
    },
    unknown: { "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET] },
  },
  "coredns-corefile-complete": {
    good: {
      ...GOOD,
      "the default of EKS": corefile(COREFILE),
      "a ConfigMap": configMap(COREFILE),
      "a ConfigMap that imports more, as k3s has it": configMap(`${COREFILE}import /etc/coredns/custom/*.server\n`),
      "plugins of a snippet": corefile(
        `(common) {\n  errors\n  import more\n}\n(more) {\n  loop\n}\n${COREFILE.replace("    errors\n", "    import common\n").replace("    loop\n", "")}`,
      ),
      "an unknown name of a ConfigMap without a Corefile": first(
        first(configMap("x"), "data", { "app.ini": "a=b" }),
        "metadata.name",
        UNKNOWN,
      ),
      "another ConfigMap": first(configMap("x {"), "metadata.name", "other"),
      "kubernetes in a zone of its own, comments, and a snippet": corefile(
        `(log) {\n  log\n}\n${COREFILE.replace("kubernetes cluster.local", "# kubernetes cluster.local").replace(/ {4}# kub[^}]*}\n/, "")}\ncluster.local:53 {\n  kubernetes\n}\n`,
      ),
    },
    bad: {
      "no errors": [
        lacking("errors"),
        `${IN}the Corefile, whose server block for . lacks the plugin errors. Fix: add the plugin`,
      ],
      "no ready": [lacking("ready"), `${IN}the Corefile, which lacks the plugin ready`],
      "no forward": [
        lacking("forward . /etc/resolv.conf"),
        `${IN}the Corefile, whose server block for . lacks the plugin forward`,
      ],
      "no cache": [lacking("cache 30"), `${IN}the Corefile, whose server block for . lacks the plugin cache`],
      "no loop": [lacking("loop"), `${IN}the Corefile, which lacks the plugin loop`],
      "no reload": [lacking("reload"), `${IN}the Corefile, which lacks the plugin reload`],
      "no health": [
        corefile(COREFILE.replace(/ {4}health {[^}]*}\n/, "")),
        `${IN}the Corefile, which lacks the plugin health`,
      ],
      "no kubernetes": [
        corefile(COREFILE.replace(/ {4}kubernetes [^}]*}\n/, "")),
        `${IN}the Corefile, which lacks the plugin kubernetes`,
      ],
      "a ConfigMap without loop": [
        configMap(COREFILE.replace("    loop\n", "")),
        "ConfigMap/kube-system/coredns: data.Corefile: the Corefile, which lacks the plugin loop",
      ],
      "a patch of the ConfigMap that EKS has made": [
        configMap(COREFILE.replace("    loop\n", "")).map((one) => ({ ...one, type: `${one.type}Patch` })),
        "ConfigMapPatch/kube-system/coredns: data.Corefile: the Corefile, which lacks the plugin loop",
      ],
      "a snippet that is not imported": [
        corefile(`(common) {\n  loop\n}\n${COREFILE.replace("    loop\n", "")}`),
        `${IN}the Corefile, which lacks the plugin loop`,
      ],
      "a snippet that imports itself": [
        corefile(`(common) {\n  import common\n}\n${COREFILE.replace("    loop\n", "    import common\n")}`),
        `${IN}the Corefile, which lacks the plugin loop`,
      ],
      "no block for all names": [
        corefile(COREFILE.replace(".:53", "cluster.local:53")),
        `${IN}the Corefile, which has no server block for the zone .. Fix: add a server block .:53`,
      ],
      "a brace too few": [corefile(".:53 {\n  errors\n"), `${IN}the Corefile, whose braces do not match`],
      "a brace too many": [corefile(`${COREFILE}}\n`), `${IN}the Corefile, whose braces do not match`],
    },
    unknown: {
      "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET],
      "the unknown name of a ConfigMap that has a Corefile": [
        first(configMap(COREFILE), "metadata.name", UNKNOWN),
        "ConfigMap/kube-system/corefile: metadata.name is known only",
      ],
      "an unknown ConfigMap": [configMap(UNKNOWN), "ConfigMap/kube-system/coredns: data.Corefile is known only"],
    },
  },
  "coredns-lameduck": {
    good: { ...GOOD, "20 seconds": corefile(COREFILE.replace("5s", "20s")) },
    bad: {
      "no lameduck": [
        corefile(COREFILE.replace("        lameduck 5s\n", "")),
        `${IN}lameduck is not set, so queries are lost when a pod stops. Fix: give the plugin health a block with the line lameduck 5s`,
      ],
      "0 seconds": [corefile(COREFILE.replace("5s", "0s")), `${IN}lameduck is 0s, so queries are lost`],
      "as long as the grace": [
        corefile(COREFILE.replace("5s", "30s")),
        `${IN}lameduck is 30s, and the pod is killed after 30 s`,
      ],
      "a block on one line, which CoreDNS refuses": [
        corefile(COREFILE.replace(/health {[^}]*}/, "health { lameduck 5s }")),
        `${IN}lameduck is not set`,
      ],
      "no unit": [corefile(COREFILE.replace("5s", "5")), `${IN}lameduck is 5, so queries are lost`],
      "longer by another unit": [corefile(COREFILE.replace("5s", "1m10s")), `${IN}lameduck is 1m10s, and the pod`],
    },
    unknown: { "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET] },
  },
  "coredns-memory": {
    good: {
      "the default on three nodes": [...addon({}), nodes(3)],
      "enough for 1,000 nodes": [...limit("170Mi"), nodes(1000)],
      "a cluster of another stack": addon({}),
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
          ...limit("170Mi", { corefile: COREFILE.replace("    loop", "    autopath @kubernetes\n    loop") }),
          nodes(300),
        ],
        `${IN}resources.limits.memory is 170Mi, and 300 nodes with 34000 pods and Services need 184Mi with autopath`,
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
        'Addon/coredns: resolveConflictsOnCreate is "PRESERVE", none of OVERWRITE, NONE. Fix: set resolveConflictsOnCreate',
      ],
      "no mode on create": [
        first(addon({}), "resolveConflictsOnCreate", undefined),
        "Addon/coredns: resolveConflictsOnCreate is not set",
      ],
      "another word on update": [
        first(addon({}), "resolveConflictsOnUpdate", "FORCE"),
        'Addon/coredns: resolveConflictsOnUpdate is "FORCE", none of OVERWRITE, PRESERVE, NONE',
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
