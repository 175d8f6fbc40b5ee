import { Field, Resource, readGroup, readValue } from "./resource.ts";

/** An output of the stack. */
export interface StackOutput {
  readonly name: string;
  readonly field: Field;
  readonly isSecret: boolean;
}

/** Minimum length: shorter texts, such as `80` or `on`, do not identify a secret. */
const MIN_SECRET = 4;

/** The resources of a stack, for rules about several. */
export class Stack {
  readonly resources: readonly Resource[];
  /** Undefined if the runner does not know them. */
  readonly outputs: readonly StackOutput[] | undefined;
  private secrets: readonly string[] | undefined;
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

  /**
   * The dependencies, within the stack, of a resource or one of its inputs. If the runner does not know those of an input: all dependencies
   * of the resource. Undefined if it knows none.
   */
  dependenciesOf(resource: Resource, input?: string): Resource[] | undefined {
    const ofInput = input === undefined ? undefined : resource.propertyDependencies[input];
    const urns = ofInput !== undefined && ofInput.length > 0 ? ofInput : resource.dependencies;
    return urns?.map((urn) => this.byUrn.get(urn)).filter((dependency) => dependency !== undefined);
  }

  /** Secret texts, which no message may show, wherever they were read. */
  get secretTexts(): readonly string[] {
    this.secrets ??= [...new Set(this.resources.flatMap((resource) => resource.secretTexts))].filter(
      (text) => text.length >= MIN_SECRET,
    );
    return this.secrets;
  }
}

/** A resource of a plan. */
export interface PlannedLike {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly inputs: object;
  /** Paths of secret inputs. */
  readonly secrets: readonly string[];
  readonly dependencies: readonly string[];
  /** `URN::ID` of the provider; empty for the default provider. */
  readonly provider: string;
  readonly protect: boolean;
}

/** A plan: the resources and outputs that a run of the program registered. */
export interface PlanLike {
  readonly resources: readonly PlannedLike[];
  readonly outputs?: { readonly [name: string]: unknown };
  readonly secretOutputs?: readonly string[];
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/** Converts a plan for the rules. `isUnknown` tests for values known only after deployment. */
export function stackOfPlan(plan: PlanLike, isUnknown: (value: unknown) => boolean): Stack {
  const inputs = new Map(plan.resources.map(({ urn, inputs }) => [urn, readGroup(inputs, isUnknown)]));
  const resources = plan.resources.map((planned) => {
    const { urn, type, name, secrets, dependencies, protect } = planned;
    const provider = inputs.get(providerUrn(planned.provider)) ?? {};
    return new Resource({ urn, type, name, secrets, dependencies, protect, provider, props: inputs.get(urn) ?? {} });
  });
  return new Stack(resources, plan.outputs === undefined ? undefined : outputsOf(plan, isUnknown));
}

function outputsOf(plan: PlanLike, isUnknown: (value: unknown) => boolean) {
  const props = readGroup(plan.outputs ?? {}, isUnknown);
  const secrets = plan.secretOutputs ?? [];
  const owner = new Resource({ urn: "", type: STACK_TYPE, name: "outputs", props, secrets });
  return Object.keys(props).map((name) => ({
    name,
    field: new Field(owner, `outputs.${name}`, readValue(plan.outputs?.[name], isUnknown)),
    isSecret: secrets.includes(name),
  }));
}

/** The URN in a reference to a provider, without its id, which differs in each plan; empty for the default provider. */
export function providerUrn(reference: string): string {
  return reference.slice(0, Math.max(0, reference.lastIndexOf("::")));
}
