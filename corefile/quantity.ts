/** Decimal suffixes, each a thousand times the one before. */
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/** Binary suffixes, each 1,024 times the one before. */
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const FACTORS = new Map([
  ...BINARY.map((suffix, power): [string, number] => [suffix, 1024 ** power]),
  ...DECIMAL.map((suffix, index): [string, number] => [suffix, 1000 ** (index - DECIMAL.indexOf(""))]),
]);

/** A number, then an exponent or a suffix; `1E` has a suffix, `1E3` an exponent. */
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([A-Za-z]*))$/;

/**
 * A Kubernetes quantity as a number: `170Mi` is 178257920, and `500m` is 0.5. Undefined if the text is not one.
 *
 * It is here because components and policies both need it, and share no other package.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function quantity(text: string): number | undefined {
  const [, digits, exponent = "0", suffix = ""] = QUANTITY.exec(text) ?? [];
  const factor = FACTORS.get(suffix);
  if (digits === undefined || factor === undefined) return undefined;
  return Number(`${digits}e${exponent}`) * factor;
}
