import { type Field, Undecided } from "../core/field.ts";

/** An input, filter, output or the service of a configuration that runs. */
export class Section {
  /** The plugin's name in lower case, such as `tail`; `service` for the service. */
  readonly name: string;
  /** The file that it stands in. */
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
    this.name = (this.options.get("name") ?? name).toLowerCase();
    this.file = file;
    this.variables = variables;
  }

  /** An option's value as written; its name in any case. */
  written(option: string): string | undefined {
    return this.options.get(option.toLowerCase());
  }

  /**
   * An option's value, with the variables in it filled in.
   * @throws {Undecided} where nobody knows the value of one.
   */
  get(option: string): string | undefined {
    return this.written(option)?.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
      const value = this.variables.get(name);
      if (value !== undefined) return value;
      throw new Undecided(
        this.file,
        `has \${${name}} for ${option} of ${this.name}, of which this stack does not say the value`,
      );
    });
  }

  /** @throws {Undecided} */
  isOn(option: string): boolean {
    return ["on", "true", "yes", "1"].includes((this.get(option) ?? "").toLowerCase());
  }
}
