import { shortened } from "eks-dns-logging-corefile/finding";

/** What messages and plans show instead of a secret value. */
export const SECRET = "[secret]";
/** Placeholder for a value known only after deployment. */
export const UNKNOWN: unique symbol = Symbol("known after deployment");

/** JSON as rules read it, which may contain {@link UNKNOWN}. */
export type Value =
  | string
  | number
  | boolean
  | null
  | typeof UNKNOWN
  | readonly Value[]
  | { readonly [key: string]: Value };

export type Group = { readonly [key: string]: Value };

export function isGroup(value: Value | undefined): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Converts a runner's value: unknown values, by `isUnknown`, become {@link UNKNOWN}; values that JSON cannot represent are dropped. */
export function readValue(raw: unknown, isUnknown: (raw: unknown) => boolean): Value {
  if (isUnknown(raw)) return UNKNOWN;
  if (raw === null || raw === undefined) return null;
  if (typeof raw === "string" || typeof raw === "number" || typeof raw === "boolean") return raw;
  if (Array.isArray(raw)) return raw.map((item) => readValue(item, isUnknown));
  if (typeof raw === "object") return readGroup(raw, isUnknown);
  return null;
}

/** {@link readValue} of an object's fields. */
export function readGroup(raw: object, isUnknown: (raw: unknown) => boolean): Group {
  return Object.fromEntries(Object.entries(raw).map(([key, inner]) => [key, readValue(inner, isUnknown)]));
}

/** A rule read a value known only after deployment. */
export class Undecided extends Error {
  readonly field: Field;
  /** Why the value is unknown, to follow the field's path. */
  readonly why: string;
  constructor(field: Field, why = "is known only after deployment") {
    // Rules throw this thousands of times, and capturing an unused stack trace would take most of the time.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`${field.path} ${why}`);
    Error.stackTraceLimit = limit;
    this.field = field;
    this.why = why;
  }
}

/**
 * A path in a resource's inputs, whether it exists or not. Navigation never fails; reading an unknown value throws {@link Undecided}, so
 * rules should read known values first.
 */
export class Field {
  readonly owner: Resource;
  readonly raw: Value | undefined;
  private readonly place: string | { readonly parent: Field; readonly key: string | number };

  /** @param place its path, or its parent field and key. */
  constructor(
    owner: Resource,
    place: string | { readonly parent: Field; readonly key: string | number },
    raw: Value | undefined,
  ) {
    this.owner = owner;
    this.place = place;
    this.raw = raw;
  }

  /** The usual notation, such as `spec.containers[0].image`; empty for the whole resource. */
  get path(): string {
    // Computed on demand: rules visit many more fields than they report.
    return typeof this.place === "string" ? this.place : pathOf(this.place.parent.path, this.place.key);
  }

  /** The field at these keys. Fields below an unknown value are unknown. */
  at(...keys: readonly (string | number)[]): Field {
    return keys.reduce<Field>((field, key) => new Field(field.owner, { parent: field, key }, field.below(key)), this);
  }

  private below(key: string | number): Value | undefined {
    if (this.raw === UNKNOWN) return UNKNOWN;
    if (typeof key === "number") return Array.isArray(this.raw) ? this.raw[key] : undefined;
    return isGroup(this.raw) ? this.raw[key] : undefined;
  }

  get isUnknown(): boolean {
    return this.raw === UNKNOWN;
  }

  /** Whether the field exists. @throws {Undecided} */
  get isSet(): boolean {
    return this.known !== undefined && this.known !== null;
  }

  /** The value if it is text. @throws {Undecided} */
  text(): string | undefined {
    return typeof this.known === "string" ? this.known : undefined;
  }

  /** The value if it is Boolean, or text for one, as some providers write it. @throws {Undecided} */
  flag(): boolean | undefined {
    if (this.known === true || this.known === "true") return true;
    return this.known === false || this.known === "false" ? false : undefined;
  }

  /** The value if it is a number, or text for one, as some providers write it. @throws {Undecided} */
  number(): number | undefined {
    const value = this.known;
    if (typeof value === "number") return value;
    return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
  }

  /** The fields of a list; empty if the value is not a list. @throws {Undecided} */
  items(): Field[] {
    return Array.isArray(this.known) ? this.known.map((_, index) => this.at(index)) : [];
  }

  /** The fields of an object with their keys. @throws {Undecided} */
  entries(): [string, Field][] {
    // Bridged providers add a key of their own to the inputs.
    const keys = isGroup(this.known) ? Object.keys(this.known).filter((key) => key !== "__defaults") : [];
    return keys.map((key) => [key, this.at(key)]);
  }

  /** Whether the value, or a part of it, is secret. */
  get holdsSecret(): boolean {
    return this.owner.holdsSecret(this.path);
  }

  /** The value for a message: secrets are masked, and long values shortened. */
  get shown(): string {
    if (this.owner.isSecret(this.path)) return SECRET;
    if (this.raw === undefined || this.raw === null) return "not set";
    const text = JSON.stringify(printable(this));
    return shortened(text);
  }

  /**
   * Whether a value is unknown only because the provider was not queried: the resource has no dependencies for it, so nothing in this stack
   * creates the value. False if the runner does not know the dependencies.
   */
  get isLookedUp(): boolean {
    return this.isUnknown && this.owner.dependencies?.length === 0;
  }

  private get known(): Value | undefined {
    if (this.raw === UNKNOWN) throw new Undecided(this);
    return this.raw;
  }
}

/** A value without secrets and unknown values, as JSON. */
function printable(field: Field): unknown {
  const { raw, owner, path } = field;
  if (owner.isSecret(path)) return SECRET;
  if (raw === UNKNOWN) return "(unknown)";
  if (Array.isArray(raw)) return raw.map((_, index) => printable(field.at(index)));
  return isGroup(raw) ? Object.fromEntries(Object.keys(raw).map((key) => [key, printable(field.at(key))])) : raw;
}

/** Path of a key below a path, as in {@link Field.path}: runners name secret inputs in this notation. */
export function pathOf(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  const plain = /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`;
  return path === "" && plain.startsWith(".") ? key : `${path}${plain}`;
}

/**
 * Whether the predicate holds for an item. Unknown values only count if it holds for no known item.
 * @throws {Undecided} for the first undecided item, if it holds for no other.
 */
export function someKnown<T>(items: Iterable<T>, isSo: (item: T) => boolean): boolean {
  let open: Undecided | undefined;
  for (const item of items) {
    try {
      if (isSo(item)) return true;
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      open ??= error;
    }
  }
  if (open !== undefined) throw open;
  return false;
}

/** Whether something is known to be so. */
export function isKnownSo(isSo: () => boolean): boolean {
  try {
    return isSo();
  } catch (error) {
    if (error instanceof Undecided) return false;
    throw error;
  }
}

/** What a runner knows about a resource. */
export interface ResourceFacts {
  readonly urn: string;
  readonly type: string;
  /** Pulumi name. */
  readonly name: string;
  readonly props: Group;
  /** Paths of secret inputs, including everything below; the empty path means all inputs. Default: none. */
  readonly secrets?: readonly string[];
  /** URNs of its dependencies. Undefined if the runner does not know them. */
  readonly dependencies?: readonly string[];
  /** Dependencies by input. Undefined if the runner does not know them. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  readonly protect?: boolean;
  /** Known inputs of its provider. */
  readonly provider?: Group;
  /** Tags of the stack, from its backend. */
  readonly stackTags?: Group;
}

/** A resource as the rules see it. */
export class Resource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly protect: boolean;
  readonly dependencies: readonly string[] | undefined;
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** All inputs. */
  readonly inputs: Field;
  /** Inputs of its provider. */
  readonly provider: Field;
  /** Tags of its stack; empty if the runner does not know them. */
  readonly stackTags: Field;
  /** Last part of the type: `Pod` of `kubernetes:core/v1:Pod`. */
  readonly kind: string;
  private readonly secrets: readonly string[];
  private madeLabel: string | undefined;

  constructor(facts: ResourceFacts) {
    this.urn = facts.urn;
    this.type = facts.type;
    this.kind = facts.type.slice(facts.type.lastIndexOf(":") + 1);
    this.name = facts.name;
    this.protect = facts.protect ?? false;
    this.dependencies = facts.dependencies;
    this.propertyDependencies = facts.propertyDependencies ?? {};
    this.secrets = facts.secrets ?? [];
    this.inputs = new Field(this, "", facts.props);
    this.provider = new Field(this, "", facts.provider ?? {});
    this.stackTags = new Field(this, "", facts.stackTags ?? {});
  }

  at(...keys: readonly (string | number)[]): Field {
    return this.inputs.at(...keys);
  }

  /** Whether the value at a path is secret, by itself or as part of a secret. */
  isSecret(path: string): boolean {
    return this.secrets.some((secret) => isWithin(path, secret));
  }

  /** Whether a value is secret or contains a secret. */
  holdsSecret(path: string): boolean {
    return this.secrets.some((secret) => isWithin(path, secret) || isWithin(secret, path));
  }

  /** The known texts and numbers that are secret. */
  get secretTexts(): string[] {
    return this.secrets.length === 0 ? [] : secretLeaves(this.inputs);
  }

  /** What exemptions may call it: its URN, its Pulumi name, and its label, also with a name that is secret. */
  get names(): readonly string[] {
    const isText = (field: Field) => (typeof field.raw === "string" ? field.raw : undefined);
    return [this.urn, this.name, this.label, ...(this.secrets.length > 0 ? [this.labelOf(isText)] : [])];
  }

  /** Readable name: `Pod/ts-team/curl-ts`, `Namespace/ts-team`, else kind and Pulumi name: `LogGroup/pods`. */
  get label(): string {
    // Cached, because each finding and exemption reads it.
    this.madeLabel ??= this.labelOf(({ raw, path }) =>
      typeof raw === "string" && !this.isSecret(path) ? raw : undefined,
    );
    return this.madeLabel;
  }

  private labelOf(known: (field: Field) => string | undefined): string {
    const metadata = this.at("metadata");
    const name = known(metadata.at("name")) ?? this.name;
    return [this.kind, known(metadata.at("namespace")), name].filter((part) => part !== undefined).join("/");
  }
}

/** Whether a path equals another or is below it. */
function isWithin(path: string, other: string): boolean {
  return other === "" || path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
}

function secretLeaves(field: Field): string[] {
  const { raw, owner, path } = field;
  if (!owner.holdsSecret(path) && path !== "") return [];
  if (Array.isArray(raw)) return raw.flatMap((_, index) => secretLeaves(field.at(index)));
  if (isGroup(raw)) return Object.keys(raw).flatMap((key) => secretLeaves(field.at(key)));
  return (typeof raw === "string" || typeof raw === "number") && owner.isSecret(path) ? [String(raw)] : [];
}
