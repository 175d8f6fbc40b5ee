import {
  type Checker,
  SymbolFlags,
  type Type,
  TypeFlags,
  type Symbol as TypeSymbol,
} from "typescript-native/unstable/sync";
import { capitalized } from "../../lab/output/text.ts";

/** A type in Pulumi's package schema. @see https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/ */
export interface TypeSpec {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: TypeSpec;
  readonly additionalProperties?: TypeSpec;
  readonly oneOf?: readonly TypeSpec[];
  readonly plain?: true;
}

/** A property of a resource or type. */
export interface PropertySpec extends TypeSpec {
  readonly description?: string;
}

/** A named type: an object, or an enumeration of strings. */
export interface NamedTypeSpec {
  readonly type: "object" | "string";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, PropertySpec>>;
  readonly required?: readonly string[];
  readonly enum?: readonly { readonly name: string; readonly value: string }[];
}

/** Descriptions of a type, from the JSON Schema of its Zod schema. */
export interface Descriptions {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Descriptions>>;
  readonly items?: Descriptions;
  readonly anyOf?: readonly Descriptions[];
}

/** The context of a type. */
interface Place {
  /** Module of the package. */
  readonly module: string;
  /** Name for an anonymous type. */
  readonly name: string;
  /** Whether values may be outputs, so that nothing below is plain. */
  readonly output: boolean;
  /** Whether it is an output of a component, or an argument that takes one. */
  readonly result?: boolean;
  readonly descriptions?: Descriptions | undefined;
}

/** Facts that the TypeScript types do not contain. */
export interface ReaderOptions {
  /** Name of the package, the prefix of type tokens. */
  readonly packageName: string;
  /** Interfaces with another type in the package. */
  readonly substitutes: Readonly<Record<string, TypeSpec>>;
  /** Properties, as `Type.property`, that accept outputs of other components, although the code takes plain values. */
  readonly outputs: readonly string[];
  /** Properties, as `Type.property`, that only TypeScript programs can use. */
  readonly leftInputs: readonly string[];
  /** The same for outputs of classes. */
  readonly leftOutputs: readonly string[];
  /** Folders of `components` whose types form a module of their own; the others are in `index`. */
  readonly modules: readonly string[];
}

/** An object type, or several that `kind` distinguishes, whose properties are merged. */
type Objects = readonly Type[];

/** Converts TypeScript types to a Pulumi schema. */
export class TypeReader {
  /** The named types found, by token. */
  readonly types = new Map<string, NamedTypeSpec>();
  /** The properties without a doc comment. */
  readonly undocumented: string[] = [];
  readonly #tokens = new Map<string, string>();
  readonly #checker: Checker;
  readonly #options: ReaderOptions;

  constructor(checker: Checker, options: ReaderOptions) {
    this.#checker = checker;
    this.#options = options;
  }

  /** The properties of an object type, and which of them are required. `kind` distinguishes several types. */
  object(types: Objects, place: Place) {
    const properties: Record<string, PropertySpec> = {};
    const required: string[] = [];
    const names = new Set(types.flatMap((type) => this.#checker.getPropertiesOfType(type).map(({ name }) => name)));
    for (const name of names) {
      const path = `${place.name}.${name}`;
      if (this.#options.leftInputs.includes(path)) continue;
      const owners = types.filter((type) => this.#checker.getPropertyOfType(type, name) !== undefined);
      const symbols = owners.flatMap((type) => this.#checker.getPropertyOfType(type, name) ?? []);
      const isResult = this.#options.outputs.includes(path);
      const fieldPlace = {
        ...place,
        name: path,
        output: place.output || isResult,
        result: place.result === true || isResult,
        descriptions: place.descriptions?.properties?.[name],
      };
      properties[name] = this.#property(symbols, this.#texts(name, owners, types), fieldPlace);
      if (owners.length === types.length && !symbols.some((symbol) => this.#isOptional(symbol, path)))
        required.push(name);
    }
    return { properties, required: required.sort() };
  }

  /** The properties that a class declares in its own file. */
  outputs(type: Type, place: Place) {
    const own = this.#checker.getPropertiesOfType(type).filter(({ name, flags, declarations }) => {
      const isOwn = declarations.some(({ path }) => path.includes("/components/"));
      return isOwn && /^[A-Za-z]\w*$/.test(name) && (flags & SymbolFlags.Method) === 0;
    });
    const kept = own.filter(({ name }) => !this.#options.leftOutputs.includes(`${place.name}.${name}`));
    const required = kept.filter((symbol) => !this.#isOptional(symbol, place.name)).map(({ name }) => name);
    const properties = kept.map((symbol) => {
      const fieldPlace = { ...place, name: `${place.name}.${symbol.name}`, result: true };
      return [symbol.name, this.#property([symbol], this.#texts(symbol.name, [type], [type]), fieldPlace)] as const;
    });
    return { properties: Object.fromEntries(properties), required: required.sort() };
  }

  #isOptional(symbol: TypeSymbol, name: string): boolean {
    const type = this.#typeOf(symbol, name);
    const parts = type.isUnionType() ? type.getTypes() : [type];
    return (
      (symbol.flags & SymbolFlags.Optional) !== 0 || parts.some(({ flags }) => (flags & TypeFlags.Undefined) !== 0)
    );
  }

  /** One property, which several object types may have. */
  #property(symbols: readonly TypeSymbol[], texts: readonly string[], place: Place): PropertySpec {
    const parts = symbols.flatMap((symbol) => partsOf(this.#typeOf(symbol, place.name)));
    const description = texts.length > 0 ? texts.join(" ") : (place.descriptions?.description ?? "");
    const spec = this.#spec(parts, place);
    if (description !== "") return { ...spec, description };
    // An object says by its properties what it is.
    if (spec.$ref === undefined) this.undocumented.push(place.name);
    return spec;
  }

  /** What object types say of a property: each text once, and for which kinds where it is not for all. */
  #texts(name: string, owners: Objects, types: Objects): string[] {
    const textOf = (owner: Type) => {
      const symbol = this.#checker.getPropertyOfType(owner, name);
      return symbol === undefined ? "" : this.#description(symbol);
    };
    const texts = [...Map.groupBy(owners, textOf)].filter(([text]) => text !== "");
    return texts.map(([text, having]) => {
      const of = texts.length === 1 ? owners : having;
      return of.length < types.length ? `${this.#kindsOf(of)}${text}` : text;
    });
  }

  /** The kinds of object types that have a property, in words. */
  #kindsOf(owners: Objects): string {
    const kinds = owners.flatMap((owner) => {
      const kind = this.#checker.getPropertyOfType(owner, "kind");
      const type = kind && this.#checker.getTypeOfSymbol(kind);
      return type?.isStringLiteralType() ? [`\`${type.value}\``] : [];
    });
    return kinds.length === 0 ? "" : `With kind ${kinds.join(", ")}: `;
  }

  #typeOf(symbol: TypeSymbol, name: string): Type {
    const type = this.#checker.getTypeOfSymbol(symbol);
    if (type === undefined) throw new Error(`${name} has no type`);
    return type;
  }

  /** The doc comment, with default and source. */
  #description(symbol: TypeSymbol): string {
    const tags = symbol.getJsDocTags(this.#checker).flatMap(({ name, text = "" }) => {
      return name === "default" ? [`Default: ${text.trim().replace(/\.$/, "")}.`] : [];
    });
    return [symbol.getDocumentationComment(this.#checker), ...tags].join(" ").replaceAll(/\s+/g, " ").trim();
  }

  /** Converts a union of `parts`. */
  #spec(parts: readonly Type[], place: Place): TypeSpec {
    const values = distinct(parts.filter((type) => !isWrapper(type)));
    const wrapped = distinct(parts.filter(isWrapper));
    if (values.length === 0) {
      const inner = wrapped.flatMap((type) => wrappedParts(type, this.#checker));
      if (inner.length === 0) throw new Error(`${place.name} has a type without values`);
      return this.#spec(inner, { ...place, output: true });
    }
    const specs = this.#alternatives(values, place);
    const fromOutput = values.some((type) => this.#options.substitutes[type.getSymbol()?.name ?? ""] !== undefined);
    const plain = wrapped.length > 0 || place.output || fromOutput ? {} : ({ plain: true } as const);
    const [first, ...others] = specs;
    if (first === undefined) throw new Error(`${place.name} has a type without values`);
    return others.length === 0 ? { ...first, ...plain } : { oneOf: specs, ...plain };
  }

  #alternatives(values: readonly Type[], place: Place): TypeSpec[] {
    const specs: TypeSpec[] = [];
    const strings = values.filter((type) => type.isStringLiteralType());
    const isText = values.some((type) => (type.flags & TypeFlags.String) !== 0);
    if (isText || (strings.length > 0 && strings.length < values.length)) specs.push({ type: "string" });
    else if (strings.length > 0) specs.push(this.#enumeration(strings, place));
    if (values.some((type) => (type.flags & (TypeFlags.Number | TypeFlags.NumberLiteral)) !== 0))
      specs.push({ type: "integer" });
    if (values.some((type) => (type.flags & (TypeFlags.Boolean | TypeFlags.BooleanLiteral)) !== 0))
      specs.push({ type: "boolean" });
    const objects = values.filter((type) => type.isObjectType() || type.isIntersectionType());
    const arrays = objects.filter((type) => this.#checker.isArrayLikeType(type));
    for (const array of arrays) {
      const [item] = array.isTypeReference() ? this.#checker.getTypeArguments(array) : [];
      if (item === undefined) throw new Error(`${place.name} is an array without a type of items`);
      const inner = { ...place, name: singular(place.name), descriptions: place.descriptions?.items };
      specs.push({ type: "array", items: this.#spec(partsOf(item), inner) });
    }
    const others = objects.filter((type) => !arrays.includes(type));
    if (others.length > 0) specs.push(this.#objects(others, place));
    const any = TypeFlags.Any | TypeFlags.Unknown;
    if (values.some((type) => (type.flags & any) !== 0)) {
      if (values.some((type) => type.isErrorType())) throw new Error(`${place.name} has a type of another package`);
      specs.push({ $ref: "pulumi.json#/Any" });
    }
    if (specs.length === 0) throw new Error(`${place.name} has a type that a schema cannot have`);
    return specs;
  }

  /** Converts an object type, a map, or several object types with `kind`. */
  #objects(types: Objects, place: Place): TypeSpec {
    const [type] = types;
    const substitute = this.#options.substitutes[type?.getSymbol()?.name ?? ""];
    if (substitute !== undefined) return substitute;
    const properties = types.flatMap((one) => this.#checker.getPropertiesOfType(one));
    const methods = properties.filter(({ flags }) => (flags & SymbolFlags.Method) !== 0);
    if (methods.length > 0) throw new Error(`${place.name} has methods: ${methods.map(({ name }) => name).join(", ")}`);
    const index = types.flatMap((one) => this.#checker.getIndexInfosOfType(one).map(({ valueType }) => valueType));
    // Keys such as `requests.cpu` are not valid property names.
    if (index.length > 0 || properties.some(({ name }) => !/^[A-Za-z]\w*$/.test(name))) {
      const parts = [...index.flatMap(partsOf), ...properties.flatMap((one) => partsOf(this.#typeOf(one, place.name)))];
      return {
        type: "object",
        additionalProperties: this.#spec(distinct(parts), { ...place, descriptions: undefined }),
      };
    }
    return this.#named(types.map(({ id }) => id).join(), this.#nameOf(types, place), (named) => {
      const descriptions = [place.descriptions, ...(place.descriptions?.anyOf ?? [])].find((one) => one?.properties);
      return { type: "object", ...this.object(types, { ...place, ...named, descriptions }) };
    });
  }

  #enumeration(values: readonly Type[], place: Place): TypeSpec {
    const texts = values.flatMap((type) => (type.isStringLiteralType() ? [type.value] : []));
    // Pulumi YAML passes no enumeration on from an output to an argument: https://github.com/pulumi/pulumi-yaml/blob/main/pkg/pulumiyaml/analyser.go
    if (place.result) return { type: "string" };
    const name = this.#nameOf([], place);
    return this.#named(`enum ${name.module}:${name.name} ${texts.sort().join()}`, name, () => ({
      type: "string",
      enum: texts.map((value) => ({ name: memberName(value), value })),
    }));
  }

  #nameOf(types: Objects, place: Place): { readonly name: string; readonly module: string } {
    const [type, second] = types;
    const argument = type?.getAliasTypeArguments()[0];
    const declared = [type?.getSymbol(), argument?.getSymbol()].find(
      (one) => one && (one.flags & SymbolFlags.Interface) !== 0,
    );
    if (declared === undefined || second !== undefined) return { name: pascal(place.name), module: place.module };
    const folder = /\/components\/(\w+)\//.exec(declared.declarations[0]?.path ?? "")?.[1] ?? "";
    const module = this.#options.modules.includes(folder) ? folder : "index";
    return { name: declared.name.replace(/Args$/, ""), module };
  }

  /** A reference to a named type, which is described on its first use. */
  #named(
    key: string,
    { name, module }: { name: string; module: string },
    describe: (place: { name: string; module: string }) => NamedTypeSpec,
  ): TypeSpec {
    const known = this.#tokens.get(key);
    const token = known ?? `${this.#options.packageName}:${module}:${name}`;
    if (known === undefined) {
      this.#tokens.set(key, token);
      if (this.types.has(token)) throw new Error(`two types have the name ${token}`);
      this.types.set(token, { type: "object" });
      this.types.set(token, describe({ name, module }));
    }
    return { $ref: `#/types/${token}` };
  }
}

/** The members of a union except `undefined`, or the type itself. */
export function partsOf(type: Type): Type[] {
  const parts = type.isUnionType() ? [...type.getTypes()] : [type];
  return parts.filter(({ flags }) => (flags & TypeFlags.Undefined) === 0);
}

function distinct(types: readonly Type[]): Type[] {
  return [...new Map(types.map((type) => [type.id, type])).values()];
}

/** Whether a type is a promise or an output. */
function isWrapper(type: Type): boolean {
  const name = type.getSymbol()?.name;
  return name === "Promise" || outputInstance(type) !== undefined;
}

/** Pulumi's Output is an intersection of OutputInstance with the lifted properties. */
function outputInstance(type: Type): Type | undefined {
  const parts = type.isIntersectionType() ? type.getTypes() : [type];
  return parts.find((part) => part.getSymbol()?.name === "OutputInstance");
}

function wrappedParts(type: Type, checker: Checker): Type[] {
  const instance = outputInstance(type);
  return instance?.isTypeReference() ? checker.getTypeArguments(instance).flatMap(partsOf) : [];
}

function pascal(path: string): string {
  return path
    .split(/[^A-Za-z0-9]+/)
    .map((part) => capitalized(part))
    .join("");
}

function singular(name: string): string {
  return name.replace(/ies$/, "y").replace(/(?<![s])s$/, "");
}

const PUNCTUATION: Readonly<Record<string, string>> = { "-": "Hyphen", ".": "Dot", _: "Underscore" };

/** Converts `1.35` to `V1_35`, because no language allows names that start with a digit. */
function memberName(value: string): string {
  const name = PUNCTUATION[value] ?? pascal(value.replaceAll(/(?<=\d)\.(?=\d)/g, "DOT")).replaceAll("DOT", "_");
  return /^\d/.test(name) ? `V${name}` : name;
}
