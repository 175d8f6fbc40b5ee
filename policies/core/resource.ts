/** Stands for a value that only the deployment will tell. */
export const UNKNOWN: unique symbol = Symbol("known after deployment");

/** JSON as a rule reads it, in which a value may be {@link UNKNOWN}. */
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

/**
 * Reads what a runner has into values: what `isUnknown` says becomes {@link UNKNOWN}, what JSON cannot carry is left out.
 */
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

/** A rule met a value that only the deployment will tell. */
export class Undecided extends Error {
  readonly field: Field;
  /** Why nobody knows, after the field's path. */
  readonly why: string;
  constructor(field: Field, why = "is known only after deployment") {
    // Rules throw it by the thousand and nobody reads its stack trace, which takes most of the time.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`${field.path} ${why}`);
    Error.stackTraceLimit = limit;
    this.field = field;
    this.why = why;
  }
}

const MAX_SHOWN = 80;

/**
 * A place in a resource's inputs, whether anything is there or not. Walking never fails; reading an unknown value throws
 * {@link Undecided}, so a rule reads what is known first.
 */
export class Field {
  readonly owner: Resource;
  readonly raw: Value | undefined;
  private readonly place: string | { readonly parent: Field; readonly key: string | number };

  /** @param place its path, or the field that it stands in and the key there. */
  constructor(
    owner: Resource,
    place: string | { readonly parent: Field; readonly key: string | number },
    raw: Value | undefined,
  ) {
    this.owner = owner;
    this.place = place;
    this.raw = raw;
  }

  /** As a person would write it, such as `spec.containers[0].image`; empty for the whole resource. */
  get path(): string {
    // Made on demand: rules walk over many more fields than they name.
    return typeof this.place === "string" ? this.place : join(this.place.parent.path, this.place.key);
  }

  /** The field under these keys. Under an unknown value everything is unknown. */
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

  /** Whether something stands here. @throws {Undecided} */
  get isSet(): boolean {
    return this.known !== undefined && this.known !== null;
  }

  /** The text here, if it is one. @throws {Undecided} */
  text(): string | undefined {
    return typeof this.known === "string" ? this.known : undefined;
  }

  /** The truth value here; providers also write it as text. @throws {Undecided} */
  flag(): boolean | undefined {
    if (this.known === true || this.known === "true") return true;
    return this.known === false || this.known === "false" ? false : undefined;
  }

  /** The number here; providers also write it as text. @throws {Undecided} */
  number(): number | undefined {
    const value = this.known;
    if (typeof value === "number") return value;
    return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
  }

  /** The fields of a list; none where there is no list. @throws {Undecided} */
  items(): Field[] {
    return Array.isArray(this.known) ? this.known.map((_, index) => this.at(index)) : [];
  }

  /** The fields of a group with their keys. @throws {Undecided} */
  entries(): [string, Field][] {
    // Bridged providers keep a note of their own among the inputs.
    const keys = isGroup(this.known) ? Object.keys(this.known).filter((key) => key !== "__defaults") : [];
    return keys.map((key) => [key, this.at(key)]);
  }

  /** Whether the value here, or a part of it, came as a secret. */
  get holdsSecret(): boolean {
    return this.owner.holdsSecret(this.path);
  }

  /** The value for a message. Secrets are not shown, and long values not whole. */
  get shown(): string {
    if (this.owner.isSecret(this.path)) return "[secret]";
    if (this.raw === undefined || this.raw === null) return "not set";
    const text = JSON.stringify(printable(this));
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  }

  /**
   * Whether a value is unknown only because nobody asked the provider for it: its resource waits for none, so nothing in this stack makes
   * the value. False where the runner does not know what the resource waits for.
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
  if (owner.isSecret(path)) return "[secret]";
  if (raw === UNKNOWN) return "(unknown)";
  if (Array.isArray(raw)) return raw.map((_, index) => printable(field.at(index)));
  return isGroup(raw) ? Object.fromEntries(Object.keys(raw).map((key) => [key, printable(field.at(key))])) : raw;
}

function join(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  const plain = /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`;
  return path === "" && plain.startsWith(".") ? key : `${path}${plain}`;
}

/**
 * Whether one of the items is so. An unknown value in one hides no other: it counts only where none that is known is so.
 * @throws {Undecided} of the first that cannot be decided, where no other is so.
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

/** Whether something is so as far as anybody knows. */
export function isKnownSo(isSo: () => boolean): boolean {
  try {
    return isSo();
  } catch (error) {
    if (error instanceof Undecided) return false;
    throw error;
  }
}

/** What a runner knows of a resource. */
export interface ResourceFacts {
  readonly urn: string;
  readonly type: string;
  /** Pulumi name. */
  readonly name: string;
  readonly props: Group;
  /** Paths of secret inputs; what is under one is secret too. The empty path makes all of them secret. Default: none. */
  readonly secrets?: readonly string[];
  /** URNs of what must exist before. Undefined where the runner does not know. */
  readonly dependencies?: readonly string[];
  /** The same by input. Undefined where the runner does not know. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
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
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** All of its inputs. */
  readonly inputs: Field;
  /** Inputs of its provider. */
  readonly provider: Field;
  /** Tags of its stack; empty where the runner does not know them. */
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

  /** Whether the value at a path is secret, by itself or as a part of a secret. */
  isSecret(path: string): boolean {
    return this.secrets.some((secret) => isWithin(path, secret));
  }

  /** Whether a value is secret or has a secret part. */
  holdsSecret(path: string): boolean {
    return this.secrets.some((secret) => isWithin(path, secret) || isWithin(secret, path));
  }

  /** The texts and numbers that came as secrets, as far as known. */
  get secretTexts(): string[] {
    return this.secrets.length === 0 ? [] : secretLeaves(this.inputs);
  }

  /** What a person calls it: `Pod/ts-team/curl-ts`, `Namespace/ts-team`, else kind and Pulumi name: `LogGroup/pods`. */
  get label(): string {
    // Each finding and each exemption asks for it.
    this.madeLabel ??= this.makeLabel();
    return this.madeLabel;
  }

  private makeLabel(): string {
    const known = (field: Field) =>
      typeof field.raw === "string" && !field.owner.isSecret(field.path) ? field.raw : undefined;
    const metadata = this.at("metadata");
    const name = known(metadata.at("name")) ?? this.name;
    return [this.kind, known(metadata.at("namespace")), name].filter((part) => part !== undefined).join("/");
  }
}

/** Whether a path is another one or below it. */
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
