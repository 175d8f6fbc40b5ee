import { readFileSync } from "node:fs";

/**
 * Reads scripts that stand beside a renderer, each a file in its own language.
 * @param folder URL of the renderer's module, `import.meta.url`.
 * @param names File names, in the order in which they are rendered.
 * @returns Name to text.
 */
export function readScripts(folder: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, readScript(folder, name)]));
}

/** Reads one script beside a renderer. */
export function readScript(folder: string, name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}
