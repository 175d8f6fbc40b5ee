import * as pulumi from "@pulumi/pulumi";
import {
  CoreDns,
  EksCluster,
  ExistingCluster,
  ExistingEksCluster,
  LogCollection,
  Monitoring,
  NodeLocalCache,
  Team,
} from "../components/index.ts";
import { handleOf, referenceTo } from "./cluster-reference.ts";
import { type PackageSchema, resolvedInputs } from "./inputs.ts";

/** Creates a component from inputs whose plain values are known. */
type Constructor = (
  name: string,
  inputs: pulumi.Inputs,
  options: pulumi.ComponentResourceOptions,
) => pulumi.ComponentResource;

/** The components, by the last part of their type token. */
const CONSTRUCTORS: Readonly<Record<string, Constructor>> = {
  EksCluster: (name, inputs, options) => new EksCluster(name, { ...inputs, region: inputs.region }, options),
  ExistingCluster: (name, inputs, options) => new ExistingCluster(name, inputs, options),
  ExistingEksCluster: (name, inputs, options) =>
    new ExistingEksCluster(name, { ...inputs, region: inputs.region, name: inputs.name }, options),
  CoreDns: (name, inputs, options) =>
    new CoreDns(name, { ...inputs, cluster: handleOf(name, inputs.cluster) }, options),
  NodeLocalCache: (name, inputs, options) =>
    new NodeLocalCache(
      name,
      { ...inputs, cluster: handleOf(name, inputs.cluster), dependsOn: dependenciesOf(options) },
      options,
    ),
  LogCollection: (name, inputs, options) =>
    new LogCollection(name, { ...inputs, cluster: handleOf(name, inputs.cluster) }, options),
  Monitoring: (name, inputs, options) =>
    new Monitoring(
      name,
      { ...inputs, cluster: handleOf(name, inputs.cluster), dependsOn: dependenciesOf(options) },
      options,
    ),
  Team: (name, inputs, options) =>
    new Team(name, { ...inputs, cluster: handleOf(name, inputs.cluster), dependsOn: dependenciesOf(options) }, options),
};

/** Components do not pass their option dependsOn on to their children, so these take it as an argument. */
function dependenciesOf({ dependsOn }: pulumi.ComponentResourceOptions): pulumi.Resource[] {
  return [dependsOn].flat().filter((resource) => pulumi.Resource.isInstance(resource));
}

/** Serves the components to programs in any Pulumi language. */
export class ComponentProvider implements pulumi.provider.Provider {
  readonly schema: string;
  readonly version: string;
  readonly #schema: PackageSchema;

  constructor(schema: string) {
    this.schema = schema;
    this.#schema = JSON.parse(schema);
    this.version = this.#schema.version;
  }

  async construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    const resource = this.#schema.resources[type];
    const construct = CONSTRUCTORS[type.split(":").at(-1) ?? ""];
    if (resource === undefined || construct === undefined) throw new Error(`unknown component ${type}`);
    const args = await resolvedInputs(name, inputs, resource.inputProperties, this.#schema.types);
    const component = construct(name, args, options);
    const state = Object.keys(resource.properties).map((key) => {
      const value: unknown = Reflect.get(component, key);
      return [key, key === "handle" ? referenceTo(Reflect.get(component, key)) : value] as const;
    });
    return { urn: component.urn, state: Object.fromEntries(state) };
  }
}
