/** The part of JSON Schema draft 7 that the add-on's schemas use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: { readonly [key: string]: JsonSchema };
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly definitions?: { readonly [key: string]: JsonSchema };
}

/** One value that a schema does not take. */
export interface Rejection {
  /** As `autoScaling.minReplicas`; empty for the whole. */
  readonly path: string;
  /** What stands there; undefined where something is missing. */
  readonly value: unknown;
  /** Why, as the end of a sentence: `which is no integer`. */
  readonly why: string;
}

/** What a schema does not take of a value. */
export function rejectionsOf(value: unknown, schema: JsonSchema, root: JsonSchema = schema, path = ""): Rejection[] {
  const definition = schema.$ref?.replace("#/definitions/", "");
  if (definition !== undefined) return rejectionsOf(value, root.definitions?.[definition] ?? {}, root, path);
  const types = typeof schema.type === "string" ? [schema.type] : schema.type;
  if (types !== undefined && !types.some((type) => isOfType(value, type)))
    return [{ path, value, why: `which is no ${types.join(" or ")}` }];
  if (schema.anyOf !== undefined && !schema.anyOf.some((one) => rejectionsOf(value, one, root, path).length === 0))
    return [{ path, value, why: "which is of none of the forms that the version takes" }];
  if (typeof value === "number") return numberRejections(value, schema, path);
  if (typeof value === "string" && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    return [{ path, value, why: `which is not of the form ${schema.pattern}` }];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [{ path, value, why: `which is none of ${schema.enum.join(", ")}` }];
  if (Array.isArray(value))
    return value.flatMap((item, index) => rejectionsOf(item, schema.items ?? {}, root, `${path}[${index}]`));
  return isGroup(value) ? groupRejections(value, schema, root, path) : [];
}

function numberRejections(value: number, { minimum, maximum }: JsonSchema, path: string): Rejection[] {
  if (minimum !== undefined && value < minimum) return [{ path, value, why: `which is less than ${minimum}` }];
  return maximum !== undefined && value > maximum ? [{ path, value, why: `which is more than ${maximum}` }] : [];
}

function groupRejections(value: Group, schema: JsonSchema, root: JsonSchema, path: string): Rejection[] {
  const inside = (key: string) => (path === "" ? key : `${path}.${key}`);
  const missing = (schema.required ?? []).filter((key) => !(key in value));
  return [
    ...missing.map((key) => ({ path: inside(key), value: undefined, why: "which the version wants" })),
    ...Object.entries(value).flatMap(([key, inner]) => {
      const property = schema.properties?.[key] ?? schema.additionalProperties ?? true;
      if (property === false) return [{ path: inside(key), value: inner, why: "which the version does not know" }];
      return property === true ? [] : rejectionsOf(inner, property, root, inside(key));
    }),
  ];
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isGroup(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

type Group = { readonly [key: string]: unknown };

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
