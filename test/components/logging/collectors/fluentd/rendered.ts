import { fluentd } from "../../../../../components/logging/collectors/fluentd/index.ts";
import { DESTINATIONS as ALL, pipelines } from "../pipelines.ts";

/** A section as Fluentd reads it. */
export interface Parsed {
  readonly name: string;
  readonly of: string;
  readonly options: Readonly<Record<string, string>>;
  readonly sections: readonly Parsed[];
}

/** Each kind that Fluentd has. */
export const DESTINATIONS = ALL.filter(({ kind }) => kind !== "loki");

/**
 * Reads the part of Fluentd's grammar that is rendered: sections, and options whose values are plain, in quotes or JSON.
 * @see https://docs.fluentd.org/configuration/config-file
 */
export function parseConfiguration(text: string): Parsed[] {
  const lines = text.split("\n").map((line) => line.trim());
  const within = (end: string | undefined): { options: Record<string, string>; sections: Parsed[] } => {
    const options: Record<string, string> = {};
    const sections: Parsed[] = [];
    for (;;) {
      const line = lines.shift();
      if (line === end) return { options, sections };
      if (line === undefined) throw new Error(`no ${end}`);
      if (line === "") continue;
      const [, name, of = ""] = /^<([a-z_]+)(?: ([^<>]+))?>$/.exec(line) ?? [];
      if (name !== undefined) {
        sections.push({ name, of, ...within(`</${name}>`) });
        continue;
      }
      const [, key, value] = /^([@a-z][a-z0-9_]*) (.+)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) throw new Error(`neither section nor option: ${line}`);
      if (key in options) throw new Error(`twice: ${line}`);
      options[key] = readValue(value);
    }
  };
  return within(undefined).sections;
}

function readValue(text: string): string {
  if (/^'([^'\\]|\\.)*'$/.test(text)) return text.slice(1, -1).replaceAll(/\\(['\\])/g, "$1");
  // Ruby in double quotes is what Fluentd runs when it starts.
  if (/^"(#\{(ENV\['[A-Z_]+'\]|JSON\.generate\([^"{}]+\))\}|\\n)?"$/.test(text)) return text.slice(1, -1);
  if (/^[[{]/.test(text)) return JSON.stringify(JSON.parse(text));
  // A blank before a number sign begins a comment.
  if (/^['"]| #/.test(text)) throw new Error(`not a value: ${text}`);
  return text;
}

/** The pipeline of settings below `logging`. */
export const pipelineOf = pipelines({ collector: "fluentd" });

/** What Fluentd is told for settings below `logging`, taken apart. */
export function render(settings: object = {}, source?: "application") {
  const { files, args } = fluentd.render(pipelineOf(settings, source));
  const text = files["fluent.conf"] ?? "";
  const sections = parseConfiguration(text);
  const records = sections.find(({ name }) => name === "label")?.sections ?? [];
  const typed = (among: readonly Parsed[], name: string, type?: string) =>
    among.find((section) => section.name === name && (type === undefined || section.options["@type"] === type));
  const output = typed(records, "match");
  return {
    files,
    args,
    text,
    sections,
    tail: typed(sections, "source", "pod_files"),
    joins: sections.filter(({ name }) => name === "filter"),
    record: typed(records, "filter", "pod_record")?.options ?? {},
    output,
    buffer: typed(output?.sections ?? [], "buffer"),
  };
}
