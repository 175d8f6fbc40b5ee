import { credentialInText, isCredential, isReference } from "./credentials.ts";

/** A line with a credential. */
export interface Credential {
  /** From 1. */
  readonly line: number;
  readonly what: string;
}

/**
 * Lines of any program's configuration file with a literal password, key or token.
 * @param name The file's, which tells what a one-line text is.
 */
export function credentialsIn(text: string, name?: string): Credential[] {
  const lines = text.split("\n");
  const found = lines.map(
    (line, index) => credentialIn(line) ?? credentialBelow(line, lines.slice(index + 1, index + 3)),
  );
  for (const index of headerItems(lines)) found[index] ??= credentialInHeader(lines[index] ?? "");
  if (name !== undefined && lines.length === 1 && isCredential(name, text)) found[0] ??= `a literal ${name}`;
  for (const { line, what } of propertiesOfXml(text)) found[line - 1] ??= what;
  return found.flatMap((what, index) => (what === undefined ? [] : [{ line: index + 1, what }]));
}

function credentialIn(line: string): string | undefined {
  if (line.trim() === "") return undefined;
  if (/^\s*(#|;|\/\/(?![\w.-]+\/:_)|<!--)/.test(line)) return undefined;
  const pairs = pairsIn(line);
  return (
    credentialInText(line) ??
    pairs.filter(([name, value]) => isCredential(name, value)).map(([name]) => `a literal ${name}`)[0]
  );
}

/** A one-word YAML block below its name: `password: |`. */
function credentialBelow(line: string, [next = "", after = ""]: readonly string[]): string | undefined {
  const [, indent = "", name] = /^(\s*)(?:-\s+)?["']?([\w.-]+)["']?:\s*[|>][+-]?\s*$/.exec(line) ?? [];
  const isBelow = (one: string) => one.trim() !== "" && one.search(/\S/) > indent.length;
  if (name === undefined || !isBelow(next) || isBelow(after) || /\s/.test(next.trim())) return undefined;
  return isCredential(name, next) ? `a literal ${name}` : undefined;
}

/** Line indices of the items of Fluent Bit's option `header`. */
function headerItems(lines: readonly string[]): number[] {
  let isBelow = false;
  return lines.flatMap((line, index) => {
    const isItem = isBelow && /^\s*-\s/.test(line);
    isBelow = isItem || /^\s*(?:-\s+)?header:\s*$/i.test(line);
    return isItem ? [index] : [];
  });
}

/** In an item with name and value. */
function credentialInHeader(item: string): string | undefined {
  const [, name = "", value = ""] = /^\s*-\s+["']?([\w.-]+)\s+([^"']+)/.exec(item) ?? [];
  return isCredential(name, value) ? `a literal ${name}` : undefined;
}

/** Names and values in YAML, INI, one-line JSON, XML, program code or the words of a classic configuration. */
function pairsIn(line: string): [name: string, value: string][] {
  const inline = [
    ...line.matchAll(/"([\w.-]+)"\s*:\s*"([^"]*)"/g),
    ...line.matchAll(/"([\w.-]+)"\s*:\s*(\d+)/g),
    ...line.matchAll(/(?<!\$)[{,]\s*([\w.-]+)\s*:\s+["']?((?:\$\{[^{}]*\}|[^\s"',{}])+)/g),
    ...line.matchAll(/\bdefine\(\s*['"](\w+)['"]\s*,\s*['"]([^'"]+)['"]/g),
    ...line.matchAll(/['":](\w+)['"]?\s*=>\s*['"]([^'"]+)['"]/g),
    ...line.matchAll(/(?:\b(?:const|let|var)\s+|\$)(\w+)\s*=\s*["']([^"'$]+)["']/g),
    ...(line.includes("<") ? pairsInXml(line) : []),
    ...line.matchAll(/^\s*(?:-\s+)?header(?::\s*|\s+)["']?([\w.-]+)\s+([^"']+)/gi),
  ].map(([, name = "", value = ""]): [string, string] => [name, value]);
  const [, name, value] =
    /^\s*(?:-\s+|export\s+)?["']?([\w.-]+)["']?\s*(?::=|[:=])\s*["']?([^"'#;]+)/.exec(line) ?? wordsOf(line) ?? [];
  return name === undefined || value === undefined ? inline : [...inline, [name, value]];
}

/** The two words of a classic configuration line. `Password reset` and `secrets management` are headings. */
function wordsOf(line: string): RegExpExecArray | undefined {
  const words = /^\s*([\w.-]+)\s+["']?([^\s"';]+)["']?;?\s*$/.exec(line);
  const [, name = "", value = ""] = words ?? [];
  const isHeading = /^([A-Z][a-z]+|[a-z]+s)$/.test(name) && /^\p{L}+$/u.test(value);
  return isHeading ? undefined : (words ?? undefined);
}

/** Elements and attributes by name, and name and value in two attributes or in an attribute and the content. */
function pairsInXml(line: string): RegExpExecArray[] {
  return [
    ...line.matchAll(/<([\w:.-]+)(?:\s[^<>]*)?>([^<>]+)<\/\1\s*>/g),
    ...line.matchAll(/\s([\w:.-]+)\s*=\s*"([^"]*)"/g),
    ...line.matchAll(/\s(?:name|key)\s*=\s*"([^"]*)"\s+value\s*=\s*"([^"]*)"/g),
    ...line.matchAll(/<(?:property|prop|entry|param)\s(?:name|key)\s*=\s*"([^"]*)"[^<>]*>([^<>]+)</g),
  ];
}

/** Hadoop properties, with name and value on two lines. */
function propertiesOfXml(text: string): Credential[] {
  return [...text.matchAll(/<name>\s*([^<\s]+)\s*<\/name>\s*<value>([^<]*)<\/value>/g)].flatMap((found) => {
    const [whole, name = "", content = ""] = found;
    const value = content.trim();
    if (!isCredential(name, value) || isReference(value)) return [];
    const before = text.slice(0, found.index + whole.lastIndexOf("<value>"));
    return [{ line: before.split("\n").length, what: `a literal ${name}` }];
  });
}
