/** Stands for a value that only the deployment tells. */
export const UNKNOWN: unique symbol = Symbol("known after deployment");

/** Thrown where a rule asks for a value that only the deployment tells. */
export class Undecided extends Error {
  /** Paths of the values that are not known, such as `spec.template`. */
  readonly fields: readonly string[];

  constructor(fields: readonly string[]) {
    super(`${fields.join(", ")} is known only after deployment`);
    this.name = "Undecided";
    this.fields = fields;
  }
}

/** One mistake: where, what is there, and what is wrong with it. */
export interface Finding {
  /** Path in the resource's inputs, such as `spec.containers[0].image`. */
  readonly field: string;
  /** What is there, as JSON; `(nothing)` where the field is left out. */
  readonly value: string;
  readonly message: string;
}

export type Group = { readonly [key: string]: unknown };

export function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A place in a resource's inputs. Every read of a value that is not known throws {@link Undecided}. */
export class Field {
  readonly path: string;
  readonly #value: unknown;

  constructor(value: unknown, path = "") {
    this.#value = value;
    this.path = path;
  }

  /** The field below, by its keys; one that is left out where a key is missing. */
  at(...keys: readonly string[]): Field {
    let field: Field = this;
    for (const key of keys) {
      const value = field.#known();
      const inner = isGroup(value) && Object.hasOwn(value, key) ? value[key] : undefined;
      field = new Field(inner, field.path === "" ? key : `${field.path}.${key}`);
    }
    return field;
  }

  /** The items of a list; none where it is left out. */
  items(): readonly Field[] {
    const value = this.#known();
    return Array.isArray(value) ? value.map((item, index) => new Field(item, `${this.path}[${index}]`)) : [];
  }

  /** The keys of an object, each with its field; none where it is left out. */
  entries(): readonly (readonly [string, Field])[] {
    const value = this.#known();
    return isGroup(value) ? Object.keys(value).map((key) => [key, this.at(key)] as const) : [];
  }

  /** Undefined where there is no text. */
  text(): string | undefined {
    const value = this.#known();
    return typeof value === "string" ? value : undefined;
  }

  /** Undefined where there is no number; a number in a text counts, as some providers write them so. */
  number(): number | undefined {
    const value = this.#known();
    if (typeof value === "string" && /^\d+(\.\d+)?$/.test(value)) return Number(value);
    return typeof value === "number" ? value : undefined;
  }

  /** Undefined where it is neither true nor false, also as a text. */
  flag(): boolean | undefined {
    const value = this.#known();
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    return undefined;
  }

  /** The texts of a list, or the one text that stands for a list. */
  texts(): readonly string[] {
    const one = this.text();
    if (one !== undefined) return [one];
    return this.items().flatMap((item) => item.text() ?? []);
  }

  isSet(): boolean {
    const value = this.#known();
    return value !== undefined && value !== null;
  }

  /** Whether something is there, be it known or not: enough for a key's ARN, which a rule need not read. */
  isGiven(): boolean {
    return this.#value !== undefined && this.#value !== null && this.#value !== "";
  }

  /** The value as it is. */
  raw(): unknown {
    return this.#known();
  }

  /** The value as JSON, in which unknown parts are named; cut where it is long. */
  shown(): string {
    const text = JSON.stringify(this.#value, (_, inner: unknown) =>
      inner === UNKNOWN ? "(known after deployment)" : inner,
    );
    if (text === undefined) return this.#value === UNKNOWN ? "(known after deployment)" : "(nothing)";
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  }

  /** A mistake at this place. */
  wrong(message: string): Finding {
    return { field: this.path, value: this.shown(), message };
  }

  #known(): unknown {
    if (this.#value === UNKNOWN) throw new Undecided([this.path]);
    return this.#value;
  }
}

const LONGEST = 120;

/**
 * Judges each item, so that one whose values are not known does not hide what is wrong with the others.
 * @throws {Undecided} in the end, with the fields of all items that could not be judged.
 */
export function* each<T>(items: Iterable<T>, judge: (item: T) => Iterable<Finding>): Generator<Finding> {
  const unknown: string[] = [];
  for (const item of items) {
    try {
      yield* judge(item);
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      unknown.push(...error.fields);
    }
  }
  if (unknown.length > 0) throw new Undecided([...new Set(unknown)]);
}

/** A copy of a value in which every part that `isUnknown` picks is {@link UNKNOWN}. */
export function marked(value: unknown, isUnknown: (value: unknown) => boolean): unknown {
  if (isUnknown(value)) return UNKNOWN;
  if (Array.isArray(value)) return value.map((item) => marked(item, isUnknown));
  if (!isGroup(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner, isUnknown)]));
}
