import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An import of one of the project's files by another, of a type too. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Static, re-exporting and dynamic imports of relative paths, as Biome formats them. */
const SPECIFIER = /(?:\bfrom |\bimport |\bimport\()"(\.[^"]+)"/g;

/** A source file by its path from the project's root, with its text. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** The sources that git knows, or does not know yet and does not ignore; tests are none. */
export function projectSources(): SourceFile[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.ts", "*.js", "*.cjs"];
  const files = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  return files
    .filter((file) => !file.startsWith("test/") && existsSync(`${ROOT}/${file}`))
    .map((file) => ({ file, text: readFileSync(`${ROOT}/${file}`, "utf8") }));
}

/** Every import among the sources. */
export function projectImports(): Import[] {
  return projectSources().flatMap(({ file, text }) => importsOf(file, text));
}

/** The relative imports in a source file; paths are from the project's root, with `/`. */
export function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(SPECIFIER)].map(([, specifier = ""]) => ({
    from: file,
    to: posix.join(posix.dirname(file), specifier),
  }));
}

/**
 * Groups of nodes that reach each other, each sorted; a node by itself is none.
 * @see https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm
 */
export function cyclesOf(edges: readonly Import[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    stack.push(node);
    for (const other of next.get(node) ?? []) {
      if (!order.has(other)) visit(other);
      if (stack.includes(other))
        lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(other) ?? order.get(other) ?? 0));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = stack.splice(stack.indexOf(node)).sort();
    if (group.length > 1) cycles.push(group);
  };
  for (const node of next.keys()) if (!order.has(node)) visit(node);
  return cycles;
}

/** A file's subject: `components/logging/collectors/index.ts` belongs to `components/logging`. */
function subjectOf(file: string): string {
  const [top = "", second = "", ...rest] = file.split("/");
  return rest.length === 0 ? top : `${top}/${second}`;
}

/** Imports between subjects, each once; one within a subject is none. */
export function subjectImports(imports: readonly Import[]): Import[] {
  const pairs = new Map<string, Import>();
  for (const edge of imports) {
    const [from, to] = [subjectOf(edge.from), subjectOf(edge.to)];
    // A file at the top of components/ or lab/ composes the folders beside it and belongs to none of them.
    if (from !== to && from.includes("/") && to.includes("/")) pairs.set(`${from} ${to}`, { from, to });
  }
  return [...pairs.values()];
}
