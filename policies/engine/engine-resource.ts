import { type PolicyResource, type ResourceValidationArgs, Secret } from "@pulumi/policy";
import { type Group, Resource, UNKNOWN, type Value } from "../core/resource.ts";

/**
 * The component of Pulumi's EKS package. In the engine the cluster, node groups and add-ons that it makes are resources of
 * their own, and are judged instead: what it passes on would be reported twice.
 */
const COMPONENT = "eks:index:Cluster";

/** Of a resource whose secrets nobody told, nothing may be shown. */
const ALL_SECRET: readonly string[] = [""];

/** What is known of the resources of a run, by URN. */
export class SeenResources {
  private readonly inputs = new Map<string, Group>();
  private readonly secrets = new Map<string, readonly string[]>();

  /** Keeps which inputs are secret. The engine passes them as such to remediations alone, and to all others in clear text. */
  keepSecrets(urn: string, props: object): void {
    this.secrets.set(urn, secretPaths(props));
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
