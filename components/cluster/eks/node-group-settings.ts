import { stringify } from "yaml";
import { z } from "zod";
import { relation } from "../../schema/errors.ts";
import { amount, Bytes, integer, isMore, LABEL_KEY, LabelValueOrEmpty, string, unique } from "../../schema/values.ts";

/** An EC2 family and size, such as `t4g.medium`, `m7i.metal-24xl` or `u-6tb1.112xlarge`. */
const INSTANCE_TYPE = /^[a-z][a-z0-9-]*\.(nano|micro|small|medium|(\d*x)?large|metal(-\d+xl)?)$/;
/** Graviton families have a `g` after their generation, such as t4g, m7gd, c7gn; GB200 instances are Arm-based too. */
const GRAVITON = /^([a-z]+\d+g[a-z]*|p\d+e?-gb\d+)\./;
/**
 * Families that EKS's Amazon Linux 2023 AMIs do not support.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
 */
const WITHOUT_IMAGE = /^(a1|mac[\w-]*)\./;

/** Families with accelerators, and the drivers they need. @see https://docs.aws.amazon.com/eks/latest/userguide/ml-eks-optimized-ami.html */
const ACCELERATED: readonly (readonly [drivers: "NVIDIA" | "NEURON" | "none", families: RegExp])[] = [
  ["none", /^(g2|g3s?|g4ad|p2|dl\d[a-z]*|vt\d|f\d[a-z]*)\./],
  ["NVIDIA", /^(g\d|gr\d|p\d)/],
  ["NEURON", /^(inf\d|trn\d)/],
];

/** Drivers that an instance type needs in its AMI; undefined if none, `none` if no EKS AMI has them. */
function driversFor(type: string): "NVIDIA" | "NEURON" | "none" | undefined {
  return ACCELERATED.find(([, families]) => families.test(type))?.[0];
}

/** The EKS-optimized Amazon Linux 2023 AMI with the drivers that the group's instances need. */
export function amiTypeOf({
  architecture,
  instanceTypes,
}: Pick<NodeGroupSettings, "architecture" | "instanceTypes">): string {
  const [type = ""] = instanceTypes;
  const drivers = driversFor(type);
  const image = drivers === "NVIDIA" || drivers === "NEURON" ? drivers : "STANDARD";
  return `AL2023_${architecture === "arm64" ? "ARM_64" : "x86_64"}_${image}`;
}

/**
 * EKS allows shorter keys than Kubernetes, and no label without a value.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
 */
const LabelKey = z
  .string()
  .max(63, "must have at most 63 characters")
  .regex(LABEL_KEY, "must be a label key, such as workload or example.com/workload");
/** Labels of kubernetes.io and k8s.io that a kubelet may set on its node. */
const KUBELET_LABEL =
  /^(kubernetes\.io\/(hostname|os|arch)|beta\.kubernetes\.io\/(os|arch|instance-type)|(topology|failure-domain\.beta)\.kubernetes\.io\/(zone|region)|([^/]+\.)?(kubelet|node)\.kubernetes\.io\/.*)$/;
const RESERVED_LABEL = /^(([^/]+\.)?(kubernetes|k8s)\.io|eks\.amazonaws\.com)\//;

/**
 * EKS or the kubelet rejects all other labels of Kubernetes and EKS, so that no node joins the cluster.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 * @see https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go
 */
const NodeLabelKey = LabelKey.refine(
  (key) => KUBELET_LABEL.test(key) || !RESERVED_LABEL.test(key),
  "must not be a label of kubernetes.io, k8s.io or eks.amazonaws.com, except those of node.kubernetes.io/ and kubelet.kubernetes.io/, or no node joins the cluster",
);
const LabelValue = z
  .string("must be a quoted string")
  .regex(
    /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
    "must be 1 to 63 letters, digits, '-', '_' and '.', starting and ending with a letter or digit",
  );

export const NodeLabels = z.record(NodeLabelKey, LabelValue);

/** @see https://docs.aws.amazon.com/eks/latest/userguide/node-taints-managed-node-groups.html */
const Taint = z.strictObject({
  key: LabelKey.describe("Key."),
  value: LabelValueOrEmpty.default("").describe("Value."),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).describe("Effect."),
});

/** Kubernetes rejects duplicates: "taints must be unique by key and effect pair". */
const UNIQUE_TAINT = "must differ from the other taints in key or effect, or no node joins the cluster";

/** @see https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html */
const MAX_TAINTS = 50;

/** Largest gp3 disk in GiB. @see https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html */
const MAX_DISK = 65_536;
const GIB = 2 ** 30;
/** Defaults of the kubelet. */
const KUBELET = { maxSize: "10Mi", maxFiles: 5 };

/** @see https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation */
const ContainerLogs = z.strictObject({
  maxSize: Bytes.refine((size) => !isMore(Bytes, "1Mi", size), "must be at least 1Mi")
    .optional()
    .describe(`Size at rotation, at least 1Mi. Default ${KUBELET.maxSize}.`),
  maxFiles: integer(2, 100)
    .optional()
    .describe(`Files, including the current one, 2 to 100. Default ${KUBELET.maxFiles}.`),
});

/**
 * A managed node group. New instance types, another architecture or capacity type create new nodes before the old ones stop; disk size, log
 * and size settings change the group in place.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
 */
export const NodeGroupSettings = z
  .strictObject({
    name: string(
      /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/,
      "up to 32 lower-case letters, digits and '-', starting with a letter",
    ).describe("Unique name."),
    architecture: z.enum(["arm64", "amd64"]).default("arm64").describe("Processor of the nodes. Default arm64."),
    instanceTypes: z
      .array(string(INSTANCE_TYPE, "an EC2 instance type, such as t4g.medium"))
      .min(1)
      .max(20)
      .superRefine(unique())
      .default(["t4g.medium"])
      .describe("EC2 types, in order of preference. Default t4g.medium."),
    capacityType: z
      .enum(["ON_DEMAND", "SPOT"])
      .default("ON_DEMAND")
      .describe("SPOT nodes can be interrupted. Default ON_DEMAND."),
    minSize: integer(0, 450).default(2).describe("Fewest nodes. Default 2."),
    desiredSize: integer(0, 450)
      .optional()
      .describe("Nodes, reset by each `pulumi up`. Default: minSize at first, then an autoscaler decides."),
    maxSize: integer(1, 450).default(3).describe("Most nodes. Default 3."),
    diskSize: integer(20, MAX_DISK).default(20).describe("Encrypted gp3 disk in GiB, at least 20. Default 20."),
    containerLogs: ContainerLogs.default({}).describe(
      "Log files per container; larger ones give a stopped collector more time. A change replaces the nodes one by one.",
    ),
    labels: NodeLabels.default({}).describe("Node labels."),
    taints: z
      .array(Taint)
      .max(MAX_TAINTS, `must have at most ${MAX_TAINTS} taints, EKS's limit for a node group`)
      .superRefine(unique(({ key, effect }) => `${key} ${effect}`, [], UNIQUE_TAINT))
      .default([])
      .describe("Node taints."),
  })
  .superRefine(
    (group, context) => {
      const add = (path: PropertyKey[], message: string, input: unknown) =>
        context.addIssue({ code: "custom", path, message, input });
      const { minSize, maxSize, desiredSize = minSize } = group;
      const compare = (lower: "minSize" | "desiredSize", upper: "desiredSize" | "maxSize") => {
        const sizes = { minSize, desiredSize, maxSize };
        // Sizes that are not numbers are reported elsewhere.
        if (!(sizes[lower] > sizes[upper])) return true;
        relation(context, [lower, upper], `${lower} (${sizes[lower]}) must not exceed ${upper} (${sizes[upper]})`);
        return false;
      };
      // One wrong size is reported once, although it may contradict both others.
      if (compare("minSize", "maxSize")) compare("minSize", "desiredSize") && compare("desiredSize", "maxSize");
      const logs = { ...KUBELET, ...ContainerLogs.safeParse(group.containerLogs).data };
      if (amount(logs.maxSize) * logs.maxFiles > group.diskSize * GIB) {
        const message = `containerLogs (${logs.maxFiles} files of ${logs.maxSize}) must fit on the node's disk, diskSize (${group.diskSize}Gi)`;
        relation(context, ["containerLogs", "diskSize"], message);
      }
      for (const [index, type] of Array.isArray(group.instanceTypes) ? group.instanceTypes.entries() : []) {
        if (typeof type !== "string" || !INSTANCE_TYPE.test(type)) continue;
        const message = typeMessage(type, group.architecture);
        if (message !== undefined) add(["instanceTypes", index], message, type);
      }
      checkDrivers(group.instanceTypes, context);
    },
    // Runs even if the group has other issues, so that all are reported together.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type NodeGroupSettings = z.infer<typeof NodeGroupSettings>;

function typeMessage(type: string, architecture: "arm64" | "amd64"): string | undefined {
  if (WITHOUT_IMAGE.test(type))
    return "must be an instance type that EKS's Amazon Linux 2023 AMIs support, so neither Mac nor a1";
  if (GRAVITON.test(type) === (architecture === "arm64")) return undefined;
  const example = architecture === "arm64" ? "t4g.medium" : "t3.medium";
  return `must be an instance type for architecture ${architecture}, such as ${example}`;
}

/** A node group has one AMI, so all its instance types must need the same drivers. */
function checkDrivers(instanceTypes: unknown, context: z.RefinementCtx): void {
  const types = Array.isArray(instanceTypes) ? instanceTypes.filter((type) => typeof type === "string") : [];
  for (const [index, type] of types.entries()) {
    if (driversFor(type) !== "none") continue;
    const message =
      "must be an instance type whose drivers an EKS-optimized AMI has: NVIDIA GPUs from P3 and G4dn on, Inferentia or Trainium";
    context.addIssue({ code: "custom", path: ["instanceTypes", index], message, input: type });
  }
  if (new Set(types.map(driversFor)).size > 1)
    relation(
      context,
      ["instanceTypes"],
      "instanceTypes must need the same drivers (NVIDIA, Neuron or none), since a node group has one AMI",
    );
}

export const NodeGroups = z
  .array(NodeGroupSettings)
  .min(1)
  .superRefine(unique((group) => group.name, ["name"]));

const BOUNDARY = "node-config";

/**
 * User data of an Amazon Linux 2023 node, which nodeadm merges with EKS's own. Not encoded.
 * @returns undefined if the settings need none, which leaves the launch template unchanged.
 * @see https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/
 * @see https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-user-data
 */
export function nodeUserData({ containerLogs }: Pick<NodeGroupSettings, "containerLogs">): string | undefined {
  const { maxSize, maxFiles } = containerLogs;
  const config = {
    ...(maxSize === undefined ? {} : { containerLogMaxSize: maxSize }),
    ...(maxFiles === undefined ? {} : { containerLogMaxFiles: maxFiles }),
  };
  if (Object.keys(config).length === 0) return undefined;
  const nodeConfig = { apiVersion: "node.eks.aws/v1alpha1", kind: "NodeConfig", spec: { kubelet: { config } } };
  // Managed node groups only accept MIME multipart.
  return [
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}"`,
    "",
    `--${BOUNDARY}`,
    "Content-Type: application/node.eks.aws",
    "",
    `${stringify(nodeConfig)}--${BOUNDARY}--`,
    "",
  ].join("\n");
}

/** Upper bounds of a node's capacity. Its own programs use some of it, so pods get less. */
interface InstanceCapacity {
  /** Cores; infinite if the instance type's name does not show them. */
  readonly cpu: number;
  /** Bytes of memory; infinite if the instance type's name does not show them. */
  readonly memory: number;
}

/** GiB of memory by size, the same for the families T2, T3, T3a and T4g. */
const BURSTABLE: Readonly<Record<string, number>> = {
  nano: 0.5,
  micro: 1,
  small: 2,
  medium: 4,
  large: 8,
  xlarge: 16,
  "2xlarge": 32,
};

/**
 * The maximum capacity by an instance type's name: except in family c1, no `large` has more than two cores, no `4xlarge` more than 16.
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
 */
function capacityOf(type: string): InstanceCapacity {
  const [family = "", size = ""] = type.split(".");
  const gibibytes = /^t(2|3a?|4g)$/.test(family) ? BURSTABLE[size] : undefined;
  const cpu = family === "c1" ? Number.POSITIVE_INFINITY : coresOf(size);
  return { cpu, memory: gibibytes === undefined ? Number.POSITIVE_INFINITY : gibibytes * 2 ** 30 };
}

function coresOf(size: string): number {
  if (/^(nano|micro|small|medium|large)$/.test(size)) return 2;
  const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
  return times === undefined ? Number.POSITIVE_INFINITY : 4 * Number(times || 1);
}

/**
 * Finds the capacity that a pod's request exceeds on all of these instance types.
 * @returns such as `2 cores of t4g.medium`; undefined if the request may fit one of them.
 */
export function exceededCapacity(
  types: readonly string[],
  key: keyof InstanceCapacity,
  request: string | undefined,
): string | undefined {
  const largest = Math.max(...types.map((type) => capacityOf(type)[key]));
  if (request === undefined || amount(request) < largest) return undefined;
  return `${key === "cpu" ? `${largest} cores` : `${largest / 2 ** 30} GiB`} of ${types.join(" or ")}`;
}
