import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import type { Finding } from "../core/evaluate.ts";
import type { Exemption } from "../core/exemption.ts";
import { Resource } from "../core/resource.ts";
import { type Group, UNKNOWN, type Value } from "../core/value.ts";

/** Pulumi's EKS package registers its component without inputs: the cluster that the component makes is judged instead. */
const COMPONENT = "eks:index:Cluster";

/** A resource that the engine is about to make. Undefined where there is nothing to judge. */
export function resourceOf(args: ResourceValidationArgs, ledger: Ledger): Resource | undefined {
  const { urn, type, name, opts } = args;
  const props = readProps(args.props);
  ledger.inputs.set(urn, props);
  if (isEmptyComponent(type, props)) return undefined;
  const stackTags = Object.fromEntries(args.stackTags.entries());
  return new Resource({
    urn,
    type,
    name,
    props,
    protect: opts.protect,
    provider: readProps(args.provider?.props),
    stackTags,
  });
}

/** The resources of a stack, at the end of a preview or deployment. */
export function resourcesOf(all: readonly PolicyResource[], ledger: Ledger): Resource[] {
  return all.flatMap(({ urn, type, name, opts, provider, dependencies, props: outputs }) => {
    const props = ledger.inputs.get(urn) ?? readProps(outputs);
    if (isEmptyComponent(type, props)) return [];
    const urns = dependencies.map((resource) => resource.urn);
    const facts = { urn, type, name, props, dependencies: urns, protect: opts.protect };
    return [new Resource({ ...facts, provider: readProps(provider?.props) })];
  });
}

function isEmptyComponent(type: string, props: Group): boolean {
  return type === COMPONENT && Object.keys(props).length === 0;
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

/** What one run of the engine has told the pack, and what the rules said beside violations. */
export class Ledger {
  /** Inputs by URN. A preview may know no outputs at all, so rules on the whole stack read these. */
  readonly inputs = new Map<string, Group>();
  private readonly said = new Map<string, readonly Finding[]>();
  private readonly configured = new Map<string, Exemption>();
  private readonly used = new Set<string>();
  private readonly issues = new Set<string>();

  /** Keeps what a rule said of what it judged; what it said of that before, as in a preview, counts no more. */
  keep(rule: string, judged: string, findings: readonly Finding[]): void {
    this.said.set(JSON.stringify([rule, judged]), findings);
  }

  /** Keeps the exemptions of the pack's configuration. */
  keepExemptions(configured: readonly Exemption[]): void {
    for (const exemption of configured) this.configured.set(keyOf(exemption), exemption);
  }

  /** Keeps which exemptions allowed something. */
  keepUse(used: readonly Exemption[]): void {
    for (const exemption of used) this.used.add(keyOf(exemption));
  }

  keepIssues(issues: readonly string[]): void {
    for (const issue of issues) this.issues.add(issue);
  }

  findings(outcome: Finding["outcome"]): Finding[] {
    return [...this.said.values()].flat().filter((finding) => finding.outcome === outcome);
  }

  /** What is wrong in the configuration, exemptions that allowed nothing among it. */
  configurationIssues(): string[] {
    const idle = [...this.configured].filter(([key]) => !this.used.has(key));
    return [
      ...this.issues,
      ...idle.map(([, { rule, resource }]) => `exemption of ${resource} from ${rule} has no effect; take it out`),
    ];
  }
}

function keyOf({ rule, resource, reason }: Exemption): string {
  return JSON.stringify([rule, resource, reason]);
}
