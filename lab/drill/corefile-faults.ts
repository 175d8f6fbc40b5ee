import { CorefileSyntaxError, type Directive, parseBlocks, servesRoot } from "eks-dns-logging-corefile";

/** Changes a Corefile; returns the same text, or undefined, if there is nothing to change. */
export type CorefileFault = (text: string) => string | undefined;

/** Blanks within a line. */
const S = "[^\\S\\n]";

/** Inserts lines at the start of the server block for all names. */
export function intoBlock(lines: string): CorefileFault {
  return inRootBlock((block) => block.replace(/^.*\n/, (head) => `${head}${lines}`));
}

/** Replaces all upstreams of outside names by one. */
export function forwardTo(upstream: string): CorefileFault {
  const upstreams = new RegExp(`^(${S}*forward${S}+\\.)(?:${S}+[^\\s{]+)+`, "m");
  return inRootBlock((block) => block.replace(upstreams, `$1 ${upstream}`));
}

/** Replaces the cluster's domain in the plugin kubernetes; a line may contain it twice, also with a final dot. */
export function answerFor(zone: string, domain: string): CorefileFault {
  const isDomain = (word: string) => word.toLowerCase().replace(/\.$/, "") === domain;
  return (text) =>
    text.replace(new RegExp(`^${S}*kubernetes${S}[^{#\\n]*`, "gm"), (line) =>
      line.replace(/\S+/g, (word) => (isDomain(word) ? zone : word)),
    );
}

/** Gives a name an address through the plugin hosts. A block has hosts at most once, so the entry is added to that of minikube or K3s. */
export function hostsEntry(address: string, name: string): CorefileFault {
  const entry = `${address} ${name}`;
  return (text) => {
    const hosts = rootDirectives(text)?.filter((directive) => directive.name === "hosts") ?? [];
    if (hosts.length === 0) return intoBlock(`    hosts {\n      ${entry}\n      fallthrough\n    }\n`)(text);
    if (!hosts.every(isForEveryName)) return undefined;
    const line = new RegExp(`^(${S}*)hosts${S}[^#\\n]*\\{${S}*\\n`, "m");
    return inRootBlock((block) => block.replace(line, (found, indent) => `${found}${indent}  ${entry}\n`))(text);
  };
}

/** Whether hosts applies to all names and falls through for unknown ones. Its first argument is a file, the others are zones. */
function isForEveryName({ args, block = [] }: Directive): boolean {
  return args.length < 2 && block.some(({ name, args: zones }) => name === "fallthrough" && zones.length === 0);
}

/** The lines of the server block for all names; undefined if it cannot be read. */
function rootDirectives(text: string): readonly Directive[] | undefined {
  try {
    return parseBlocks(text).find(servesRoot)?.directives;
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return undefined;
    throw error;
  }
}

/** Changes only the server block for all names, which may come after blocks for other zones. */
function inRootBlock(change: (block: string) => string): CorefileFault {
  return (text) => {
    const found = /^(?:dns:\/\/)?\.(?::53)?\s*\{/m.exec(text);
    if (found === null) return undefined;
    const start = found.index;
    const end = endOfBlock(text, start);
    return `${text.slice(0, start)}${change(text.slice(start, end))}${text.slice(end)}`;
  };
}

/** The position after a block's closing brace; braces in comments do not count. */
function endOfBlock(text: string, start: number): number {
  let depth = 0;
  for (const { 0: found, index } of text.slice(start).matchAll(/#.*|[{}]/g)) {
    if (found === "{") depth += 1;
    if (found === "}") depth -= 1;
    if (found === "}" && depth === 0) return start + index + 1;
  }
  return text.length;
}
