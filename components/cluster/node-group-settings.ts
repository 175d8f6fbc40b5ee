import { z } from "zod";

const INSTANCE_TYPE = /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/;
/** Graviton families have a `g` after their generation, such as t4g, m7gd, c7gn; a1 was the first. */
const GRAVITON = /^(a1|[a-z]+\d+g[a-z]*)\./;

/**
 * A managed node group.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
 */
export const NodeGroupSettings = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/, "up to 32 lower-case letters, digits and '-', starting with a letter")
      .describe("Name of the group in this stack."),
    architecture: z
      .enum(["arm64", "amd64"])
      .default("arm64")
      .describe("Processor of the nodes. Default arm64, which costs less."),
    instanceTypes: z
      .array(z.string().regex(INSTANCE_TYPE, "an EC2 instance type, such as t4g.medium"))
      .min(1, "at least one instance type")
      .default(["t4g.medium"])
      .describe(
        "Instance types, in order of preference; several make SPOT capacity easier to get. Default t4g.medium.",
      ),
    capacityType: z
      .enum(["ON_DEMAND", "SPOT"])
      .default("ON_DEMAND")
      .describe("SPOT is cheaper and may be taken back. Default ON_DEMAND."),
    minSize: z.int().min(0).max(450).default(2).describe("Fewest nodes. Default 2."),
    desiredSize: z
      .int()
      .min(0)
      .max(450)
      .default(2)
      .describe("Nodes at first; an autoscaler may change it later and keeps its say. Default 2."),
    maxSize: z.int().min(1).max(450).default(3).describe("Most nodes. Default 3."),
    diskSize: z
      .int()
      .min(20)
      .max(16_384)
      .default(20)
      .describe("Encrypted gp3 disk of each node, in GiB, from 20. Default 20."),
    labels: z
      .record(z.string(), z.string("text in quotes"))
      .default({})
      .describe("Kubernetes labels of the nodes. Default: none."),
  })
  .superRefine(
    (group, context) => {
      const add = (path: PropertyKey[], message: string, input: unknown) =>
        context.addIssue({ code: "custom", path, message, input });
      if (group.desiredSize < group.minSize)
        add(["desiredSize"], `at least minSize, ${group.minSize}`, group.desiredSize);
      if (group.desiredSize > group.maxSize)
        add(["desiredSize"], `at most maxSize, ${group.maxSize}`, group.desiredSize);
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
    // With other mistakes in the group as well: all are told together.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type NodeGroupSettings = z.infer<typeof NodeGroupSettings>;
