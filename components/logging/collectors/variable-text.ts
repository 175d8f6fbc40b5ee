import { Scalar } from "yaml";

/**
 * What a variable holds, for collectors that put its text in before they read the YAML: as a block no character of it has a meaning
 * there. It may not begin with a blank, which would be the block's indentation, nor hold a line break.
 */
export function variableText(name: string): Scalar {
  const scalar = new Scalar(`\${${name}}`);
  scalar.type = Scalar.BLOCK_LITERAL;
  return scalar;
}
