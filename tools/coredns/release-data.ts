import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../lab/process.ts";

/**
 * Writes `corefile/releases/VERSION.json` from CoreDNS's sources, which Go downloads: the plugins in order, and the options that each
 * accepts in braces.
 *
 *     node tools/coredns/release-data.ts 1.12.4 1.13.2 1.14.3 1.14.4 1.14.5 1.14.6 1.14.7 1.15.0
 */
const MODULE = "github.com/coredns/coredns";

/** Folders of plugins with another name in a Corefile. */
const FOLDERS: Readonly<Record<string, string>> = { prometheus: "metrics" };
/** Options that the code below cannot find, because they are not a `case` of a switch over the current word. */
const BY_HAND: Readonly<Record<string, readonly string[]>> = {
  ready: ["monitor"],
  geoip: ["edns-subnet"],
  timeouts: ["maxtcpqueries"],
};

interface Download {
  readonly Dir: string;
  readonly Info: string;
}

/** The data of one release. */
export async function release(version: string): Promise<unknown> {
  const { Dir: folder, Info: info }: Download = JSON.parse(
    await outputOf("go", ["mod", "download", "-json", `${MODULE}@v${version}`]),
  );
  const { Time: time }: { readonly Time: string } = JSON.parse(readFileSync(info, "utf8"));
  const directives = readFileSync(join(folder, "core/dnsserver/zdirectives.go"), "utf8");
  const names = [...directives.matchAll(/^\t"([a-z0-9_]+)",$/gm)].flatMap(([, name]) =>
    name === undefined ? [] : [name],
  );
  return {
    version,
    date: time.slice(0, 10),
    source: `${MODULE}@v${version}, core/dnsserver/zdirectives.go and plugin/*`,
    plugins: names.map((name) => ({ name, options: optionsOf(join(folder, "plugin", FOLDERS[name] ?? name), name) })),
  };
}

/** The cases of switches in a loop over the options in braces. */
function optionsOf(folder: string, plugin: string): string[] {
  const files = filesOf(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  const constants = new Map(
    files.flatMap((text) =>
      [...text.matchAll(/^\s*(?:const )?(\w+)\s*=\s*"([^"]*)"/gm)].map(([, name = "", value = ""]) => [name, value]),
    ),
  );
  const options = files.flatMap((text) => [...loops(text)].flatMap((body) => casesOf(body, constants)));
  return [
    ...new Set([
      ...options,
      ...(BY_HAND[plugin] ?? []).filter((option) => files.some((text) => text.includes(`"${option}"`))),
    ]),
  ];
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith(".go") && !file.endsWith("_test.go"));
  } catch {
    return []; // `on` comes from Caddy
  }
}

/** Bodies of `for c.NextBlock()` loops, and of the functions that they call for each option. */
function* loops(text: string): Generator<string> {
  for (const { index } of text.matchAll(/for c\.NextBlock\(\) \{|func parseBlock\([^)]*\) error \{/g)) {
    yield braces(text, text.indexOf("{", index));
  }
}

function braces(text: string, start: number): string {
  let depth = 0;
  for (let position = start; position < text.length; position += 1) {
    if (text[position] === "{") depth += 1;
    if (text[position] === "}") depth -= 1;
    if (depth === 0) return text.slice(start + 1, position);
  }
  return text.slice(start + 1);
}

/** The labels of the outermost switch over the option's name. */
function casesOf(body: string, constants: ReadonlyMap<string, string>): string[] {
  const found = /switch (?:x := c\.Val\(\); x|c\.Val\(\)|selector|action|block) \{/.exec(body);
  if (found === null) return [];
  const inner = braces(body, found.index + found[0].length - 1);
  const labels = outermost(inner).matchAll(/\bcase ([^:]+):/g);
  return [...labels].flatMap(([, list = ""]) =>
    list.split(",").map((label) => {
      const word = label.trim();
      return word.startsWith('"') ? word.slice(1, -1) : (constants.get(word) ?? word);
    }),
  );
}

/** Text without nested braces, comments, and switches inside its cases. */
function outermost(text: string): string {
  let depth = 0;
  let kept = "";
  for (const char of text.replace(/\/\/.*$/gm, "")) {
    if (char === "{") depth += 1;
    if (depth === 0) kept += char;
    if (char === "}") depth -= 1;
  }
  return kept;
}

if (import.meta.main) {
  for (const version of process.argv.slice(2)) {
    const file = new URL(`../../corefile/releases/${version}.json`, import.meta.url);
    writeFileSync(file, `${JSON.stringify(await release(version), null, 2)}\n`);
  }
}
