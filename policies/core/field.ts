import type { Resource } from "./resource.ts";
import { isGroup, UNKNOWN, type Value } from "./value.ts";

/** A rule met a value that only the deployment will tell. */
export class Undecided extends Error {
  readonly field: Field;
  /** Why nobody knows, after the field's path. */
  readonly why: string;
  constructor(field: Field, why = "is known only after deployment") {
    super(`${field.path} ${why}`);
    this.field = field;
    this.why = why;
  }
}

const LONGEST_SHOWN = 80;

/**
 * A place in a resource's inputs, whether anything is there or not. Walking never fails; reading an unknown value throws
 * {@link Undecided}, so a rule reads what is known first.
 */
export class Field {
  readonly owner: Resource;
  /** As a person would write it, such as `spec.containers[0].image`; empty for the whole resource. */
  readonly path: string;
  readonly raw: Value | undefined;

  constructor(owner: Resource, path: string, raw: Value | undefined) {
    this.owner = owner;
    this.path = path;
    this.raw = raw;
  }

  /** The field under these keys. Under an unknown value everything is unknown. */
  at(...keys: readonly (string | number)[]): Field {
    return keys.reduce<Field>((field, key) => field.child(key), this);
  }

  private child(key: string | number): Field {
    if (this.raw === UNKNOWN) return new Field(this.owner, join(this.path, key), UNKNOWN);
    if (typeof key === "number") {
      return new Field(this.owner, join(this.path, key), Array.isArray(this.raw) ? this.raw[key] : undefined);
    }
    return new Field(this.owner, join(this.path, key), isGroup(this.raw) ? this.raw[key] : undefined);
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

  /** The value for a message. Secrets and long values are not shown whole. */
  get shown(): string {
    if (this.owner.isSecret(this.path)) return "[secret]";
    if (this.raw === undefined || this.raw === null) return "not set";
    const text = JSON.stringify(this.raw, (_, value: unknown) => (value === UNKNOWN ? "(unknown)" : value));
    return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  }

  private get known(): Value | undefined {
    if (this.raw === UNKNOWN) throw new Undecided(this);
    return this.raw;
  }
}

function join(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  const plain = /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`;
  return path === "" && plain.startsWith(".") ? key : `${path}${plain}`;
}
