import { z } from "zod";
import { errorMap, issuesOf, relation } from "../schema/errors.ts";
import { integer, LabelKey, LabelValueOrEmpty, unique } from "../schema/values.ts";

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export const Toleration = z
  .strictObject({
    key: z
      .string()
      .refine((key) => key === "" || LabelKey.safeParse(key).success, "must be a label key, such as dedicated")
      .optional()
      .describe("Key of the taint. Default: all, with operator Exists."),
    operator: z.enum(["Exists", "Equal"]).optional().describe("How to compare the value. Default Equal."),
    value: LabelValueOrEmpty.optional().describe("Value of the taint, with operator Equal."),
    effect: z
      .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
      .optional()
      .describe("Effect of the taint. Default: all effects."),
    tolerationSeconds: z.int().optional().describe("Seconds until eviction, with NoExecute. Default: never."),
  })
  .superRefine(({ key, operator, value, effect, tolerationSeconds }, context) => {
    if ((key ?? "") === "" && operator !== "Exists")
      relation(context, ["key", "operator"], "key is required unless operator is Exists, which matches every key");
    if (operator === "Exists" && value !== undefined)
      relation(context, ["operator", "value"], "value must not be set with operator Exists");
    if (tolerationSeconds !== undefined && effect !== "NoExecute")
      relation(context, ["tolerationSeconds", "effect"], "tolerationSeconds requires effect NoExecute");
  });

/** Kubernetes rejects duplicates: "Duplicate value: {topologyKey, whenUnsatisfiable}". */
const UNIQUE_SPREAD =
  "must differ from the other constraints in topologyKey or whenUnsatisfiable, or Kubernetes refuses the pods";

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
export const TopologySpread = z
  .array(
    z.strictObject({
      maxSkew: integer(1).default(1).describe("Largest difference in pods between two values of the label. Default 1."),
      topologyKey: LabelKey.default("topology.kubernetes.io/zone").describe(
        "Node label. Default topology.kubernetes.io/zone.",
      ),
      whenUnsatisfiable: z
        .enum(["ScheduleAnyway", "DoNotSchedule"])
        .default("ScheduleAnyway")
        .describe("If the difference would be larger. Default ScheduleAnyway."),
    }),
  )
  .superRefine(
    unique(({ topologyKey, whenUnsatisfiable }) => `${topologyKey} ${whenUnsatisfiable}`, [], UNIQUE_SPREAD),
  );

const NO_VALUES = ["Exists", "DoesNotExist"];

/** Rejects values that do not fit a selector's operator. */
function checkValues({ operator, values = [] }: Requirement, context: z.RefinementCtx): void {
  const refuse = (message: string) => context.addIssue({ code: "custom", path: ["values"], message, input: values });
  if (NO_VALUES.includes(operator) && values.length > 0) refuse(`must be empty with operator ${operator}`);
  if (["In", "NotIn"].includes(operator) && values.length === 0) refuse(`must have a value with operator ${operator}`);
  if (["In", "NotIn"].includes(operator) && !values.every((value) => LabelValueOrEmpty.safeParse(value).success))
    refuse("must be label values: up to 63 letters, digits, '-', '_' and '.'");
  if (["Gt", "Lt"].includes(operator) && !/^[+-]?\d+$/.test(values.length === 1 ? (values[0] ?? "") : ""))
    refuse(`must be one quoted integer with operator ${operator}`);
}

interface Requirement {
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

const LABEL_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"];

function requirements(operators: readonly string[]) {
  const values = z.array(z.string("must be a quoted string")).optional();
  const requirement = z.strictObject({ key: LabelKey, operator: z.enum(operators), values });
  return z.array(requirement.superRefine(checkValues)).optional();
}

const NodeSelectorTerm = z.strictObject({
  matchExpressions: requirements([...LABEL_OPERATORS, "Gt", "Lt"]),
  matchFields: z
    .array(
      z.strictObject({
        key: z.literal("metadata.name"),
        operator: z.enum(["In", "NotIn"]),
        values: z.array(z.string()).length(1, "must be the name of one node"),
      }),
    )
    .optional(),
});

const LabelSelector = z.strictObject({
  matchLabels: z.record(LabelKey, LabelValueOrEmpty).optional(),
  matchExpressions: requirements(LABEL_OPERATORS),
});

const PodAffinityTerm = z.strictObject({
  labelSelector: LabelSelector.optional(),
  topologyKey: LabelKey,
  namespaces: z.array(z.string()).optional(),
  namespaceSelector: LabelSelector.optional(),
  matchLabelKeys: z.array(LabelKey).optional(),
  mismatchLabelKeys: z.array(LabelKey).optional(),
});

const Weight = integer(1, 100);

const PodAffinity = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z.array(PodAffinityTerm).nullish(),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(z.strictObject({ weight: Weight, podAffinityTerm: PodAffinityTerm }))
    .nullish(),
});

/** The API's Affinity. The add-on merges it with its own, so parts may be empty or null. */
const PodPlacement = z.strictObject({
  nodeAffinity: z
    .strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: z
        .strictObject({ nodeSelectorTerms: z.array(NodeSelectorTerm).min(1).optional() })
        .nullish(),
      preferredDuringSchedulingIgnoredDuringExecution: z
        .array(z.strictObject({ weight: Weight, preference: NodeSelectorTerm }))
        .nullish(),
    })
    .nullish(),
  podAffinity: PodAffinity.nullish(),
  podAntiAffinity: PodAffinity.nullish(),
});

/**
 * Pod affinity. The add-on's schema accepts any object, but EKS then fails with "The configuration values provided are invalid".
 * @see https://github.com/aws/containers-roadmap/issues/295
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/core/validation/validation.go validateAffinity
 */
export const Affinity = z.record(z.string(), z.unknown()).superRefine((affinity, context) => {
  const { error } = PodPlacement.safeParse(affinity, { error: errorMap });
  if (error === undefined) return;
  for (const { path, message, value } of issuesOf(error, affinity, []))
    context.addIssue({ code: "custom", path: [...path], message, input: value });
});

/** One label that a node must have, with any of the values, and the path of these below the DNS settings. */
interface RequiredLabel {
  readonly path: readonly (string | number)[];
  readonly key: string;
  readonly values: readonly string[];
}

/** Labels that nodes must have by a required node affinity; none if it has several terms, of which a node meets one. */
export function requiredNodes(affinity: z.infer<typeof Affinity> | undefined): RequiredLabel[] {
  const required = PodPlacement.safeParse(affinity).data?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const [term, ...others] = required?.nodeSelectorTerms ?? [];
  if (others.length > 0) return [];
  const path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms", 0];
  return (term?.matchExpressions ?? []).flatMap(({ key, operator, values = [] }, index) =>
    operator === "In" ? [{ path: [...path, "matchExpressions", index, "values"], key, values }] : [],
  );
}

/** Labels by which the add-on's Deployment selects its pods. */
const ADDON_LABELS = { "k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns" };

/** Rejects labels that contradict the Deployment's selector, which is immutable. */
export function checkPodLabels(
  podLabels: Readonly<Record<string, string>>,
  /** Pod labels of a CoreDNS that is not an add-on. */
  selector: Readonly<Record<string, string>> | undefined,
  context: z.RefinementCtx,
): void {
  for (const [key, value] of Object.entries(selector ?? ADDON_LABELS)) {
    const given = podLabels[key];
    if (given === undefined || given === value) continue;
    const message = `must be ${value}, by which the Deployment of CoreDNS selects its pods`;
    context.addIssue({ code: "custom", path: ["podLabels", key], message, input: given });
  }
}
