import { z } from "zod";
import { coreDnsPods } from "../kubernetes/labels.ts";
import { relation } from "../schema/errors.ts";
import {
  AnnotationKey,
  Bytes,
  Cores,
  Image,
  integer,
  isMore,
  LabelKey,
  LabelValueOrEmpty,
  NamespaceName,
  PortNumber,
  string,
} from "../schema/values.ts";
import { Address, CorefileSettings, Duration } from "./corefile-settings.ts";
import { Affinity, checkPodLabels, Toleration, TopologySpread } from "./pod-settings.ts";

const ObjectName = string(
  /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
  "the name of a Kubernetes object, such as coredns: lower-case letters, digits, '-' and '.'",
);

const Labels = z.record(LabelKey, LabelValueOrEmpty);

/** Labels that select pods; an empty set would select all. */
export const PodSelector = Labels.refine((labels) => Object.keys(labels).length > 0, "must have at least one label");

/** What this stack manages of a running CoreDNS that is not an EKS add-on. */
export const AdoptSettings = z.strictObject({
  manage: z
    .boolean()
    .default(true)
    .describe("Patch its Corefile and Deployment; false only says where it is. Default true."),
  namespace: NamespaceName.default("kube-system").describe("Namespace of its pods. Default kube-system."),
  configMap: ObjectName.default("coredns").describe("ConfigMap with the key Corefile. Default coredns."),
  deployment: ObjectName.optional().describe("Its Deployment. Default: only the Corefile is managed."),
  container: ObjectName.default("coredns").describe("CoreDNS's container. Default coredns."),
  selector: PodSelector.optional().describe(
    "Labels that select its pods, such as `k8s-app: coredns`. Default: `k8s-app: kube-dns`.",
  ),
  port: PortNumber.optional().describe("Its pods' port for queries, if not 53. Default: by the Corefile."),
  version: string(/^\d+\.\d+\.\d+$/, "a version of CoreDNS, such as 1.14.3")
    .optional()
    .describe("CoreDNS version to check the Corefile against. Default: 1.14.3, the newest that an add-on brings."),
  terminationGracePeriodSeconds: integer(0, 3600)
    .default(30)
    .describe("Seconds that its pods have to stop; longer than `lameduck`. Default 30."),
  force: z
    .boolean()
    .default(false)
    .describe("Take over fields that another tool manages, instead of reporting conflicts. Default false."),
});
export type AdoptSettings = z.infer<typeof AdoptSettings>;

/** Whether a stack manages CoreDNS's pods and Corefile. @param takesAddon Whether the cluster's CoreDNS is an add-on unless adopted. */
export function managesCoreDns(
  dns: { readonly adopt?: { readonly manage: boolean } | undefined } | undefined,
  takesAddon: boolean,
): boolean {
  return dns?.adopt?.manage ?? takesAddon;
}

/** NodeLocal DNSCache's link-local address, as Kubernetes suggests. */
const LOCAL_ADDRESS = "169.254.20.10";

/**
 * NodeLocal DNSCache.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export const NodeLocalCacheSettings = z.strictObject({
  mode: z
    .enum(["iptables", "kubelet"])
    .default("iptables")
    .describe(
      "`iptables` also answers on kube-dns's address, and needs clusterDns and kube-proxy in iptables mode; `kubelet` serves pods that name it. Default iptables.",
    ),
  address: Address.default(LOCAL_ADDRESS).describe(
    `Its address on each node, in 169.254.0.0/16 or fd00::/8. Default ${LOCAL_ADDRESS}.`,
  ),
  image: Image.default("registry.k8s.io/dns/k8s-dns-node-cache:1.26.8").describe(
    "Image of the cache. Default registry.k8s.io/dns/k8s-dns-node-cache:1.26.8.",
  ),
});
export type NodeLocalCacheSettings = z.infer<typeof NodeLocalCacheSettings>;

const SHARE = "must be an integer of at least 0, or a quoted percentage such as '50%'";
/** The add-on's. */
const DEFAULT_REQUESTS = { cpu: "100m", memory: "70Mi" };
const DEFAULT_LIMITS = { cpu: undefined, memory: "170Mi" };

const IntOrPercent = z.union([z.int(SHARE).min(0, SHARE), z.string(SHARE).regex(/^(100|[1-9]?\d)%$/, SHARE)], SHARE);

/**
 * CoreDNS: the EKS add-on's configuration and the Corefile. On an existing cluster, only the Corefile is used and rendered.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export const DnsSettings = z
  .strictObject({
    addonVersion: string(/^v\d+\.\d+\.\d+-eksbuild\.\d+$/, "a version of the add-on, such as v1.13.2-eksbuild.31")
      .optional()
      .describe("Version of the add-on. Default: by Kubernetes version."),
    replicas: integer(1, 1000).optional().describe("CoreDNS pods; excludes autoscaling. Default 2."),
    autoscaling: z
      .strictObject({
        minReplicas: integer(2, 1000).default(2).describe("Fewest pods, 2 to 1000. Default 2."),
        maxReplicas: integer(2, 1000).optional().describe("Most pods, 2 to 1000. Default: the add-on's."),
      })
      .optional()
      .describe("max(nodes/16, cores/256) pods. Default: off."),
    resources: z
      .strictObject({
        requests: z
          .strictObject({
            cpu: Cores.optional().describe("CPU. Default 100m."),
            memory: Bytes.optional().describe("Memory. Default 70Mi."),
          })
          .optional()
          .describe("Requests."),
        limits: z
          .strictObject({
            cpu: Cores.optional().describe("CPU limit. Default: none."),
            memory: Bytes.optional().describe("Memory limit. Default 170Mi, or by clusterSize."),
          })
          .optional()
          .describe("Limits."),
      })
      .optional()
      .describe("Resources per CoreDNS pod."),
    podDisruptionBudget: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Create the budget. Default true."),
        maxUnavailable: IntOrPercent.optional().describe(
          "Most pods that may be down, as number or percentage. Default 1.",
        ),
        minAvailable: IntOrPercent.optional().describe(
          "Fewest pods that must run, as number or percentage; excludes maxUnavailable.",
        ),
      })
      .optional()
      .describe("Pods that a drain may stop."),
    topologySpread: TopologySpread.optional().describe("`[]` removes the default, across zones if possible."),
    affinity: Affinity.optional().describe(
      "Merged with the add-on's (Linux nodes, separate hosts); `[]` removes a default.",
    ),
    nodeSelector: Labels.optional().describe("Node labels."),
    tolerations: z.array(Toleration).optional().describe("Replace the add-on's; `[]` removes them."),
    podLabels: Labels.optional().describe("Additional labels."),
    podAnnotations: z
      .record(AnnotationKey, z.string("must be a quoted string"))
      .optional()
      .describe("Additional annotations."),
    computeType: z.enum(["ec2", "Fargate"]).optional().describe("Only ec2 is supported. Default ec2."),
    topologyMode: z
      .enum(["Auto", "Disabled"])
      .optional()
      .describe("`Auto` prefers CoreDNS pods in the client's zone; requires add-on v1.12.3. Default Disabled."),
    corefile: CorefileSettings.prefault({}).describe("The Corefile."),
    clusterDns: z
      .array(Address)
      .min(1)
      .optional()
      .describe(
        "Addresses of kube-dns and an existing node cache: network policies allow them, and a Corefile must not forward to them.",
      ),
    clusterSize: z
      .strictObject({
        nodes: integer(1).describe("Nodes."),
        pods: integer(1).describe("Pods."),
        services: integer(1).describe("Services."),
        cores: integer(1).optional().describe("CPU cores. Default: 4 per node."),
      })
      .optional()
      .describe("Expected size; sets defaults of autoscaling, memory limit and cache."),
    conflicts: z
      .strictObject({
        onCreate: z
          .enum(["NONE", "OVERWRITE"], "must be NONE or OVERWRITE, since EKS accepts PRESERVE on an update only")
          .default("OVERWRITE")
          .describe("If CoreDNS already exists. Default OVERWRITE."),
        onUpdate: z
          .enum(["NONE", "OVERWRITE", "PRESERVE"])
          .default("OVERWRITE")
          .describe("If values were changed in the cluster. Default OVERWRITE."),
      })
      .prefault({})
      .describe("Conflict resolution of the add-on."),
    preserve: z
      .boolean()
      .optional()
      .describe(
        "Keep CoreDNS when the add-on is deleted, or what `adopt` manages. Default: true on an existing cluster, else false.",
      ),
    adopt: AdoptSettings.optional().describe(
      "Manage a running CoreDNS by server-side apply, not as an EKS add-on; on an existing cluster.",
    ),
    timeouts: z
      .strictObject({
        create: Duration.default("25m").describe("For its creation. Default 25m."),
        update: Duration.default("25m").describe("For an update. Default 25m."),
        delete: Duration.default("25m").describe("For its deletion. Default 25m."),
      })
      .prefault({})
      .describe("Timeouts of add-on operations; at least 20m, the limit of EKS."),
    nodeLocalCache: NodeLocalCacheSettings.optional().describe("NodeLocal DNSCache. Default: off."),
  })
  .superRefine((dns, context) => {
    const selector = dns.adopt === undefined ? undefined : coreDnsPods(dns).labels;
    checkPodLabels(dns.podLabels ?? {}, selector, context);
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
      // With clusterSize the limit grows automatically, and is never below the add-on's.
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
/** The settings as written, before defaults. */
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
