import { z } from "zod";
import { unique } from "../schema/unique.ts";
import { amount, Bytes, isMore, text, whole } from "../schema/values.ts";

const INSTANCE_TYPE = /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/;
/** Graviton families have a `g` after their generation, such as t4g, m7gd, c7gn; a1 was the first. */
const GRAVITON = /^(a1|[a-z]+\d+g[a-z]*)\./;

/**
 * EKS takes shorter keys than Kubernetes, and no label without a value.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
 */
const LabelKey = z
  .string()
  .max(63, "a key of at most 63 characters")
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
    "a label key, such as workload or example.com/workload",
  );
const LabelValue = z
  .string("text in quotes")
  .regex(/^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/, "1 to 63 letters, digits, '-', '_' and '.'");

/** @see https://docs.aws.amazon.com/eks/latest/userguide/node-taints-managed-node-groups.html */
const Taint = z.strictObject({
  key: LabelKey.describe("Taint's key."),
  value: z
    .union([LabelValue, z.literal("")], "text in quotes: up to 63 letters, digits, '-', '_' and '.'")
    .default("")
    .describe("Taint's value. Default: none."),
  effect: z
    .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
    .describe("What happens to pods that do not tolerate it."),
});

const GIB = 2 ** 30;
/** What the kubelet does by itself. */
const KUBELET = { maxSize: "10Mi", maxFiles: 5 };

/** @see https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation */
const ContainerLogs = z.strictObject({
  maxSize: Bytes.refine((size) => !isMore(Bytes, "1Mi", size), "at least 1Mi")
    .optional()
    .describe(`Size at which the kubelet rotates a container's log. Default: its own, ${KUBELET.maxSize}.`),
  maxFiles: whole(2, 100)
    .optional()
    .describe(`Files that it keeps of a container, the current one among them. Default: its own, ${KUBELET.maxFiles}.`),
});

/**
 * A managed node group. Other instance types, another architecture or capacity type make new nodes before the old ones go;
 * a bigger disk, other logs and other sizes change the group where it stands.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
 */
export const NodeGroupSettings = z
  .strictObject({
    name: text(
      /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/,
      "up to 32 lower-case letters, digits and '-', starting with a letter",
    ).describe("Name of the group in this stack."),
    architecture: z
      .enum(["arm64", "amd64"])
      .default("arm64")
      .describe("Processor of the nodes. Default arm64, which costs less."),
    instanceTypes: z
      .array(text(INSTANCE_TYPE, "an EC2 instance type, such as t4g.medium"))
      .min(1, "at least one instance type")
      .max(20, "20 instance types at most")
      .superRefine(unique("each instance type once"))
      .default(["t4g.medium"])
      .describe(
        "Instance types, in order of preference; several make SPOT capacity easier to get. Default t4g.medium.",
      ),
    capacityType: z
      .enum(["ON_DEMAND", "SPOT"])
      .default("ON_DEMAND")
      .describe("SPOT is cheaper and may be taken back. Default ON_DEMAND."),
    minSize: whole(0, 450).default(2).describe("Fewest nodes. Default 2."),
    desiredSize: whole(0, 450)
      .optional()
      .describe(
        "Nodes that each `pulumi up` brings back. Default: minSize at first, then what an autoscaler makes of it.",
      ),
    maxSize: whole(1, 450).default(3).describe("Most nodes. Default 3."),
    diskSize: whole(20, 16_384).default(20).describe("Encrypted gp3 disk of each node, in GiB, from 20. Default 20."),
    containerLogs: ContainerLogs.default({}).describe(
      "What a node keeps of a container's log. What is not compressed yet outlives a collector that stands still, so larger files give it more time. A change replaces the nodes, one after another. Default: as the kubelet has it.",
    ),
    labels: z.record(LabelKey, LabelValue).default({}).describe("Kubernetes labels of the nodes. Default: none."),
    taints: z.array(Taint).default([]).describe("Taints of the nodes, which keep other pods away. Default: none."),
  })
  .superRefine(
    (group, context) => {
      const add = (path: PropertyKey[], message: string, input: unknown) =>
        context.addIssue({ code: "custom", path, message, input });
      const { minSize, maxSize, desiredSize = minSize } = group;
      if (minSize > maxSize) add(["minSize"], `at most maxSize, ${maxSize}`, minSize);
      else if (desiredSize < minSize) add(["desiredSize"], `at least minSize, ${minSize}`, desiredSize);
      else if (desiredSize > maxSize) add(["desiredSize"], `at most maxSize, ${maxSize}`, desiredSize);
      const logs = { ...KUBELET, ...ContainerLogs.safeParse(group.containerLogs).data };
      if (amount(logs.maxSize) * logs.maxFiles > group.diskSize * GIB) {
        const found = `${logs.maxFiles} files of ${logs.maxSize}`;
        add(["containerLogs"], `together at most diskSize, ${group.diskSize}Gi`, found);
      }
      for (const [index, type] of Array.isArray(group.instanceTypes) ? group.instanceTypes.entries() : []) {
        if (
          typeof type !== "string" ||
          !INSTANCE_TYPE.test(type) ||
          GRAVITON.test(type) === (group.architecture === "arm64")
        )
          continue;
        const example = group.architecture === "arm64" ? "t4g.medium" : "t3.medium";
        add(["instanceTypes", index], `an instance type for ${group.architecture}, such as ${example}`, type);
      }
    },
    // With other issues in the group as well: all are told together.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type NodeGroupSettings = z.infer<typeof NodeGroupSettings>;

/** CoreDNS waits for a node that takes it: without one its add-on fails after 20 minutes. */
const TAINTED = "at least one group without NoSchedule and NoExecute taints, for CoreDNS and the lab's pods";

export const NodeGroups = z
  .array(NodeGroupSettings)
  .min(1, "at least one node group")
  .superRefine(unique("a name that no other node group has", (group) => group.name, ["name"]))
  .refine(
    (groups) =>
      groups.length === 0 || groups.some((group) => group.taints.every(({ effect }) => effect === "PreferNoSchedule")),
    TAINTED,
  );
