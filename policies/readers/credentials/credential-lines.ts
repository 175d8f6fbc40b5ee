import { credentialInText } from "./credential-forms.ts";
import type { TextKind } from "./credential-values.ts";
import { isCredential } from "./credential-values.ts";

/** A line with a credential. */
export interface Credential {
  /** From 1. */
  readonly line: number;
  readonly what: string;
}

/** A form in which a line has a name and its value, as groups `name` and `value`. */
export interface PairForm extends TextKind {
  /** A text in each match, in lower case: looking for it is cheap. */
  readonly part: string;
}

/** Forms of which a line may have several. */
export const PAIRS: readonly PairForm[] = [
  {
    what: "JSON",
    part: '"',
    form: /"(?<name>[\w.-]+)"\s*:\s*"(?<value>[^"]*)"/g,
    examples: ['{"token": "hunter2"}'],
  },
  {
    what: "a number in JSON",
    part: '"',
    form: /"(?<name>[\w.-]+)"\s*:\s*(?<value>\d+)/g,
    examples: ['"password": 12'],
  },
  {
    what: "a YAML mapping on one line",
    part: ":",
    form: /(?<!\$)[{,]\s*(?<name>[\w.-]+)\s*:\s+["']?(?<value>(?:\$\{[^{}]*\}|[^\s"',{}])+)/g,
    examples: ["db: {user: shop, password: hunter2}"],
    others: [`\${token: hunter2}`],
  },
  {
    what: "a constant of PHP",
    part: "define(",
    form: /\bdefine\(\s*['"](?<name>\w+)['"]\s*,\s*['"](?<value>[^'"]+)['"]/g,
    examples: ["define('DB_PASSWORD', 'hunter2');"],
  },
  {
    what: "a hash of PHP or Ruby",
    part: "=>",
    form: /['":](?<name>\w+)['"]?\s*=>\s*['"](?<value>[^'"]+)['"]/g,
    examples: ["'password' => 'hunter2'", ':password => "hunter2"'],
  },
  {
    what: "a variable of JavaScript or PHP",
    part: "=",
    form: /(?:\b(?:const|let|var)\s+|\$)(?<name>\w+)\s*=\s*["'](?<value>[^"'$]+)["']/g,
    examples: ['const apiKey = "hunter2";', "$dbpasswd = 'hunter2';"],
  },
  {
    what: "Fluent Bit's option header",
    part: "header",
    form: /^\s*(?:-\s+)?header(?::\s*|\s+)["']?(?<name>[\w.-]+)\s+(?<value>[^"']+)/gi,
    examples: ["    Header DD-API-KEY hunter2", "  header: Api-Key hunter2"],
  },
  {
    what: "an XML element",
    part: "<",
    form: /<(?<name>[\w:.-]+)(?:\s[^<>]*)?>(?<value>[^<>]+)<\/\k<name>\s*>/g,
    examples: ["<password>hunter2</password>"],
  },
  {
    what: "an XML attribute",
    part: "<",
    form: /\s(?<name>[\w:.-]+)\s*=\s*"(?<value>[^"]*)"/g,
    examples: ['<Resource name="jdbc/shop" password="hunter2"/>'],
  },
  {
    what: "XML with name and value in two attributes",
    part: "<",
    form: /\s(?:name|key)\s*=\s*"(?<name>[^"]*)"\s+value\s*=\s*"(?<value>[^"]*)"/g,
    examples: ['<property name="dataSource.password" value="hunter2"/>'],
  },
  {
    what: "XML with the name in an attribute",
    part: "<",
    form: /<(?:property|prop|entry|param)\s(?:name|key)\s*=\s*"(?<name>[^"]*)"[^<>]*>(?<value>[^<>]+)</g,
    examples: ['<property name="connection.password">hunter2</property>'],
  },
];

/** A whole line: YAML, INI, an environment file or a Java properties file. */
const ASSIGNMENT = /^\s*(?:-\s+|export\s+)?["']?(?<name>[\w.-]+)["']?\s*(?::=|[:=])\s*["']?(?<value>[^"'#;]+)/;
/** The two words of a classic configuration line. */
const WORDS = /^\s*(?<name>[\w.-]+)\s+["']?(?<value>[^\s"';]+)["']?;?\s*$/;
/** First word of a heading such as `Password reset` and `secrets management`, whose second word has only letters. */
const HEADING = /^(?:[A-Z][a-z]+|[a-z]+s)$/;
const LETTERS = /^\p{L}+$/u;
/** A comment of shells, INI, JavaScript or XML, but not a line of .npmrc, which begins with two slashes too. */
const COMMENT = /^\s*(?:#|;|\/\/(?![\w.-]+\/:_)|<!--)/;
/** A YAML name whose value is on the lines below: `password: |`. */
const BLOCK = /^(?<indent>\s*)(?:-\s+)?["']?(?<name>[\w.-]+)["']?:\s*[|>][+-]?\s*$/;
/** An item of Fluent Bit's option `header`: `- X-Dataset prod`. */
const HEADER_ITEM = /^\s*-\s+["']?(?<name>[\w.-]+)\s+(?<value>[^"']+)/;
/** A property of Hadoop, with name and value on two lines. */
const PROPERTY = /<name>\s*(?<name>[^<\s]+)\s*<\/name>\s*<value>(?<value>[^<]*)<\/value>/g;

/**
 * Lines of any program's configuration file with a literal password, key or token.
 * @param name The file's, which tells what a one-line text is.
 */
export function credentialsIn(text: string, name?: string): Credential[] {
  const lines = text.split("\n");
  const kinds = lines.map(
    (line, index) => credentialIn(line) ?? credentialBelow(line, lines.slice(index + 1, index + 3)),
  );
  for (const index of headerItems(lines)) kinds[index] ??= literal(HEADER_ITEM.exec(lines[index] ?? "")?.groups);
  if (name !== undefined && lines.length === 1) kinds[0] ??= literal({ name, value: text });
  for (const { line, what } of propertiesOfXml(text)) kinds[line - 1] ??= what;
  return kinds.flatMap((what, index) => (what === undefined ? [] : [{ line: index + 1, what }]));
}

/** What a finding calls a named value; undefined if it is no credential. */
function literal({ name = "", value = "" }: Partial<Record<string, string>> = {}): string | undefined {
  return isCredential(name, value) ? `a literal ${name}` : undefined;
}

function credentialIn(line: string): string | undefined {
  if (line.trim() === "" || COMMENT.test(line)) return undefined;
  return (
    credentialInText(line) ??
    pairsIn(line)
      .map(literal)
      .find((what) => what !== undefined)
  );
}

/** A one-word YAML block below its name. */
function credentialBelow(line: string, [next = "", after = ""]: readonly string[]): string | undefined {
  const { indent = "", name } = BLOCK.exec(line)?.groups ?? {};
  const isBelow = (one: string) => one.trim() !== "" && one.search(/\S/) > indent.length;
  if (name === undefined || !isBelow(next) || isBelow(after) || /\s/.test(next.trim())) return undefined;
  return literal({ name, value: next });
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

type Pair = Partial<Record<string, string>>;

/** Names and values in a line of any format. */
function pairsIn(line: string): Pair[] {
  const lower = line.toLowerCase();
  const inside = PAIRS.flatMap(({ part, form }) => (lower.includes(part) ? [...line.matchAll(form)] : []));
  const whole = ASSIGNMENT.exec(line) ?? wordsOf(line);
  return [...inside, whole].flatMap((match) => (match?.groups === undefined ? [] : [match.groups]));
}

function wordsOf(line: string): RegExpExecArray | undefined {
  const words = WORDS.exec(line);
  const { name = "", value = "" } = words?.groups ?? {};
  return HEADING.test(name) && LETTERS.test(value) ? undefined : (words ?? undefined);
}

function propertiesOfXml(text: string): Credential[] {
  return [...text.matchAll(PROPERTY)].flatMap((property) => {
    const { name, value = "" } = property.groups ?? {};
    const what = literal({ name, value: value.trim() });
    if (what === undefined) return [];
    const before = text.slice(0, property.index + property[0].lastIndexOf("<value>"));
    return [{ line: before.split("\n").length, what }];
  });
}
