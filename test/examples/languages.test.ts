import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** A type of the package's schema, as far as the examples need it. */
interface Spec {
  /** Whether an output is refused. */
  readonly plain?: boolean;
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: Spec;
  readonly additionalProperties?: Spec;
  readonly oneOf?: readonly Spec[];
}

interface ObjectSpec {
  readonly properties?: Readonly<Record<string, Spec>>;
  readonly required?: readonly string[];
  readonly enum?: readonly { readonly name: string; readonly value: string }[];
}

interface Schema {
  readonly types: Readonly<Record<string, ObjectSpec>>;
  readonly resources: Readonly<
    Record<
      string,
      { inputProperties: Record<string, Spec>; requiredInputs: string[]; properties: Record<string, Spec> }
    >
  >;
}

const example = (file: string) => readFileSync(new URL(`../../examples/${file}`, import.meta.url), "utf8");
const SCHEMA: Schema = JSON.parse(readFileSync(new URL("../../library/schema.json", import.meta.url), "utf8"));

/** The inputs of a component, or the properties of a type. */
function objectOf(token: string): ObjectSpec | undefined {
  const resource = SCHEMA.resources[token];
  return resource === undefined
    ? SCHEMA.types[token]
    : { properties: resource.inputProperties, required: resource.requiredInputs };
}

/** What is wrong with a value of a YAML program. */
function mistakes(value: unknown, spec: Spec, path: string): string[] {
  if (spec.oneOf !== undefined) {
    const found = spec.oneOf.map((one) => mistakes(value, one, path));
    return found.some((one) => one.length === 0) ? [] : (found[0] ?? []);
  }
  // A reference to an output of a resource.
  if (typeof value === "string" && /^\$\{.+\}$/.test(value)) return [];
  const named = spec.$ref === undefined ? undefined : objectOf(spec.$ref.replace("#/types/", ""));
  if (named?.enum !== undefined)
    return named.enum.some((member) => member.value === value) ? [] : [`${path} is no value of ${spec.$ref}`];
  if (named !== undefined) return objectMistakes(value, named, path);
  if (spec.type === "array") {
    if (!Array.isArray(value)) return [`${path} is no array`];
    return value.flatMap((item, index) => mistakes(item, spec.items ?? {}, `${path}[${index}]`));
  }
  if (spec.type === "object")
    return Object.entries(Object(value)).flatMap(([key, inner]) =>
      mistakes(inner, spec.additionalProperties ?? {}, `${path}.${key}`),
    );
  const type = Number.isInteger(value) ? "integer" : typeof value;
  return type === spec.type ? [] : [`${path} is ${type}, not ${spec.type}`];
}

function objectMistakes(value: unknown, { properties = {}, required = [] }: ObjectSpec, path: string): string[] {
  const entries = Object.entries(Object(value));
  const missing = required.filter((key) => !entries.some(([given]) => given === key));
  return [
    ...missing.map((key) => `${path}.${key} is missing`),
    ...entries.flatMap(([key, inner]) => {
      const spec = properties[key];
      return spec === undefined ? [`${path}.${key} is unknown`] : mistakes(inner, spec, `${path}.${key}`);
    }),
  ];
}

/** What follows an opening bracket, up to the one that closes it. */
function inside(text: string, start: number): string {
  let depth = 1;
  for (let index = start; index < text.length; index++) {
    if ("([{".includes(text[index] ?? "")) depth++;
    if (")]}".includes(text[index] ?? "") && --depth === 0) return text.slice(start, index);
  }
  throw new Error("a bracket is open to the end");
}

/** The text without what stands in brackets. */
function outermost(text: string): string {
  const flat = text.replaceAll(/"[^"]*"/g, '""');
  const without = flat.replaceAll(/\([^()[\]{}]*\)|\[[^()[\]{}]*\]|\{[^()[\]{}]*\}/g, "");
  return without === flat ? flat : outermost(without);
}

/** What is wrong with the objects that a program of another language makes, by their names and keys. */
function programMistakes(text: string, object: RegExp, key: RegExp, named: (key: string) => string): string[] {
  return [...text.matchAll(object)].flatMap((match) => {
    const [whole, module = "", type = ""] = match;
    const token = `eks-dns-logging:${module}:${type}`;
    const spec = objectOf(token);
    if (spec === undefined) return [`${token} is unknown`];
    const keys = [...outermost(inside(text, match.index + whole.length)).matchAll(key)].map(([, one = ""]) =>
      named(one),
    );
    const missing = (spec.required ?? []).filter((one) => !keys.includes(one));
    return [
      ...keys.filter((one) => spec.properties?.[one] === undefined).map((one) => `${token}.${one} is unknown`),
      ...missing.map((one) => `${token}.${one} is missing`),
    ];
  });
}

const python = (text: string) =>
  programMistakes(text, /\b(cluster|dns|logging|team)\.(\w+?)(?:Args)?\(/g, /(?:^|,)\s*(\w+)=/g, (key) =>
    key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
  );
const go = (text: string) =>
  programMistakes(
    text,
    /\b(cluster|dns|logging|team)\.(\w+)Args\{/g,
    /(?:^|,)\s*(\w+):/g,
    (key) => `${key.charAt(0).toLowerCase()}${key.slice(1)}`,
  );

/** Arguments of the Go program that are given as what they are not: a value where an input is asked for, or an input where a value is. */
function goInputs(text: string): string[] {
  return [...text.matchAll(/\b(cluster|dns|logging|team)\.(\w+)Args\{/g)].flatMap((match) => {
    const [whole, module = "", type = ""] = match;
    const { properties = {} } = objectOf(`eks-dns-logging:${module}:${type}`) ?? {};
    const fields = outermost(inside(text, match.index + whole.length)).matchAll(/(?:^|,)\s*(\w+):\s*([^,\n]*)/g);
    return [...fields].flatMap(([, key = "", value = ""]) => {
      const isPlain = properties[`${key.charAt(0).toLowerCase()}${key.slice(1)}`]?.plain === true;
      const [asValue, asInput] = [
        /^(?:""|true|false|\d+|pulumi\.\w+Ref)$/.test(value),
        /^pulumi\.[A-Z][a-z]+$/.test(value),
      ];
      return (asValue && !isPlain) || (asInput && isPlain) ? [`${type}.${key}: ${value}`] : [];
    });
  });
}

/** The members of enumerations that a program names. */
function members(text: string, member: RegExp): string[] {
  const known = Object.entries(SCHEMA.types).flatMap(([token, spec]) => {
    const [, module, type] = token.split(":");
    return (spec.enum ?? []).map(({ name }) => `${module}.${type}${name}`.toLowerCase());
  });
  const named = [...text.matchAll(member)].map(([, module, type, name]) => `${module}.${type}${name}`.toLowerCase());
  assert.ok(named.length > 0);
  return named.filter((one) => !known.includes(one));
}

describe("the examples in other languages", () => {
  it("give the components of the YAML program what the schema asks for", () => {
    const { resources } = parse(example("yaml/Pulumi.yaml"));
    const check = (changes: object) =>
      Object.entries<{ type: string; properties: object }>(resources).flatMap(([name, { type, properties }]) => {
        const spec = objectOf(type);
        return spec === undefined ? [`${type} is unknown`] : objectMistakes({ ...properties, ...changes }, spec, name);
      });
    assert.deepEqual(check({}), []);
    assert.equal(Object.keys(resources).length, 4);
    assert.deepEqual(check({ cluster: 3 }).slice(0, 2), [
      "prod.cluster is unknown",
      "dns.cluster is integer, not string",
    ]);
  });

  it("use outputs that the components have", () => {
    const text = example("yaml/Pulumi.yaml");
    const { resources } = parse(text);
    const used = [...text.matchAll(/\$\{(\w+)\.(\w+)\}/g)];
    assert.ok(used.length >= 4);
    for (const [whole, name = "", output = ""] of used)
      assert.ok(SCHEMA.resources[resources[name].type]?.properties[output], whole);
  });

  it("name the arguments of the Python program as the schema does", () => {
    const text = example("python/__main__.py");
    assert.deepEqual(python(text), []);
    assert.deepEqual(members(text, /\b(dns|logging)\.(\w+)\.([A-Z_]+)\b/g), []);
    assert.deepEqual(python(text.replace("retention_days", "retention")), [
      "eks-dns-logging:logging:LogCollectionDestination.retention is unknown",
    ]);
  });

  it("name the arguments of the Go program as the schema does", () => {
    const text = example("go/main.go");
    assert.deepEqual(go(text), []);
    assert.deepEqual(members(text, /\b(dns|logging)\.(\w+(?:Kind|Profile))(\w+)/g), []);
    assert.deepEqual(goInputs(text), []);
    assert.deepEqual(goInputs(text.replace('pulumi.String("prod")', '"prod"')), ['ExistingEksCluster.Name: ""']);
    assert.deepEqual(goInputs(text.replace('"eu-central-1"', 'pulumi.String("eu-central-1")')), [
      "ExistingEksCluster.Region: pulumi.String",
    ]);
    assert.deepEqual(go(text.replace("Region:", "Zone:")), [
      "eks-dns-logging:cluster:ExistingEksCluster.zone is unknown",
      "eks-dns-logging:cluster:ExistingEksCluster.region is missing",
    ]);
  });

  it("import in Go what `pulumi package add` generates, from a module whose name Go takes", () => {
    const imported = [...example("go/main.go").matchAll(/^\t"(github\.com\/owner\/.+)"$/gm)].map(([, path]) => path);
    assert.deepEqual(
      imported,
      ["cluster", "dns", "logging", "team"].map(
        (name) => `github.com/owner/pulumi-eks-dns-logging/sdk/go/eksdnslogging/${name}`,
      ),
    );
    // `go` and `toolchain` are reserved. @see https://go.dev/ref/mod#go-mod-file-ident
    assert.match(example("go/go.mod"), /^module (?!(?:go|toolchain)$)[a-z][a-z0-9.-]+$/m);
  });

  // Pulumi names them after the owner of the repository, in lower case, and adds the folder of the generated package to the requirements.
  it("import in Python what `pulumi package add` generates, which it requires itself", () => {
    assert.match(example("python/__main__.py"), /^from owner_eks_dns_logging import /m);
    assert.doesNotMatch(example("python/requirements.txt"), /sdks/);
  });
});

/** Paths of the arguments that may be outputs. */
function outputPaths(spec: Spec, path: readonly string[], above: readonly string[] = []): (readonly string[])[] {
  if (spec.plain !== true) return [path];
  const token = spec.$ref?.replace("#/types/", "") ?? "";
  const { properties = {} } = above.includes(token) ? {} : (SCHEMA.types[token] ?? {});
  const inner = [spec.items, spec.additionalProperties, ...(spec.oneOf ?? []).map((one) => ({ ...one, plain: true }))];
  return [
    ...inner.flatMap((one) => (one === undefined ? [] : outputPaths(one, path, above))),
    ...Object.entries(properties).flatMap(([key, one]) => outputPaths(one, [...path, key], [...above, token])),
  ];
}

describe("docs/how-to/library.md", () => {
  it("names every argument that need not be known in a preview", () => {
    const page = readFileSync(new URL("../../docs/how-to/library.md", import.meta.url), "utf8");
    const named = [...page.matchAll(/`([\w.]+)`/g)].flatMap(([, text = ""]) => text.split("."));
    const paths = Object.values(SCHEMA.resources).flatMap(({ inputProperties }) =>
      Object.entries(inputProperties).flatMap(([key, spec]) => outputPaths(spec, [key])),
    );
    const unnamed = (words: readonly string[]) =>
      paths.filter((path) => !path.slice(-2).some((key) => words.includes(key))).map((path) => path.join("."));
    assert.ok(paths.length > 60, String(paths.length));
    assert.deepEqual(unnamed(named), []);
    assert.deepEqual(unnamed(named.filter((word) => word !== "members")), ["members"]);
  });
});
