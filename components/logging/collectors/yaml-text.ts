import { Document, Scalar, stringify, type ToStringOptions, visit } from "yaml";

/** How a text is read: see {@link yamlText}. */
type Compat = "yaml-1.1" | "core";

/** Recent texts of sections, by their value as JSON. */
const texts: Readonly<Record<Compat, Map<string, string>>> = { "yaml-1.1": new Map(), core: new Map() };
const MAX_TEXTS = 2000;

const WIDTH: ToStringOptions = { lineWidth: 0 };

/**
 * Characters that YAML 1.1 parsers treat as a line break, or reject, anywhere in a text: those of Go, C and Rust.
 * @see https://yaml.org/spec/1.1/#b-line-separator
 */
const UNREADABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
const UNREADABLE_ALL = new RegExp(UNREADABLE, "g");

/** Levels whose entries are cached as separate sections: Fluent Bit's are items of `pipeline.inputs`. */
const SECTION_LEVELS = 3;

/**
 * A configuration as YAML, every value on one line and without references. Sections are cached: a check of the settings renders the
 * collector for each of them, which changes few sections, and then the component renders it again.
 * @param compat `yaml-1.1` for parsers that read a text such as `1_000` or `2026-01-01` as a number or date. Default: YAML 1.2.
 */
export function yamlText(value: object, compat: Compat = "core"): string {
  return textOf(value, SECTION_LEVELS, compat);
}

function textOf(value: unknown, levels: number, compat: Compat): string {
  if (levels > 0 && hasEntries(value)) {
    if (Array.isArray(value)) return value.map((item) => itemText(item, levels, compat)).join("");
    return Object.entries(value)
      .map(([key, member]) => memberText(key, member, levels, compat))
      .join("");
  }
  return sectionText(value, compat);
}

function itemText(item: unknown, levels: number, compat: Compat): string {
  if (levels === 1 || !hasEntries(item)) return sectionText([item], compat);
  return `- ${indented(textOf(item, levels - 1, compat)).slice(2)}`;
}

function memberText(key: string, member: unknown, levels: number, compat: Compat): string {
  if (member === undefined) return "";
  if (levels > 1 && hasEntries(member)) {
    const [head, ...others] = sectionText({ [key]: {} }, compat).split(" {}\n");
    // A very long key is written in another form.
    if (head !== undefined && others.length === 1 && !head.startsWith("?"))
      return `${head}\n${indented(textOf(member, levels - 1, compat))}`;
  }
  return sectionText({ [key]: member }, compat);
}

function sectionText(value: unknown, compat: Compat): string {
  const known = texts[compat];
  const key = JSON.stringify(value);
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MAX_TEXTS) known.clear();
  const text = written(value, compat, UNREADABLE.test(key));
  known.set(key, text);
  return text;
}

/** @param hasUnreadable Whether a text contains characters that must be quoted and escaped. */
function written(value: unknown, compat: Compat, hasUnreadable: boolean): string {
  if (!hasUnreadable) return stringify(value, { aliasDuplicateObjects: false, compat, ...WIDTH });
  return textByCode(new Document(value, { aliasDuplicateObjects: false, compat }));
}

/** The text of a document, with the characters that YAML 1.1 parsers misread escaped. */
export function textByCode(document: Document): string {
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === "string" && UNREADABLE.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString(WIDTH).replaceAll(UNREADABLE_ALL, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Whether a value takes several lines. */
function hasEntries(value: unknown): value is object {
  if (Array.isArray(value)) return value.length > 0;
  return (
    Object.prototype.toString.call(value) === "[object Object]" &&
    Object.values(Object(value)).some((member) => member !== undefined)
  );
}

/** Indents by one level; empty lines, as in a multi-line text, stay empty. */
function indented(text: string): string {
  const lines = text.split("\n");
  return lines.map((line) => (line === "" ? "" : `  ${line}`)).join("\n");
}
