import { Document, parseDocument, Scalar, visit, YAMLParseError } from "yaml";
import { textByCode } from "../components/logging/collectors/yaml-text.ts";
import { isCircular, isYamlError } from "../components/schema/values.ts";
import { Failure } from "./command-line.ts";

/** Plain words that YAML 1.1 or 1.2 does not read as text: Booleans, null, infinities, the merge key. */
const SPECIAL_WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|~|<<|=|)$/i;
/** Start of text that some YAML reader takes for a number or a date. */
const NUMBER_LIKE = /^[-+._]*e?[-+_]*\d|^[-+._:e]+$|^[-+]?\.(?:inf|nan)$/i;

/**
 * YAML that readers of YAML 1.1 (kubectl, through sigs.k8s.io/yaml) and YAML 1.2 parse alike: ambiguous text is quoted, and characters that
 * only one of them treats as line breaks are escaped.
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
  return textByCode(document);
}

/**
 * Parses a stack file.
 * @param file Name of the file, for the message.
 * @throws {Failure} if the text is not a single YAML document, or has a value that Pulumi's CLI reads differently than it looks.
 */
export function parseStackFile(text: string, file: string): unknown {
  // With the merge key `<<`, which the CLI supports. A warning would be the parser's own, about JavaScript.
  const document = parseDocument(text, { merge: true, logLevel: "error" });
  const [error] = document.errors;
  if (error instanceof YAMLParseError)
    throw new Failure(
      error.code === "MULTIPLE_DOCS"
        ? `${file} contains more than one YAML document`
        : `${file} is not valid YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`,
      2,
    );
  const misread: string[] = [];
  visit(document, {
    Scalar: (_key, node) => {
      if (node.type !== Scalar.PLAIN || node.source === undefined) return;
      const engine = engineValue(node.source);
      if (engine !== undefined && engine !== String(node.value))
        misread.push(`${file}: ${misreading(node.source, engine)}`);
    },
  });
  if (misread.length > 0) throw new Failure(misread.join("\n"), 2);
  const content = contentOf(document, file);
  if (isCircular(content)) throw new Failure(`${file} is not valid YAML: an alias is within its own anchor`, 2);
  return content;
}

function contentOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (isYamlError(error)) throw new Failure(`${file} is not valid YAML: ${error.message}`, 2);
    throw error;
  }
}

/** How Pulumi's CLI misreads a value, and what to write instead. */
function misreading(source: string, engine: string): string {
  const quoted = `quote it ("${source}")`;
  if (engine === source) return `${source} has more digits than a number can hold: ${quoted}`;
  const number = Number.isFinite(Number(engine)) ? `, or write ${engine}` : "";
  return `Pulumi reads ${source} as ${engine}: ${quoted}${number}`;
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
 * What Pulumi's CLI passes to a program for a plain scalar that it takes for a number or a date; undefined for others. The CLI parses with
 * gopkg.in/yaml.v3, which supports YAML 1.1's octal numbers, underscores and dates.
 * @see https://github.com/go-yaml/yaml/blob/v3.0.1/resolve.go
 */
export function engineValue(source: string): string | undefined {
  if (!/^[-+.0-9]/.test(source)) return undefined;
  return TIMESTAMP.test(source) ? engineTime(source) : engineNumber(source);
}

/** A date in the form of Go; undefined for a day that does not exist, which stays text. */
function engineTime(source: string): string | undefined {
  if (!/^\d{4}-\d{1,2}-\d{1,2}$/.test(source)) return "a timestamp";
  const [year = 0, month = 0, day = 0] = source.split("-").map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return `${date.toISOString().slice(0, 10)} 00:00:00 +0000 UTC`;
}

/** A number in decimal notation, whatever its base in the file. */
function engineNumber(source: string): string | undefined {
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
