import { createRequire } from "node:module";
import { type PolicyResource, type ReportViolation, type ResourceValidationArgs, Secret } from "@pulumi/policy";
import { policiesOf } from "../../policies/engine/policies.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "../../policies/pack.ts";

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
  /** Top-level inputs that are secret. */
  readonly secrets?: readonly string[];
  /** Names or URNs of what an input waits for. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

/** The engine shows the stack itself first. */
const ROOT: Given = { type: "pulumi:pulumi:Stack", name: "shop-dev", props: {} };

/** The inputs as a remediation is given them. */
function withSecrets({ props, secrets = [] }: Given): Record<string, unknown> {
  const wrapped = Object.entries(props).map(([key, value]) => [key, secrets.includes(key) ? new Secret(value) : value]);
  const { secretsPreservingProxy }: { secretsPreservingProxy: (props: object) => object } = createRequire(
    import.meta.url,
  )("@pulumi/policy/secret.js");
  return proxied(secretsPreservingProxy(Object.fromEntries(wrapped)));
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
  onCalls: (calls: readonly string[]) => void = () => undefined,
  withoutRemediations = false,
) {
  const said: Said[] = [];
  const calls: string[] = [];
  const policies = policiesOf(RULES, BUILT_IN_EXEMPTIONS);
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
  // As @pulumi/policy does: each resource by every policy, secrets first, beginning with the stack itself.
  for (const one of [ROOT, ...given]) {
    for (const policy of policies) {
      const getConfig = <T extends object>(): T => JSON.parse(JSON.stringify(config[policy.name] ?? {}));
      const report = (message: string, urn?: string) => said.push([policy.name, message, urn ?? base(one).urn]);
      if (!withoutRemediations && "remediateResource" in policy && typeof policy.remediateResource === "function")
        await policy.remediateResource({ ...base(one), ...shared, getConfig, props: withSecrets(one) });
      const validate = "validateResource" in policy ? policy.validateResource : undefined;
      for (const check of [validate ?? []].flat()) {
        calls.push(policy.name);
        await check({ ...base(one), ...shared, getConfig }, report);
      }
    }
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
  for (const [index, { propertyDependencies = {} }] of given.entries())
    for (const [key, names] of Object.entries(propertyDependencies)) {
      const from = all.filter(({ name, urn }) => names.includes(name) || names.includes(urn));
      Object.assign(all[index]?.propertyDependencies ?? {}, { [key]: from });
    }
  for (const policy of policies) {
    const getConfig = <T extends object>(): T => JSON.parse(JSON.stringify(config[policy.name] ?? {}));
    const report: ReportViolation = (given: string | { message: string; urn?: string }, urn?: string) => {
      // A violation with a level of its own says all of its text, which begins with the description.
      if (typeof given === "string") said.push([policy.name, given, urn]);
      else said.push([policy.name, given.message.replace(`${policy.description}\n`, ""), given.urn]);
    };
    const validate = "validateStack" in policy ? policy.validateStack : undefined;
    if (typeof validate !== "function") continue;
    calls.push(`${policy.name} on the stack`);
    await validate({ ...shared, resources: all, getConfig }, report);
  }
  onCalls(calls);
  return said;
}
