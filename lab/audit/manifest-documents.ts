import { type Document, isScalar, Lexer, LineCounter, parseAllDocuments, type ScalarTag } from "yaml";
import { isObject } from "../../components/schema/values.ts";
import { isCredential } from "../../policies/readers/credentials/credential-values.ts";

/** One JSON document of a file that may hold several. */
interface JsonDocument {
  readonly content: unknown;
  /** Line of its first character, from 1. */
  readonly line: number;
}

/** JSON documents followed by text that is not JSON: YAML, or a truncated file. */
interface JsonBreak {
  /** Line of that text, from 1. */
  readonly brokenAt: number;
}

/** Deeper documents would overflow the stack; API servers reject ten thousand levels. */
const MAX_DEPTH = 1000;

/**
 * Reads concatenated JSON documents, on separate lines or not, as `kubectl get -o json` and `jq -c` write them; undefined if the text is
 * not JSON. Of duplicate keys the last counts, as in kubectl.
 * @see https://kubernetes.io/docs/reference/kubectl/generated/kubectl_apply/
 */
export function jsonDocuments(text: string): JsonDocument[] | JsonBreak | undefined {
  const documents: JsonDocument[] = [];
  let line = 1;
  let last = 0;
  let position = startOf(text, 0);
  while (position < text.length) {
    if (text[position] !== "{" && text[position] !== "[") return undefined;
    line += lineEnds(text, last, position);
    last = position;
    const end = endOf(text, position);
    if (end === undefined) return undefined;
    try {
      documents.push({ content: JSON.parse(text.slice(position, end)), line });
    } catch {
      return documents.length === 0 ? undefined : { brokenAt: line };
    }
    position = startOf(text, end);
  }
  return documents.length === 0 ? undefined : documents;
}

/** Index of the next document, after white space and YAML document separators. */
function startOf(text: string, from: number): number {
  const gap = /(?:\s|---(?=\s))*/y;
  gap.lastIndex = from;
  gap.exec(text);
  return gap.lastIndex;
}

/** Index after the bracket that closes the document at `start`; undefined if it is nested too deeply. */
function endOf(text: string, start: number): number | undefined {
  const mark = /["\\[\]{}]/g;
  mark.lastIndex = start;
  let depth = 0;
  let isQuoted = false;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    if (found[0] === "\\") mark.lastIndex += 1;
    else if (found[0] === '"') isQuoted = !isQuoted;
    else if (!isQuoted) depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
    if (depth > MAX_DEPTH) return undefined;
  }
  return text.length;
}

function lineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/** Plain words that kubectl reads as Booleans, as in YAML 1.1: `privileged: yes` makes a privileged pod. */
const BOOLEAN_WORDS: ScalarTag = {
  tag: "tag:yaml.org,2002:bool",
  default: true,
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  resolve: (word) => /^(y|on)/i.test(word),
};

/** The token before a scalar without quotes. */
const SCALAR = "\u001f";
/** Tokens of the lexer that are not text of the file. */
const MARKERS: readonly string[] = ["\u0002", "\u0018", SCALAR];

/** The YAML documents of a file, each with its errors, and the lines of all. */
export interface YamlDocuments {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

/**
 * Reads YAML as kubectl does. Quoted text may continue at the indentation of its key, as in many definitions of custom resources, although
 * YAML requires one space more.
 */
export function yamlDocuments(text: string): YamlDocuments {
  const written = parsed(text);
  if (!written.documents.some(({ errors }) => errors.some(({ code }) => code === "MISSING_CHAR"))) return written;
  const lenient = parsed(withDeeperQuotes(text));
  // If kubectl fails too, report the errors of the text as it was written.
  return lenient.documents.some(({ errors }) => errors.length > 0) ? written : lenient;
}

function parsed(text: string): YamlDocuments {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true, customTags: [BOOLEAN_WORDS] });
  return { documents: Array.isArray(documents) ? documents : [], lines };
}

/** Indents the continuation lines of each quoted text, which does not change its value. */
function withDeeperQuotes(text: string): string {
  let indented = text;
  let start = 0;
  for (;;) {
    const cut = cutQuote(indented, start);
    const to = cut === undefined ? undefined : closingQuote(indented, cut.end, cut.quote);
    if (cut === undefined || to === undefined) return indented;
    const { end } = cut;
    const deeper = " ".repeat(end - indented.lastIndexOf("\n", end - 1));
    indented = indented.slice(0, end) + indented.slice(end, to).replaceAll("\n", `\n${deeper}`) + indented.slice(to);
    start = cut.next;
  }
}

/** A quoted text that ends too early. */
interface CutQuote {
  readonly end: number;
  readonly quote: string;
  /** Where to search for the next one: at the start of its line or, inside braces or brackets, at the last start. */
  readonly next: number;
}

/** The first quoted text that ends too early for YAML, because its next line is not indented enough. */
function cutQuote(text: string, start: number): CutQuote | undefined {
  let end = start;
  let before = "";
  let depth = 0;
  for (const token of new Lexer().lex(text.slice(start))) {
    const from = end;
    if (!MARKERS.includes(token)) end += token.length;
    const quote = token.charAt(0);
    const isQuoted = before !== SCALAR && (quote === "'" || quote === '"');
    if (isQuoted && closingQuote(token, 1, quote) !== token.length - 1)
      return { end, quote, next: depth === 0 ? text.lastIndexOf("\n", from) + 1 : start };
    if (before !== SCALAR && "{[".includes(token)) depth += 1;
    if (before !== SCALAR && "}]".includes(token)) depth -= 1;
    before = token;
  }
  return undefined;
}

/** Index of the quote that closes a quoted text, searched from an index; undefined if the document ends first. */
function closingQuote(text: string, from: number, quote: string): number | undefined {
  const end = /\n(?:---|\.\.\.)(?=\s)/g;
  end.lastIndex = from;
  const limit = end.exec(text)?.index ?? text.length;
  const mark = quote === "'" ? /''|'/g : /\\[\s\S]|"/g;
  mark.lastIndex = from;
  for (let found = mark.exec(text); found !== null && found.index < limit; found = mark.exec(text))
    if (found[0] === quote) return found.index;
  return undefined;
}

type Path = readonly (string | number)[];

/** Fields that map to strings wherever they occur in a Kubernetes object. */
const STRING_MAPS: readonly string[] = ["labels", "matchLabels"];
/** Kinds whose `data` maps to strings. */
const WITH_DATA: readonly string[] = ["ConfigMap", "Secret"];
const NAMES = ["name", "generateName", "namespace"] as const;

/**
 * Finds the first value that must be a string and is not, such as an unquoted `n`, `1.0` or `on`: the API server rejects it, and a rule
 * would treat it as unset. Undefined if there is none.
 */
export function firstNonText(document: Document.Parsed, content: unknown): Path | undefined {
  if (!isObject(content)) return undefined;
  if (Array.isArray(content.items))
    return firstOf(content.items, (item, index) => {
      const path = nonTextInObject(item);
      return path === undefined ? undefined : ["items", index, ...path];
    });
  return document.errors.length > 0 ? undefined : nonTextInObject(content);
}

/** A sentence about such a value, quoting the file. */
export function nonTextIssue(document: Document.Parsed, path: Path, lineOf: (offset: number) => number): string {
  const node = document.getIn(path, true);
  const field = path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
  if (!isScalar(node)) return `${field} must be text`;
  const where = node.range === null || node.range === undefined ? "" : ` at line ${lineOf(node.range[0])}`;
  if (mayBeSecret(document, path)) return `${field}${where} must be text in quotes (value not shown)`;
  const written = node.source ?? String(node.value);
  return `${field}${where} must be text in quotes (found ${written}, which YAML reads as ${JSON.stringify(node.value)})`;
}

/** Whether a value is in a Secret's data, or under a name like that of a password, such as a variable's. */
function mayBeSecret(document: Document.Parsed, path: Path): boolean {
  const [key, dataKey] = [path.at(-1), path.at(-2)];
  if (dataKey === "data" && document.getIn([...path.slice(0, -2), "kind"]) === "Secret") return true;
  const name = key === "value" ? document.getIn([...path.slice(0, -1), "name"]) : key;
  return typeof name === "string" && isCredential(name, "unknown");
}

function nonTextInObject(object: unknown): Path | undefined {
  if (!isObject(object) || typeof object.apiVersion !== "string" || typeof object.kind !== "string") return undefined;
  const { metadata, kind, data } = object;
  if (!isObject(metadata)) return undefined;
  const name = NAMES.find((key) => isNonText(metadata[key]));
  if (name !== undefined) return ["metadata", name];
  // Custom resources have schemas of their own.
  if (!isBuiltIn(object.apiVersion)) return nonTextBelow(metadata, ["metadata"]);
  const inData = WITH_DATA.includes(kind) && isObject(data) ? keyOfNonText(data) : undefined;
  return inData === undefined ? nonTextBelow(object, []) : ["data", inData];
}

function isBuiltIn(apiVersion: string): boolean {
  const [group = "", version] = apiVersion.split("/");
  if (version === undefined || !group.includes(".")) return true;
  // Schemas in CustomResourceDefinitions have properties with these names.
  return group.endsWith(".k8s.io") && group !== "apiextensions.k8s.io";
}

function nonTextBelow(value: unknown, path: Path): Path | undefined {
  if (Array.isArray(value)) return firstOf(value, (item, index) => nonTextBelow(item, [...path, index]));
  if (!isObject(value)) return undefined;
  return firstOf(Object.entries(value), ([key, inner]) => {
    const here = [...path, key];
    if (STRING_MAPS.includes(key) && isObject(inner)) {
      const wrong = keyOfNonText(inner);
      return wrong === undefined ? undefined : [...here, wrong];
    }
    if (key === "env" && Array.isArray(inner))
      return firstOf(inner, (entry, index) =>
        isObject(entry) && isNonText(entry.value) ? [...here, index, "value"] : undefined,
      );
    if ((key === "command" || key === "args") && Array.isArray(inner))
      return firstOf(inner, (word, index) => (isNonText(word) ? [...here, index] : undefined));
    return nonTextBelow(inner, here);
  });
}

function keyOfNonText(map: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(map).find((key) => isNonText(map[key]));
}

/** Whether a value is set and is not a string. */
function isNonText(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== "string";
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => Path | undefined): Path | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
