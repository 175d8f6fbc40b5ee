import { readFileSync } from "node:fs";

/**
 * Reads scripts in other languages from a renderer's folder.
 * @param folder URL of the renderer's module, `import.meta.url`.
 * @param names File names, in rendering order.
 * @returns Name to text.
 */
export function readScripts(folder: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, readScript(folder, name)]));
}

/** Reads a script from a renderer's folder. */
export function readScript(folder: string, name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

/**
 * Splits a script into sections, each from a comment line `# section: NAME` to the next. Text before the first is for readers only.
 * @returns A section's lines without comments, blank lines and indented comments; throws for an unknown name.
 */
export function scriptSections(text: string): (name: string) => string {
  const [, ...parts] = text.split(/^# section: /m);
  const sections = new Map(
    parts.map((part) => {
      const [name = "", ...lines] = part.split("\n");
      return [name, lines.filter((line) => !/^\s*(#|$)/.test(line)).map((line) => `${line}\n`)];
    }),
  );
  return (name) => {
    const lines = sections.get(name);
    if (lines === undefined) throw new Error(`no section ${name}`);
    return lines.join("");
  };
}
