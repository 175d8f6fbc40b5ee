import { createRequire } from "node:module";
import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import { policiesOf } from "../../policies/engine/policies.ts";
import { STANDING_EXEMPTIONS } from "../../policies/exemptions.ts";
import { RULES } from "../../policies/rules/index.ts";

/** What the engine writes for a text that it does not know yet. */
export const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface Given {
  readonly type: string;
  readonly name: string;
  readonly props: object;
  /** What the engine shows at the end, where that is not the inputs. */
  readonly outputs?: object;
  /** Names of what it waits for, or URNs where they are given. */
  readonly dependsOn?: readonly string[];
  /** Default: made of type and name. */
  readonly urn?: string;
  /** Inputs of its provider. */
  readonly provider?: object;
}

export type Said = readonly [rule: string, message: string, urn: string | undefined];

const OPTIONS: ResourceValidationArgs["opts"] = {
  protect: false,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
};

export const urnOf = (type: string, name: string, project = "shop") => `urn:pulumi:dev::${project}::${type}::${name}`;
const noMore = () => {
  throw new Error("not applicable");
};

/** The proxy by which @pulumi/policy shows inputs: reading an unknown value throws. */
function proxied(props: object): Record<string, unknown> {
  const { unknownCheckingProxy }: { unknownCheckingProxy: (props: object) => Record<string, unknown> } = createRequire(
    import.meta.url,
  )("@pulumi/policy/proxy.js");
  return unknownCheckingProxy(props);
}

/** Runs the pack as the engine does: each resource by itself, and the stack at the end. */
export async function runPack(
  given: readonly Given[],
  config: Readonly<Record<string, object>> = {},
  project = "shop",
  stackTags = new Map<string, string>(),
) {
  const said: Said[] = [];
  const policies = policiesOf(RULES, STANDING_EXEMPTIONS);
  const shared = { stackTags, opts: OPTIONS, notApplicable: noMore };
  const base = ({ type, name, props, urn = urnOf(type, name, project), provider = {} }: Given) => ({
    type,
    name,
    urn,
    provider: { type: "pulumi:providers:any", name: "provider", urn: "", props: proxied(provider) },
    props: proxied(props),
    isType: () => false,
    asType: () => undefined,
  });
  for (const policy of policies) {
    const getConfig = <T extends object>(): T => JSON.parse(JSON.stringify(config[policy.name] ?? {}));
    const report = (message: string, urn?: string) => said.push([policy.name, message, urn]);
    if (!("validateResource" in policy) || typeof policy.validateResource !== "function") continue;
    for (const one of given) await policy.validateResource({ ...base(one), ...shared, getConfig }, report);
  }
  const all = given.map(
    (one): PolicyResource => ({
      ...base(one),
      props: proxied(one.outputs ?? one.props),
      opts: OPTIONS,
      dependencies: [],
      propertyDependencies: {},
    }),
  );
  for (const [index, { dependsOn = [] }] of given.entries())
    all[index]?.dependencies.push(
      ...all.filter(({ name, urn }) => dependsOn.includes(name) || dependsOn.includes(urn)),
    );
  for (const policy of policies) {
    const getConfig = <T extends object>(): T => JSON.parse(JSON.stringify(config[policy.name] ?? {}));
    const report = (message: string, urn?: string) => said.push([policy.name, message, urn]);
    if ("validateStack" in policy) await policy.validateStack({ ...shared, resources: all, getConfig }, report);
  }
  return said;
}
