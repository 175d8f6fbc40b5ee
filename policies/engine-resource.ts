import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import { Resource } from "./core/resource.ts";
import { type Group, UNKNOWN, type Value } from "./core/value.ts";
import type { Ledger } from "./ledger.ts";

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
