import { readFileSync } from "node:fs";
import { stringify } from "yaml";

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

/**
 * The sections of a script, each from a comment line `# section: NAME` to the next. Text before the first is for readers only.
 * @returns A section's lines without comments, blank lines and indented comments; throws for a name that is not there.
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

/** The newest texts of {@link yamlText}, by their value as JSON. */
const texts = new Map<string, string>();
const MAX_TEXTS = 64;

/**
 * A configuration as YAML, every value on one line and nothing by reference. The same value is written once: a check of the settings
 * renders what the component renders again.
 * @param compat `yaml-1.1` for a reader that takes a text such as `1_000` or `2026-01-01` for a number or a date. Default: YAML 1.2.
 */
export function yamlText(value: object, compat: "yaml-1.1" | "core" = "core"): string {
  const key = `${compat} ${JSON.stringify(value)}`;
  const text = texts.get(key) ?? stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat });
  if (texts.size >= MAX_TEXTS) texts.clear();
  texts.set(key, text);
  return text;
}
