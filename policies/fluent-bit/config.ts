import { parse } from "yaml";

/** An input, filter, output or the service of a configuration. */
export class Section {
  /** The plugin's name, such as `tail`; `service` for the service. */
  readonly name: string;
  private readonly options: ReadonlyMap<string, string>;

  constructor(name: string, options: Iterable<readonly [string, string]>) {
    this.name = name;
    this.options = new Map([...options].map(([key, value]) => [key.toLowerCase(), value]));
  }

  /** An option's value as written; its name in any case. */
  get(option: string): string | undefined {
    return this.options.get(option.toLowerCase());
  }

  isOn(option: string): boolean {
    return ["on", "true", "yes", "1"].includes((this.get(option) ?? "").toLowerCase());
  }
}

/** A Fluent Bit configuration, as far as the rules read it. */
export interface FluentBitConfig {
  readonly service: Section;
  readonly inputs: readonly Section[];
  readonly filters: readonly Section[];
  readonly outputs: readonly Section[];
}

/**
 * Reads a configuration in either format; undefined where the text is none.
 * @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit
 */
export function parseFluentBit(text: string): FluentBitConfig | undefined {
  return /^\s*\[(SERVICE|INPUT|FILTER|OUTPUT)\]\s*$/im.test(text) ? parseClassic(text) : parseYaml(text);
}

function parseClassic(text: string): FluentBitConfig {
  const sections: { readonly kind: string; readonly options: [string, string][] }[] = [];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) sections.push({ kind: header.toUpperCase(), options: [] });
    const [, key, value] = /^([^\s#@[]\S*)\s+(.+)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) sections.at(-1)?.options.push([key, value]);
  }
  const of = (kind: string) =>
    sections
      .filter((section) => section.kind === kind)
      .map(({ options }) => new Section(options.find(([key]) => key.toLowerCase() === "name")?.[1] ?? "", options));
  const service = sections.filter(({ kind }) => kind === "SERVICE").flatMap(({ options }) => options);
  return {
    service: new Section("service", service),
    inputs: of("INPUT"),
    filters: of("FILTER"),
    outputs: of("OUTPUT"),
  };
}

function parseYaml(text: string): FluentBitConfig | undefined {
  const document = parseQuietly(text);
  if (!isGroup(document) || !(isGroup(document.pipeline) || isGroup(document.service))) return undefined;
  // The OpenTelemetry Collector has a service too.
  if (isGroup(document.receivers) || isGroup(document.exporters)) return undefined;
  const pipeline = isGroup(document.pipeline) ? document.pipeline : {};
  const of = (key: string) => (Array.isArray(pipeline[key]) ? pipeline[key] : []).filter(isGroup).map(sectionOf);
  const service = new Section("service", optionsOf(isGroup(document.service) ? document.service : {}));
  return { service, inputs: of("inputs"), filters: of("filters"), outputs: of("outputs") };
}

function sectionOf(group: Group): Section {
  return new Section(String(group.name ?? ""), optionsOf(group));
}

function optionsOf(group: Group): [string, string][] {
  return Object.entries(group).map(([key, value]) => [
    key,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
}

function parseQuietly(text: string): unknown {
  try {
    // Fluent Bit reads `on` as text; so does YAML 1.2.
    return parse(text);
  } catch {
    return undefined;
  }
}

type Group = { readonly [key: string]: unknown };

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
