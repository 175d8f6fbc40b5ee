import { z } from "zod";

/** JSON as `lab plan --json` prints it. */
export type Json = z.infer<ReturnType<typeof z.json>>;

/** A resource of a plan. Fields that older revisions do not print have defaults. */
const PlannedResourceDocument = z.object({
  urn: z.string(),
  type: z.string(),
  name: z.string(),
  custom: z.boolean().default(true),
  inputs: z.record(z.string(), z.json()),
  secrets: z.array(z.string()).default([]),
  unknowns: z.array(z.string()).default([]),
  parent: z.string().default(""),
  dependencies: z.array(z.string()).default([]),
  provider: z.string().default(""),
  protect: z.boolean().default(false),
  retainOnDelete: z.boolean().default(false),
  deleteBeforeReplace: z.boolean().default(false),
  ignoreChanges: z.array(z.string()).default([]),
  formerUrns: z.array(z.string()).default([]),
});
export type PlannedResourceDocument = z.infer<typeof PlannedResourceDocument>;

/** The finding of one policy rule about one resource. */
const PolicyFinding = z.object({
  rule: z.string(),
  level: z.enum(["mandatory", "advisory", "disabled"]),
  /** `undecided`: the rule met a value known only after deployment. `exempt`: allowed by name, with a reason. */
  outcome: z.enum(["violated", "undecided", "exempt"]),
  urn: z.string().default(""),
  message: z.string(),
});
export type PolicyFinding = z.infer<typeof PolicyFinding>;

/** The result of a policy run. Its issues are errors in the configuration, such as an exemption without a reason. */
const PolicyRun = z.object({ findings: z.array(PolicyFinding), issues: z.array(z.string()).default([]) });
export type PolicyRun = z.infer<typeof PolicyRun>;

/** The plan of a stack at a revision. `policies` is absent if that revision runs none. */
export const PlanDocument = z.object({
  stack: z.string(),
  resources: z.array(PlannedResourceDocument),
  outputs: z.record(z.string(), z.json()).default({}),
  policies: PolicyRun.optional(),
});
export type PlanDocument = z.infer<typeof PlanDocument>;

/** Placeholders that a plan prints for a secret and for a value known only after deployment. */
export const SECRET = "[secret]";
export const UNKNOWN_TEXT = "(known after deployment)";

/** The plan of a revision without the stack. */
export function emptyPlan(stack: string): PlanDocument {
  return { stack, resources: [], outputs: {} };
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/**
 * Rewrites URNs to the engine's form, with the types of all parents except the stack's. Older revisions print only the nearest parent's
 * type.
 */
export function withEngineUrns(plan: PlanDocument): PlanDocument {
  const byUrn = new Map(plan.resources.map((resource) => [resource.urn, resource]));
  const urns = new Map<string, string>();
  const urnOf = (urn: string): string => {
    const found = urns.get(urn);
    const resource = byUrn.get(urn);
    if (found !== undefined || resource === undefined || resource.parent === "") return found ?? urn;
    const [head, project] = urn.split("::");
    const parents = urnOf(resource.parent).split("::")[2] ?? "";
    const type = parents === STACK_TYPE ? resource.type : `${parents}$${resource.type}`;
    const full = [head, project, type, resource.name].join("::");
    urns.set(urn, full);
    return full;
  };
  const providerOf = (provider: string) => {
    const end = provider.lastIndexOf("::");
    return end < 0 ? provider : urnOf(provider.slice(0, end)) + provider.slice(end);
  };
  const resources = plan.resources.map((resource) => ({
    ...resource,
    urn: urnOf(resource.urn),
    parent: urnOf(resource.parent),
    dependencies: resource.dependencies.map(urnOf),
    provider: providerOf(resource.provider),
  }));
  if (plan.policies === undefined) return { ...plan, resources };
  const findings = plan.policies.findings.map((finding) => ({ ...finding, urn: urnOf(finding.urn) }));
  return { ...plan, resources, policies: { ...plan.policies, findings } };
}

export function isGroup(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, or undefined. */
export function valueAt(value: Json | undefined, ...keys: readonly string[]): Json | undefined {
  return keys.reduce<Json | undefined>((inner, key) => (isGroup(inner) ? inner[key] : undefined), value);
}

/** Name of a resource outside Pulumi: `ts-team/curl-ts`, `eks-dns-logging-dev`. Its Pulumi name if it has no other. */
export function outsideName(resource: PlannedResourceDocument): string {
  const { metadata } = resource.inputs;
  if (isGroup(metadata)) {
    return [metadata.namespace, metadata.name].filter((part) => typeof part === "string").join("/") || resource.name;
  }
  const names = ["name", "bucket", "nodeGroupName", "addonName"].map((key) => resource.inputs[key]);
  return names.find((name): name is string => typeof name === "string" && name !== UNKNOWN_TEXT) ?? resource.name;
}
