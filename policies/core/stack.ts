import type { Field } from "./field.ts";
import type { Resource } from "./resource.ts";

/** An output of the stack. */
export interface StackOutput {
  readonly name: string;
  readonly field: Field;
  readonly isSecret: boolean;
}

/** All resources of a stack, for rules that look at several. */
export class Stack {
  readonly resources: readonly Resource[];
  /** Undefined where the runner does not know them. */
  readonly outputs: readonly StackOutput[] | undefined;
  private readonly byUrn: ReadonlyMap<string, Resource>;
  private readonly byType: ReadonlyMap<string, readonly Resource[]>;

  constructor(resources: readonly Resource[], outputs?: readonly StackOutput[]) {
    this.resources = resources;
    this.outputs = outputs;
    this.byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    this.byType = Map.groupBy(resources, ({ type }) => type);
  }

  ofType(...types: readonly string[]): Resource[] {
    return types.flatMap((type) => this.byType.get(type) ?? []);
  }

  /** What a resource must wait for, as far as it is in the stack; undefined where the runner does not know. */
  dependenciesOf(resource: Resource): Resource[] | undefined {
    return resource.dependencies?.map((urn) => this.byUrn.get(urn)).filter((found) => found !== undefined);
  }
}
