/** A plugin's line in a Corefile, with the lines of its block. */
export interface Plugin {
  readonly name: string;
  readonly args: readonly string[];
  /** A line each, in words. */
  readonly block: readonly (readonly string[])[];
}

/** A server block. */
export interface ServerBlock {
  /** As written, such as `.:53`. */
  readonly addresses: readonly string[];
  readonly plugins: readonly Plugin[];
}

/** Server blocks of a Corefile, as far as the rules read them; undefined where the braces do not match. */
export function parseCorefile(text: string): ServerBlock[] | undefined {
  const blocks: { addresses: string[]; plugins: { name: string; args: string[]; block: string[][] }[] }[] = [];
  let depth = 0;
  let addresses: string[] = [];
  for (const words of text
    .split("\n")
    .map(wordsOf)
    .filter(({ length }) => length > 0)) {
    const opens = words.at(-1) === "{";
    const content = opens ? words.slice(0, -1) : words;
    const [name = ""] = content;
    if (name === "}") {
      depth -= 1;
      if (depth < 0) return undefined;
    } else if (depth === 0 && name === "import") {
      // Files with more server blocks, such as k3s's, which nobody sees here.
    } else if (depth === 0) {
      // Addresses may go on over lines until the brace.
      addresses.push(...content.flatMap((word) => word.split(",")).filter((word) => word !== ""));
      if (opens) {
        blocks.push({ addresses, plugins: [] });
        addresses = [];
      }
    } else if (depth === 1) blocks.at(-1)?.plugins.push({ name, args: content.slice(1), block: [] });
    else
      blocks
        .at(-1)
        ?.plugins.at(-1)
        ?.block.push([...content]);
    if (opens) depth += 1;
  }
  if (depth !== 0 || addresses.length > 0) return undefined;
  return blocks.filter(isServed).map((block) => ({ ...block, plugins: block.plugins.flatMap(withSnippets(blocks)) }));
}

/** What a snippet brings stands in the place of its `import`; of a file that is imported nobody here knows the content. */
function withSnippets(blocks: readonly ServerBlock[], within: readonly string[] = []) {
  return (plugin: Plugin): readonly Plugin[] => {
    const name = plugin.name === "import" ? `(${plugin.args[0]})` : undefined;
    const snippet = blocks.find(({ addresses }) => name !== undefined && addresses.includes(name));
    if (name === undefined || snippet === undefined || within.includes(name)) return [plugin];
    return snippet.plugins.flatMap(withSnippets(blocks, [...within, name]));
  };
}

/** A name in parentheses is a snippet, which serves nothing by itself. */
function isServed({ addresses }: ServerBlock): boolean {
  return !addresses.some((address) => address.startsWith("("));
}

function wordsOf(line: string): string[] {
  return line
    .replace(/(^|\s)#.*$/, "")
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Whether a server block answers for every name: the zone `.`, on the port of DNS or any scheme. */
export function servesRoot({ addresses }: ServerBlock): boolean {
  return addresses.some((address) => /^(dns:\/\/)?\.(:\d+)?$/.test(address));
}

/** Seconds of a Go duration such as `5s` or `1m30s`; undefined where the text is none. */
export function seconds(text: string): number | undefined {
  const units: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, m: 60, h: 3600 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 0),
    0,
  );
}
