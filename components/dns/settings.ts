import { z } from "zod";
import { relation } from "../schema/errors.ts";
import { Bytes, Cores, integer, isMore, string } from "../schema/values.ts";
import { CorefileSettings } from "./corefile-settings.ts";
import { Address, Duration } from "./corefile-values.ts";
import { NodeLocalCacheSettings } from "./node-local-cache/settings.ts";

const SHARE = "must be an integer of at least 0, or a quoted percentage such as '50%'";
/** The add-on's own. */
const DEFAULT_REQUESTS = { cpu: "100m", memory: "70Mi" };
const DEFAULT_LIMITS = { cpu: undefined, memory: "170Mi" };

const IntOrPercent = z.union([z.int(SHARE).min(0, SHARE), z.string(SHARE).regex(/^(100|[1-9]?\d)%$/, SHARE)], SHARE);

const StringMap = z.record(z.string(), z.string("must be a quoted string"));

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
const Toleration = z
  .strictObject({
    key: z.string().optional().describe("Taint's key. Default: every key, with operator Exists."),
    operator: z.enum(["Exists", "Equal"]).optional().describe("Default Equal."),
    value: z.string().optional().describe("Taint's value, with operator Equal."),
    effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional().describe("Default: every effect."),
    tolerationSeconds: z.int().optional().describe("Seconds until eviction, with effect NoExecute. Default: never."),
  })
  .superRefine(({ key, operator, value, effect, tolerationSeconds }, context) => {
    if ((key ?? "") === "" && operator !== "Exists")
      relation(context, ["key", "operator"], "key is required unless operator is Exists, which matches every key");
    if (operator === "Exists" && value !== undefined)
      relation(context, ["operator", "value"], "value must not be set with operator Exists");
    if (tolerationSeconds !== undefined && effect !== "NoExecute")
      relation(context, ["tolerationSeconds", "effect"], "tolerationSeconds requires effect NoExecute");
  });

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
const SpreadConstraint = z.strictObject({
  maxSkew: integer(1).default(1).describe("Most pods that one place may have more than another. Default 1."),
  topologyKey: z
    .string()
    .default("topology.kubernetes.io/zone")
    .describe("Node label that makes a place. Default topology.kubernetes.io/zone."),
  whenUnsatisfiable: z
    .enum(["ScheduleAnyway", "DoNotSchedule"])
    .default("ScheduleAnyway")
    .describe("What happens where it cannot be kept. Default ScheduleAnyway."),
});

/**
 * CoreDNS: the EKS add-on's configuration and the Corefile. On an existing cluster only the Corefile is used, to render it.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export const DnsSettings = z
  .strictObject({
    addonVersion: string(/^v\d+\.\d+\.\d+-eksbuild\.\d+$/, "a version of the add-on, such as v1.13.2-eksbuild.31")
      .optional()
      .describe("Version of the EKS add-on `coredns`. Default: a fixed one for each Kubernetes version."),
    replicas: integer(1, 1000).optional().describe("CoreDNS pods. Default 2; not together with autoscaling."),
    autoscaling: z
      .strictObject({
        minReplicas: integer(2, 1000).default(2).describe("Fewest CoreDNS pods, 2 to 1000. Default 2."),
        maxReplicas: integer(2, 1000).optional().describe("Most CoreDNS pods, 2 to 1000. Default: the add-on's own."),
      })
      .optional()
      .describe("Let the add-on scale with nodes and cores: max(nodes / 16, cores / 256). Default: off."),
    resources: z
      .strictObject({
        requests: z
          .strictObject({
            cpu: Cores.optional().describe("CPU request. Default 100m."),
            memory: Bytes.optional().describe("Memory request. Default 70Mi."),
          })
          .optional()
          .describe("What a pod is sure to get."),
        limits: z
          .strictObject({
            cpu: Cores.optional().describe("CPU limit. Default: none."),
            memory: Bytes.optional().describe("Memory limit. Default 170Mi, or by clusterSize."),
          })
          .optional()
          .describe("What a pod gets at most."),
      })
      .optional()
      .describe("Resources of a CoreDNS pod."),
    podDisruptionBudget: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Default true."),
        maxUnavailable: IntOrPercent.optional().describe("Most pods that may be away. Default 1."),
        minAvailable: IntOrPercent.optional().describe("Fewest pods that must answer; instead of maxUnavailable."),
      })
      .optional()
      .describe("How many pods an eviction may take. Default: at most 1 away."),
    topologySpread: z
      .array(SpreadConstraint)
      .optional()
      .describe("How pods spread. Default: over zones where that can be done. An empty list takes the default away."),
    affinity: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        "A pod's affinity as Kubernetes writes it. EKS merges it with the add-on's own, Linux nodes and hosts apart: an empty list takes one of them away.",
      ),
    nodeSelector: StringMap.optional().describe("Labels of the nodes that may run it. Default: none."),
    tolerations: z.array(Toleration).optional().describe("Taints that it tolerates, instead of the add-on's own."),
    podLabels: StringMap.optional().describe("More labels of the pods. Default: none."),
    podAnnotations: StringMap.optional().describe("Annotations of the pods. Default: none."),
    computeType: z.enum(["ec2", "Fargate"]).optional().describe("`Fargate` where no node runs pods. Default ec2."),
    corefile: CorefileSettings.prefault({}).describe("What CoreDNS does. Default: the EKS default Corefile."),
    clusterDns: z
      .array(Address)
      .min(1)
      .optional()
      .describe(
        "Addresses that answer the pods' queries: of the Service kube-dns, and of a DNS cache on the nodes that this stack does not make. A Corefile that forwards to one is refused, and the teams' network policies let queries out to them. Default: EKS's own two, in Corefiles alone.",
      ),
    clusterSize: z
      .strictObject({
        nodes: integer(1).describe("Nodes."),
        pods: integer(1).describe("Pods of all namespaces."),
        services: integer(1).describe("Services of all namespaces."),
        cores: integer(1).optional().describe("Cores of all nodes together. Default 4 a node."),
      })
      .optional()
      .describe("How big the cluster gets: autoscaling, memory limit and cache follow from it where they are not set."),
    conflicts: z
      .strictObject({
        onCreate: z
          .enum(["NONE", "OVERWRITE"], "must be NONE or OVERWRITE, since EKS accepts PRESERVE on an update only")
          .default("OVERWRITE")
          .describe("What happens to a CoreDNS that is there already. Default OVERWRITE."),
        onUpdate: z
          .enum(["NONE", "OVERWRITE", "PRESERVE"])
          .default("OVERWRITE")
          .describe("What happens to what was changed in the cluster. Default OVERWRITE: these settings hold."),
      })
      .prefault({})
      .describe("Who wins where the add-on finds other values in the cluster."),
    timeouts: z
      .strictObject({
        create: Duration.default("25m").describe("Default 25m: EKS itself gives up after 20."),
        update: Duration.default("25m").describe("Default 25m."),
        delete: Duration.default("25m").describe("Default 25m."),
      })
      .prefault({})
      .describe("How long the add-on may take, from 20m."),
    nodeLocalCache: NodeLocalCacheSettings.optional().describe(
      "A DNS cache on every node before CoreDNS. Default: none.",
    ),
  })
  .superRefine((dns, context) => {
    if (dns.replicas !== undefined && dns.autoscaling !== undefined) {
      relation(context, ["replicas", "autoscaling"], "replicas and autoscaling are mutually exclusive");
    }
    const { minReplicas, maxReplicas } = dns.autoscaling ?? {};
    if (minReplicas !== undefined && maxReplicas !== undefined && maxReplicas < minReplicas) {
      const message = `minReplicas (${minReplicas}) must not exceed maxReplicas (${maxReplicas})`;
      relation(context, ["minReplicas", "maxReplicas"], message, ["autoscaling"]);
    }
    const [requests, limits] = [dns.resources?.requests, dns.resources?.limits];
    for (const [key, kind] of [
      ["cpu", Cores],
      ["memory", Bytes],
    ] as const) {
      // With clusterSize the limit grows by itself, never below the add-on's own.
      const limit = limits?.[key] ?? (dns.clusterSize === undefined ? DEFAULT_LIMITS[key] : undefined);
      const request = requests?.[key] ?? DEFAULT_REQUESTS[key];
      if (limit === undefined || !isMore(kind, request, limit)) continue;
      const message = `requests.${key} (${request}) must not exceed limits.${key} (${limit}), or Kubernetes refuses the pod`;
      relation(context, ["requests", "limits"], message, ["resources"]);
    }
    const budget = dns.podDisruptionBudget;
    if (budget?.maxUnavailable !== undefined && budget.minAvailable !== undefined) {
      const message = "maxUnavailable and minAvailable are mutually exclusive";
      relation(context, ["maxUnavailable", "minAvailable"], message, ["podDisruptionBudget"]);
    }
  });
export type DnsSettings = z.infer<typeof DnsSettings>;
/** The same as they are written, without the defaults. */
export type DnsOptions = Readonly<z.input<typeof DnsSettings>>;

/** One issue in the DNS settings. */
export interface DnsIssue {
  /** Path under `dns`. */
  readonly path: readonly (string | number)[];
  /** What is required: see `SettingsIssue`. */
  readonly message: string;
  readonly value?: unknown;
  /** @default "error" */
  readonly severity?: "error" | "warning";
}
