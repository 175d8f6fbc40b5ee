import {
  type PolicyResource,
  type ReportViolation,
  type ResourceValidationArgs,
  Secret,
  type StackValidationArgs,
} from "@pulumi/policy";
import { type ConfiguredRule, configured, type Finding, runRule } from "../core/evaluate.ts";
import { type Exemption, OWN_POLICIES } from "../core/pack-config.ts";
import { type Group, Resource, UNKNOWN, type Value } from "../core/resource.ts";
import { isStackRule, judges, type Rule } from "../core/rule.ts";
import { Stack } from "../core/stack.ts";

/**
 * The component of Pulumi's EKS package. In the engine the cluster, node groups and add-ons that it makes are resources of
 * their own, and are judged instead: what it passes on would be reported twice.
 */
const COMPONENT = "eks:index:Cluster";

/** Of a resource whose secrets nobody told, nothing may be shown. */
const ALL_SECRET: readonly string[] = [""];

/** The level of `all` applies to every policy of the pack. */
const HIDDEN_VALUES = `${OWN_POLICIES.secrets}: enforcementLevel must be remediate, also beside \`all\`: with any other, findings show no value`;

/** What is known of the resources of a run, by URN. */
class SeenResources {
  private readonly inputs = new Map<string, Group>();
  private readonly secrets = new Map<string, readonly string[]>();

  /** Keeps which inputs are secret. The engine passes them as such to remediations alone, and to all others in clear text. */
  keepSecrets(urn: string, props: object): void {
    this.secrets.set(urn, secretPaths(props));
  }

  /** Whether a resource was seen without being told which of its inputs are secret: the policy for that is off. */
  get hidesAllValues(): boolean {
    return this.inputs.size > 0 && this.secrets.size === 0;
  }

  /** A resource that the engine is about to make; undefined where it is judged by its parts. */
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

/** Paths of the secrets in what a remediation is given. Its proxies unwrap a secret that is read; a property's descriptor does not. */
function secretPaths(value: unknown, path = ""): string[] {
  if (value instanceof Secret) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([key, { value: inner }]) =>
    Array.isArray(value) && key === "length" ? [] : secretPaths(inner, pathOf(path, key, Array.isArray(value))),
  );
}

function pathOf(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`;
  if (!/^[\w-]+$/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}

/** What the engine passes. Reading a value that a preview does not know throws, so each is read by itself. */
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
 * One run of the engine. @pulumi/policy decodes a resource anew for each policy that it calls, and the whole stack for each on the
 * stack: with a policy a rule, that is most of what a pack costs. So the first call judges by every rule, and the other policies are
 * called only where they have something to report. The first resource, which is the stack itself, tells which rules are enabled and
 * how they are configured, since the engine tells that to each policy alone.
 */
export class EngineRun {
  readonly seen = new SeenResources();
  private readonly builtIn: readonly Exemption[];
  private readonly enabled = new Map<string, ConfiguredRule>();
  /** The first enabled rule of each kind, whose policy is called for everything. */
  private resourceLeader: string | undefined;
  private stackLeader: string | undefined;
  /** What rules have found in what is being judged, until their policies report it. */
  private readonly pending = new Map<string, readonly Finding[]>();
  /** By rule and what it judged, so that a deployment's findings take the place of those of its preview. */
  private readonly said = new Map<string, readonly Finding[]>();
  private readonly used = new Set<string>();

  constructor(builtIn: readonly Exemption[]) {
    this.builtIn = builtIn;
  }

  /** Whether a first resource has told which rules are enabled. */
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
        [...this.enabled.values()].map((one) => one.rule),
        args,
      );
    this.report(rule, report);
  }

  validateStack(rule: Rule, args: StackValidationArgs, report: ReportViolation): void {
    const isNew = this.enable(rule, args.getConfig());
    const rules = isNew ? [rule] : [...this.enabled.values()].map((one) => one.rule).filter(isStackRule);
    if (isNew || this.stackLeader === rule.id)
      this.judge(rules, new Stack(this.seen.resourcesOf(args.resources)), "the stack");
    this.report(rule, report);
  }

  findings(outcome: Finding["outcome"]): Finding[] {
    return [...this.said.values()].flat().filter((finding) => finding.outcome === outcome);
  }

  /** Errors and deprecated names in the configuration, exemptions that allowed nothing among them. */
  configurationIssues(): string[] {
    const rules = [...this.enabled.values()];
    const idle = rules.flatMap(({ config }) => config.exemptions).filter((one) => !this.used.has(keyOf(one)));
    return [
      ...new Set(rules.flatMap(({ config }) => [...config.issues, ...config.warnings])),
      ...idle.map(({ rule, resource }) => `exemption of ${resource} from ${rule} has no effect; remove it`),
    ];
  }

  /** What explains the findings. */
  notes(): string[] {
    return this.seen.hidesAllValues && [...this.said.values()].flat().length > 0 ? [HIDDEN_VALUES] : [];
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

  private judge(rules: readonly Rule[], stack: Stack, judged: string): void {
    for (const one of rules.map(({ id }) => this.enabled.get(id)).filter((found) => found !== undefined)) {
      const { findings, exemptions } = runRule(one, stack);
      this.said.set(JSON.stringify([one.rule.id, judged]), findings);
      for (const exemption of exemptions.filter((used) => used.findings > 0)) this.used.add(keyOf(exemption));
      const violated = findings.filter(({ outcome }) => outcome === "violated");
      if (violated.length > 0) this.pending.set(one.rule.id, violated);
    }
  }

  private hasPending(rule: Rule): boolean {
    return this.pending.has(rule.id);
  }

  /** The engine shows the policy's description, which is the title, above each. */
  private report(rule: Rule, report: ReportViolation): void {
    for (const { message, urn } of this.pending.get(rule.id) ?? []) report(message, urn);
    this.pending.delete(rule.id);
  }
}

function keyOf({ rule, resource, reason }: Exemption): string {
  return JSON.stringify([rule, resource, reason]);
}
