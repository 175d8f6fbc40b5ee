import {
  type PolicyResource,
  type ReportViolation,
  type ResourceValidationArgs,
  Secret,
  type StackValidationArgs,
} from "@pulumi/policy";
import { type ConfiguredRule, configured, type Finding, runRule } from "../core/evaluate.ts";
import { type Exemption, OWN_POLICIES } from "../core/pack-config.ts";
import { type Group, pathOf, Resource, UNKNOWN, type Value } from "../core/resource.ts";
import { isStackRule, judges, type Rule } from "../core/rule.ts";
import { Stack } from "../core/stack.ts";

/**
 * The component of Pulumi's EKS package. The engine also passes the cluster, node groups and add-ons that it creates as resources of
 * their own. Only those are judged, or each finding would be reported twice.
 */
const COMPONENT = "eks:index:Cluster";

/** Treats every input as secret: for a resource whose secret inputs are unknown. */
const ALL_SECRET: readonly string[] = [""];

/** A level under `all` also applies to this policy, which then no longer runs as a remediation. */
const HIDDEN_VALUES = `${OWN_POLICIES.secrets}: enforcementLevel must be remediate, even if \`all\` sets another level, or findings show no values`;

/** The inputs of the resources in a run, and which of them are secret, by URN. */
class SeenResources {
  private readonly inputs = new Map<string, Group>();
  private readonly secrets = new Map<string, readonly string[]>();

  /** Remembers which inputs are secret. The engine only marks them for remediations; other policies get them in plain text. */
  keepSecrets(urn: string, props: object): void {
    this.secrets.set(urn, secretPaths(props));
  }

  /** Whether resources were judged although no secret inputs were recorded, because the policy `secret-values` did not run. */
  get hidesAllValues(): boolean {
    return this.inputs.size > 0 && this.secrets.size === 0;
  }

  /** A resource that the engine is about to create or update; undefined for {@link COMPONENT}. */
  resourceOf(args: ResourceValidationArgs): Resource | undefined {
    const { urn, type, name, opts } = args;
    if (type === COMPONENT) return undefined;
    const props = readProps(args.props);
    this.inputs.set(urn, props);
    return new Resource({
      urn,
      type,
      name,
      props,
      secrets: this.secrets.get(urn) ?? ALL_SECRET,
      protect: opts.protect,
      provider: readProps(args.provider?.props),
      stackTags: Object.fromEntries(args.stackTags.entries()),
    });
  }

  /** The resources of a stack, at the end of a preview or deployment. */
  resourcesOf(all: readonly PolicyResource[]): Resource[] {
    return all.flatMap(({ urn, type, name, opts, provider, dependencies, propertyDependencies, props: outputs }) => {
      if (type === COMPONENT) return [];
      const urnsOf = (resources: readonly PolicyResource[]) => resources.map((resource) => resource.urn);
      const byProperty = Object.entries(propertyDependencies).map(([key, from]) => [key, urnsOf(from)] as const);
      return [
        new Resource({
          urn,
          type,
          name,
          props: this.inputs.get(urn) ?? readProps(outputs),
          secrets: this.secrets.get(urn) ?? ALL_SECRET,
          dependencies: urnsOf(dependencies),
          propertyDependencies: Object.fromEntries(byProperty),
          protect: opts.protect,
          provider: readProps(provider?.props),
        }),
      ];
    });
  }
}

/** Paths of secrets in a remediation's inputs. The SDK's proxies unwrap a secret on access, so it is read from the property descriptor. */
function secretPaths(value: unknown, path = ""): string[] {
  if (value instanceof Secret) return [path];
  if (typeof value !== "object" || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([key, { value: inner }]) =>
    isList && key === "length" ? [] : secretPaths(inner, pathOf(path, isList ? Number(key) : key)),
  );
}

/** Inputs as the engine passes them. Access to a value that is unknown in a preview throws, so each one is read separately. */
function readProps(props: object = {}): Group {
  return Object.fromEntries(Object.keys(props).map((key) => [key, readFrom(props, key)]));
}

function readFrom(owner: object, key: string | number): Value {
  try {
    return read(Reflect.get(owner, key));
  } catch (error) {
    if (error instanceof Error && error.constructor.name === "UnknownValueError") return UNKNOWN;
    throw error;
  }
}

function read(value: unknown): Value {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => readFrom(value, index));
  return typeof value === "object" && value !== null ? readProps(value) : null;
}

/**
 * One run of the engine. @pulumi/policy decodes the resource again for each policy that it calls, and the whole stack for each stack
 * policy. With one policy per rule, this would take most of the time. So the policy of one rule, the leader, runs all rules, and the other
 * policies are only called if they have findings to report.
 *
 * Each policy only gets its own configuration. All are called for the first resource, the stack itself, to learn which rules are enabled
 * and how they are configured.
 */
export class EngineRun {
  readonly seen = new SeenResources();
  private readonly builtIn: readonly Exemption[];
  private readonly enabled = new Map<string, ConfiguredRule>();
  /** The leaders: the first enabled rule on single resources, and the first on the stack. Their policies are always called. */
  private resourceLeader: string | undefined;
  private stackLeader: string | undefined;
  /** Findings by rule that its policy has yet to report. */
  private readonly pending = new Map<string, readonly Finding[]>();
  /** Findings by rule and judged resource, so that those of a deployment replace those of its preview. */
  private readonly findingsBySubject = new Map<string, readonly Finding[]>();
  /** Keys of the exemptions that allowed a finding. */
  private readonly used = new Set<string>();

  constructor(builtIn: readonly Exemption[]) {
    this.builtIn = builtIn;
  }

  /** Whether the first resource was passed, after which the enabled rules are known. */
  get hasBegun(): boolean {
    return this.enabled.size > 0;
  }

  /** Whether the policy of a rule must be called for the next resource. */
  mustValidateResource(rule: Rule): boolean {
    if (!this.enabled.has(rule.id)) return !isStackRule(rule) || this.hasBegun;
    return this.resourceLeader === rule.id || this.hasPending(rule);
  }

  /** Whether the policy of a rule must be called at the end. */
  mustValidateStack(rule: Rule): boolean {
    return !this.enabled.has(rule.id) || this.stackLeader === rule.id || this.hasPending(rule);
  }

  validateResource(rule: Rule, args: ResourceValidationArgs, report: ReportViolation): void {
    const isNew = this.enable(rule, args.getConfig());
    if (isStackRule(rule)) return;
    if (isNew) this.judgeResource([rule], args);
    else if (this.resourceLeader === rule.id)
      this.judgeResource(
        [...this.enabled.values()].map((enabled) => enabled.rule),
        args,
      );
    this.report(rule, report);
  }

  validateStack(rule: Rule, args: StackValidationArgs, report: ReportViolation): void {
    const isNew = this.enable(rule, args.getConfig());
    const rules = isNew ? [rule] : [...this.enabled.values()].map((enabled) => enabled.rule).filter(isStackRule);
    if (isNew || this.stackLeader === rule.id)
      this.judge(rules, new Stack(this.seen.resourcesOf(args.resources)), "the stack");
    this.report(rule, report);
  }

  findings(outcome: Finding["outcome"]): Finding[] {
    return [...this.findingsBySubject.values()].flat().filter((finding) => finding.outcome === outcome);
  }

  /** Errors and deprecated names in the configuration, including exemptions that allowed no finding. */
  configurationIssues(): string[] {
    const rules = [...this.enabled.values()];
    const idle = rules
      .flatMap(({ config }) => config.exemptions)
      .filter((exemption) => !this.used.has(keyOf(exemption)));
    return [
      ...new Set(rules.flatMap(({ config }) => [...config.issues, ...config.warnings])),
      ...idle.map(({ rule, resource }) => `exemption of ${resource} from ${rule} has no effect; remove it`),
    ];
  }

  /** Explanations of the findings. */
  notes(): string[] {
    return this.seen.hidesAllValues && [...this.findingsBySubject.values()].flat().length > 0 ? [HIDDEN_VALUES] : [];
  }

  private enable(rule: Rule, config: object): boolean {
    if (this.enabled.has(rule.id)) return false;
    this.enabled.set(rule.id, configured(rule, { [rule.id]: config }, this.builtIn));
    if (isStackRule(rule)) this.stackLeader ??= rule.id;
    else this.resourceLeader ??= rule.id;
    return true;
  }

  private judgeResource(rules: readonly Rule[], args: ResourceValidationArgs): void {
    const resource = this.seen.resourceOf(args);
    if (resource === undefined) return;
    const judging = rules.filter((rule) => !isStackRule(rule) && judges(rule, args.type));
    this.judge(judging, new Stack([resource]), args.urn);
  }

  /** @param subject What is judged: the resource's URN, or the stack. */
  private judge(rules: readonly Rule[], stack: Stack, subject: string): void {
    for (const { id } of rules) {
      const enabled = this.enabled.get(id);
      if (enabled === undefined) continue;
      const { findings, exemptions } = runRule(enabled, stack);
      this.findingsBySubject.set(JSON.stringify([id, subject]), findings);
      for (const exemption of exemptions.filter((used) => used.findings > 0)) this.used.add(keyOf(exemption));
      const violated = findings.filter(({ outcome }) => outcome === "violated");
      if (violated.length > 0) this.pending.set(id, violated);
    }
  }

  private hasPending(rule: Rule): boolean {
    return this.pending.has(rule.id);
  }

  /** Reports the pending findings. The engine prints the policy's description, which is the rule's title, above each. */
  private report(rule: Rule, report: ReportViolation): void {
    for (const { message, urn } of this.pending.get(rule.id) ?? []) report(message, urn);
    this.pending.delete(rule.id);
  }
}

function keyOf({ rule, resource, reason }: Exemption): string {
  return JSON.stringify([rule, resource, reason]);
}
