import { readFileSync, writeFileSync } from "node:fs";
import { complaint, each } from "./run.ts";

/**
 * Records in `test/corefile/corpus/verdicts.json` whether each release of CoreDNS starts with each Corefile of the corpus.
 *
 *     node tools/coredns/verdicts.ts 1.12.4=/path/to/coredns 1.13.2=… 1.14.3=…
 *
 * What is recorded already stays; with ALL=1 in the environment every Corefile is run again.
 */
const FOLDER = new URL("../../test/corefile/corpus/", import.meta.url);

/** Verdicts of the releases on one Corefile: `y` where it starts, `n` where it does not. */
export interface Verdicts {
  readonly versions: readonly string[];
  readonly starts: Readonly<Record<string, string>>;
}

/** The Corefiles of the corpus: each line of lines.txt in a block of its own, with | for a new line; and those of files.txt. */
export function corpus(): readonly string[] {
  const lines = readFileSync(new URL("lines.txt", FOLDER), "utf8").split("\n").slice(0, -1);
  const files = readFileSync(new URL("files.txt", FOLDER), "utf8").split(/^----\n/m);
  return [...new Set([...lines.map((line) => inBlock(line)), ...files])];
}

export function inBlock(line: string): string {
  return `.:1053 {\n${line
    .split("|")
    .map((part) => `${part}\n`)
    .join("")}}\n`;
}

export function recorded(): Verdicts {
  return JSON.parse(readFileSync(new URL("verdicts.json", FOLDER), "utf8"));
}

const WIDTH = 24;

if (import.meta.main) {
  const binaries = process.argv.slice(2).map((word) => word.split("="));
  const texts = corpus();
  const before = process.env.ALL === undefined ? recorded().starts : {};
  const fresh = texts.filter((text) => before[text] === undefined);
  const starts: Record<string, string> = Object.fromEntries(texts.map((text) => [text, before[text] ?? ""]));
  for (const [, binary = ""] of binaries) {
    const said = await each(fresh, WIDTH, (text) => complaint(binary, text));
    for (const [index, text] of fresh.entries()) starts[text] += said[index] === undefined ? "y" : "n";
  }
  const verdicts: Verdicts = { versions: binaries.map(([version = ""]) => version), starts };
  writeFileSync(new URL("verdicts.json", FOLDER), `${JSON.stringify(verdicts, null, 2)}\n`);
}
