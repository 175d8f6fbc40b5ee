import { type Field, Undecided } from "../core/resource.ts";
import { type Group, isGroup, parseQuietly } from "./yaml-texts.ts";

/** Parts of a configuration that rules read. */
const KINDS = ["service", "inputs", "filters", "outputs", "nodes"] as const;
export type SectionKind = (typeof KINDS)[number];

/** A part of a configuration as written. */
export interface WrittenSection {
  readonly kind: SectionKind;
  readonly options: readonly (readonly [option: string, value: string])[];
}

/** The parts that rules read of a Fluent Bit configuration file. */
export interface WrittenConfig {
  readonly sections: readonly WrittenSection[];
  /** Values for `${NAME}` that the file sets. */
  readonly variables: readonly (readonly [name: string, value: string])[];
}

/**
 * Parses a configuration file in either format; undefined if the text is not one.
 * @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit
 */
export function parseFluentBit(text: string): WrittenConfig | undefined {
  return /^[^\S\n]*\[(SERVICE|INPUT|FILTER|OUTPUT|UPSTREAM)\][^\S\n]*$/im.test(text)
    ? parseClassic(text)
    : parseYaml(text);
}

/** Sections of the classic format that rules read. */
const CLASSIC_KINDS: Readonly<Record<string, SectionKind>> = {
  SERVICE: "service",
  INPUT: "inputs",
  FILTER: "filters",
  OUTPUT: "outputs",
  NODE: "nodes",
};

function parseClassic(text: string): WrittenConfig {
  const sections: { readonly kind: SectionKind | undefined; readonly options: [string, string][] }[] = [];
  const variables: [string, string][] = [];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) sections.push({ kind: CLASSIC_KINDS[header.toUpperCase()], options: [] });
    const [, variable, set] = /^@SET\s+([^=\s]+)\s*=\s*(.*)$/i.exec(line) ?? [];
    if (variable !== undefined && set !== undefined) variables.push([variable, set]);
    const [, key, value] = /^([^\s#@[]\S*)\s+(.+)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) sections.at(-1)?.options.push([key, value]);
  }
  return {
    sections: sections.flatMap(({ kind, options }) => (kind === undefined ? [] : [{ kind, options }])),
    variables,
  };
}

function parseYaml(text: string): WrittenConfig | undefined {
  const document = parseQuietly(text);
  if (!isGroup(document) || !(isGroup(document.pipeline) || isGroup(document.service) || nodesIn(document).length > 0))
    return undefined;
  // The OpenTelemetry Collector has a service too.
  if (isGroup(document.receivers) || isGroup(document.exporters)) return undefined;
  const pipeline = isGroup(document.pipeline) ? document.pipeline : {};
  const sections = KINDS.flatMap((kind) => {
    const groups = kind === "service" ? [document.service] : kind === "nodes" ? nodesIn(document) : pipeline[kind];
    return (Array.isArray(groups) ? groups : []).filter(isGroup).map((group) => ({ kind, options: optionsOf(group) }));
  });
  return { sections, variables: optionsOf(isGroup(document.env) ? document.env : {}) };
}

/** Nodes of upstream servers among which outputs distribute lines. */
function nodesIn({ upstream_servers: servers }: Group): unknown[] {
  const groups = (Array.isArray(servers) ? servers : []).filter(isGroup);
  return groups.flatMap(({ nodes }) => (Array.isArray(nodes) ? nodes : []));
}

function optionsOf(group: Group): [string, string][] {
  return Object.entries(group).map(([key, value]) => [
    key,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
}

/** An input, filter, output, node or the service of a running configuration. */
export class Section {
  /** The plugin's name in lower case, such as `tail`; `service` for the service and `node` for a node. */
  readonly name: string;
  /** Its file. */
  readonly file: Field;
  private readonly options: ReadonlyMap<string, string>;
  private readonly variables: ReadonlyMap<string, string>;

  constructor(
    name: string,
    file: Field,
    options: Iterable<readonly [string, string]>,
    variables: ReadonlyMap<string, string>,
  ) {
    this.options = new Map([...options].map(([key, value]) => [key.toLowerCase(), value]));
    this.name = (name === "node" ? name : (this.options.get("name") ?? name)).toLowerCase();
    this.file = file;
    this.variables = variables;
  }

  /** An option's value as written; the name is case-insensitive. */
  written(option: string): string | undefined {
    return this.options.get(option.toLowerCase());
  }

  /**
   * An option's value, with its variables substituted.
   * @throws {Undecided} if a variable's value is unknown.
   */
  get(option: string): string | undefined {
    return this.written(option)?.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
      const value = this.variables.get(name);
      if (value !== undefined) return value;
      throw new Undecided(
        this.file,
        `has \${${name}} for ${option} of ${this.name}, whose value this stack does not set`,
      );
    });
  }

  /** @throws {Undecided} */
  isOn(option: string): boolean {
    return ["on", "true", "yes", "1"].includes((this.get(option) ?? "").toLowerCase());
  }
}
