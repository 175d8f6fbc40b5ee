import { Document, parseDocument, Scalar, visit, YAMLParseError } from "yaml";
import { Failure } from "./command-line.ts";

/** Words that YAML 1.1 or 1.2 reads as something else than text: booleans, null, infinities, the merge key. */
const SPECIAL_WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|~|<<|=|)$/i;
/** Text that some reader of YAML takes for a number or a date begins like this. */
const NUMBER_LIKE = /^[-+._]*e?[-+_]*\d|^[-+._:e]+$|^[-+]?\.(?:inf|nan)$/i;

/**
 * YAML that readers of YAML 1.1 (kubectl, by sigs.k8s.io/yaml) and of YAML 1.2 read alike: text that either would take for a boolean, a
 * number, a date or null is quoted.
 * @see https://yaml.org/type/bool.html
 */
export function portableYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== "string" || node.value.includes("\n")) return;
      if (SPECIAL_WORDS.test(node.value) || NUMBER_LIKE.test(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/**
 * Parses a stack file.
 * @param file Name of the file, for the message.
 * @throws {Failure} where the text is not one YAML document, or holds a value that Pulumi's CLI reads as another value than it looks.
 */
export function parseStackFile(text: string, file: string): unknown {
  // With the merge key `<<`, which the CLI supports.
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error instanceof YAMLParseError)
    throw new Failure(
      error.code === "MULTIPLE_DOCS"
        ? `${file} contains more than one YAML document`
        : `${file} is not valid YAML: ${error.message.split("\n")[0]}`,
      2,
    );
  const misread: string[] = [];
  visit(document, {
    Scalar: (_key, node) => {
      if (node.type !== Scalar.PLAIN || node.source === undefined) return;
      const engine = engineValue(node.source);
      if (engine !== undefined && engine !== String(node.value))
        misread.push(
          `${file}: Pulumi reads ${node.source} as ${engine}: quote it ("${node.source}"), or write ${engine}`,
        );
    },
  });
  if (misread.length > 0) throw new Failure(misread.join("\n"), 2);
  try {
    return document.toJS();
  } catch (error) {
    // An alias without its anchor.
    if (error instanceof ReferenceError) throw new Failure(`${file} is not valid YAML: ${error.message}`, 2);
    throw error;
  }
}

const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})?)?$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const PREFIXED = /^([-+]?)0([xXbBoO]?)([0-9a-fA-F]+)$/;
const OCTAL = { base: 8, literal: "0o" };
const BASES = new Map([
  ["x", { base: 16, literal: "0x" }],
  ["b", { base: 2, literal: "0b" }],
  ["o", OCTAL],
  ["", OCTAL],
]);

/**
 * What Pulumi's CLI hands to a program for a plain scalar that it takes for a number or a date; undefined for anything else. The CLI
 * parses with gopkg.in/yaml.v3, which keeps YAML 1.1's octal numbers, underscores and dates.
 * @see https://github.com/go-yaml/yaml/blob/v3.0.1/resolve.go
 */
export function engineValue(source: string): string | undefined {
  if (!/^[-+.0-9]/.test(source)) return undefined;
  if (TIMESTAMP.test(source)) {
    const time = /^\d{4}-\d{1,2}-\d{1,2}$/.test(source) ? source.split("-").map(Number) : undefined;
    if (time === undefined) return "a timestamp";
    const [year = 0, month = 0, day = 0] = time;
    const date = new Date(Date.UTC(year, month - 1, day));
    if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
    return `${date.toISOString().slice(0, 10)} 00:00:00 +0000 UTC`;
  }
  const plain = source.replaceAll("_", "");
  const [, sign = "", prefix = "", digits = ""] = PREFIXED.exec(plain) ?? [];
  const { base, literal } = BASES.get(prefix.toLowerCase()) ?? OCTAL;
  if (digits !== "" && [...digits].every((digit) => Number.parseInt(digit, 16) < base)) {
    const value = BigInt(`${literal}${digits}`);
    return String(sign === "-" ? -value : value);
  }
  if (/^[-+]?(?:0|[1-9]\d*)$/.test(plain)) return String(BigInt(plain.replace(/^\+/, "")));
  if (!FLOAT.test(plain)) return undefined;
  return Number.isFinite(Number(plain)) ? String(Number(plain)) : source;
}
