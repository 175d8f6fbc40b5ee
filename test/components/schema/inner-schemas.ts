import { z } from "zod";

/** The schemas that a schema is made of, by key. */
export function innerOf(schema: z.core.$ZodType): readonly (readonly [string, z.core.$ZodType])[] {
  if (schema instanceof z.ZodObject)
    return Object.entries<z.core.$ZodType>({
      ...schema.shape,
      ...(schema.def.catchall && { "*": schema.def.catchall }),
    });
  if (schema instanceof z.ZodArray) return [["0", schema.element]];
  if (schema instanceof z.ZodRecord)
    return [
      ["key", schema.keyType],
      ["*", schema.valueType],
    ];
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.map((option, index) => [`|${index}`, option]);
  // What an option says of a value is said by the union, or instead by its own message.
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(innerOf);
  if (schema instanceof z.ZodPipe)
    return [
      ["in", schema.in],
      ["out", schema.out],
    ];
  if (schema instanceof z.ZodLazy) return [["", schema.def.getter()]];
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  )
    return [["", schema.def.innerType]];
  return [];
}
