/** Folder for buffers and read positions. */
export const STATE_FOLDER = "/var/lib/fluentd";

/** Options of a section: names and values. */
export type Options = Readonly<Record<string, string | number | boolean | undefined>>;

/** A section of Fluentd's configuration. */
export interface Section {
  readonly name: string;
  /** Argument of the section: a tag or the name of a label. Default: none. */
  readonly of?: string;
  readonly options?: Options;
  readonly sections?: readonly Section[];
}

/** A value that Fluentd reads from an environment variable at start, so that the configuration contains no secret. */
export function variable(name: string): string {
  return `"#{ENV['${name}']}"`;
}

/**
 * Text in single quotes, in which Fluentd evaluates no Ruby.
 * @see https://docs.fluentd.org/configuration/config-file#supported-data-types-for-values
 */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The text of a configuration. Values are not escaped; pass user input through `quoted`. */
export function configurationText(sections: readonly Section[], indent = ""): string {
  return sections.map((section) => sectionText(section, indent)).join("");
}

function sectionText({ name, of, options = {}, sections = [] }: Section, indent: string): string {
  const lines = Object.entries(options).flatMap(([key, value]) =>
    value === undefined ? [] : [`${indent}  ${key} ${value}\n`],
  );
  const begin = of === undefined ? name : `${name} ${of}`;
  return `${indent}<${begin}>\n${lines.join("")}${configurationText(sections, `${indent}  `)}${indent}</${name}>\n`;
}
