import { Field } from "./field.ts";
import type { Group } from "./value.ts";

/** What a runner knows of a resource. */
export interface ResourceFacts {
  readonly urn: string;
  readonly type: string;
  /** Pulumi name. */
  readonly name: string;
  readonly props: Group;
  /** Paths of secret inputs; what is under one is secret too. Default: none known. */
  readonly secrets?: readonly string[];
  /** URNs of what must exist before. Undefined where the runner does not know. */
  readonly dependencies?: readonly string[];
  readonly protect?: boolean;
  /** Inputs of its provider, as far as known. */
  readonly provider?: Group;
  /** Tags of the stack, which its backend keeps. */
  readonly stackTags?: Group;
}

/** A resource as the rules see it. */
export class Resource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly protect: boolean;
  readonly dependencies: readonly string[] | undefined;
  /** All of its inputs. */
  readonly inputs: Field;
  /** Inputs of its provider. */
  readonly provider: Field;
  /** Tags of its stack; empty where the runner does not know them. */
  readonly stackTags: Field;
  private readonly secrets: readonly string[];

  constructor(facts: ResourceFacts) {
    this.urn = facts.urn;
    this.type = facts.type;
    this.name = facts.name;
    this.protect = facts.protect ?? false;
    this.dependencies = facts.dependencies;
    this.secrets = facts.secrets ?? [];
    this.inputs = new Field(this, "", facts.props);
    this.provider = new Field(this, "", facts.provider ?? {});
    this.stackTags = new Field(this, "", facts.stackTags ?? {});
  }

  at(...keys: readonly (string | number)[]): Field {
    return this.inputs.at(...keys);
  }

  isSecret(path: string): boolean {
    return this.secrets.some(
      (secret) => path === secret || path.startsWith(`${secret}.`) || path.startsWith(`${secret}[`),
    );
  }

  /** Last part of the type: `Pod` of `kubernetes:core/v1:Pod`. */
  get kind(): string {
    return this.type.split(":").at(-1) ?? this.type;
  }

  /** What a person calls it: `Pod/ts-team/curl-ts`, `Namespace/ts-team`, else kind and Pulumi name: `LogGroup/pods`. */
  get label(): string {
    const known = (field: Field) => (typeof field.raw === "string" ? field.raw : undefined);
    const metadata = this.at("metadata");
    const name = known(metadata.at("name")) ?? this.name;
    return [this.kind, known(metadata.at("namespace")), name].filter((part) => part !== undefined).join("/");
  }
}
