import { CorefileSyntaxError, type Directive, parseBlocks, servesRoot } from "eks-dns-logging-corefile";

/** Changes a Corefile's text; the same text, or undefined, where it has nothing to change. */
export type CorefileFault = (text: string) => string | undefined;

/** Blanks within a line. */
const S = "[^\\S\\n]";

/** Puts lines at the start of the block that answers for every name. */
export function intoBlock(lines: string): CorefileFault {
  return inRootBlock((block) => block.replace(/^.*\n/, (head) => `${head}${lines}`));
}

/** Sends what is not the cluster's to another upstream, in place of all that there are. */
export function forwardTo(upstream: string): CorefileFault {
  const upstreams = new RegExp(`^(${S}*forward${S}+\\.)(?:${S}+[^\\s{]+)+`, "m");
  return inRootBlock((block) => block.replace(upstreams, `$1 ${upstream}`));
}

/** Gives the plugin kubernetes another zone in place of a cluster's domain, which a line may name twice, with a dot at its end. */
export function answerFor(zone: string, domain: string): CorefileFault {
  const isDomain = (word: string) => word.toLowerCase().replace(/\.$/, "") === domain;
  return (text) =>
    text.replace(new RegExp(`^${S}*kubernetes${S}[^{#\\n]*`, "gm"), (line) =>
      line.replace(/\S+/g, (word) => (isDomain(word) ? zone : word)),
    );
}

/** Gives a name an address by the plugin hosts. A block has it once, so that a name goes into the one that minikube or K3s has there. */
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

/** Whether hosts sees every name, and passes on what it does not know: its first word is a file, the others are zones. */
function isForEveryName({ args, block = [] }: Directive): boolean {
  return args.length < 2 && block.some(({ name, args: zones }) => name === "fallthrough" && zones.length === 0);
}

/** The lines of the block that answers for every name; undefined where none can be read. */
function rootDirectives(text: string): readonly Directive[] | undefined {
  try {
    return parseBlocks(text).find(servesRoot)?.directives;
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return undefined;
    throw error;
  }
}

/** Changes the block that answers for every name alone, since a Corefile may have one for another zone before it. */
function inRootBlock(change: (block: string) => string): CorefileFault {
  return (text) => {
    const found = /^(?:dns:\/\/)?\.(?::53)?\s*\{/m.exec(text);
    if (found === null) return undefined;
    const start = found.index;
    const end = endOfBlock(text, start);
    return `${text.slice(0, start)}${change(text.slice(start, end))}${text.slice(end)}`;
  };
}

/** Position after the brace that ends the block which starts at a position, whatever its comments have. */
function endOfBlock(text: string, start: number): number {
  let depth = 0;
  for (const { 0: found, index } of text.slice(start).matchAll(/#.*|[{}]/g)) {
    if (found === "{") depth += 1;
    if (found === "}") depth -= 1;
    if (found === "}" && depth === 0) return start + index + 1;
  }
  return text.length;
}
