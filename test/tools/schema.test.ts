import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseSettings } from "../../components/settings.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { stackNames } from "../../lab/stack-file.ts";
import { SCHEMA_FILE, stackSchema } from "../../tools/docs/settings.ts";

/** The schema of a stack's configuration, by key. */
const Config = z.object({ properties: z.record(z.string(), z.looseObject({})), anyOf: z.array(z.unknown()) });

describe("the JSON Schema of the settings", () => {
  const { properties, anyOf } = z.object({ properties: z.object({ config: Config }) }).parse(stackSchema())
    .properties.config;

  // `pulumi config set dns false` and `pulumi config set curlPods false` write the text "false".
  it("allows Booleans as Pulumi's command line writes them, as the program does", () => {
    for (const [key, allowed] of Object.entries({
      curlPods: [true, false, "true", "false"],
      dns: [false, "false"],
      logging: [false, "false"],
    })) {
      const schema = properties[`eks-dns-logging:${key}`];
      const [off] = z.array(z.looseObject({})).optional().parse(schema?.anyOf) ?? [schema];
      assert.deepEqual(off?.enum, allowed, key);
      for (const value of allowed)
        assert.doesNotThrow(() =>
          parseSettings({ "eks-dns-logging:cluster": '{"kind":"existing"}', [`eks-dns-logging:${key}`]: `${value}` }),
        );
    }
  });

  it("allows each key without the namespace, which Pulumi adds, and requires the same of it", () => {
    const keys = Object.keys(properties).filter((key) => key.startsWith("eks-dns-logging:"));
    assert.ok(keys.includes("eks-dns-logging:extends"));
    for (const key of keys) {
      const plain = properties[key.replace("eks-dns-logging:", "")];
      assert.equal(plain?.$ref, `#/properties/config/properties/${key}`);
      assert.equal(plain.description, properties[key]?.description);
    }
    const required = ["eks-dns-logging:cluster", "cluster", "eks-dns-logging:extends", "extends"];
    assert.deepEqual(
      anyOf,
      required.map((key) => ({ required: [key] })),
    );
  });

  it("is up to date: npm run docs", async () => {
    const committed: unknown = JSON.parse(await readFile(join(PROJECT_ROOT, SCHEMA_FILE), "utf8"));
    assert.deepEqual(committed, JSON.parse(JSON.stringify(stackSchema())));
  });

  it("is named in the first line of each stack's file", async () => {
    for (const name of await stackNames()) {
      const text = await readFile(join(PROJECT_ROOT, `Pulumi.${name}.yaml`), "utf8");
      assert.equal(text.split("\n")[0], `# yaml-language-server: $schema=./${SCHEMA_FILE}`, name);
    }
  });

  it("describes every setting", () => {
    const undescribed: string[] = [];
    const walk = (schema: unknown, path: string) => {
      if (typeof schema !== "object" || schema === null) return;
      if ("properties" in schema && typeof schema.properties === "object" && schema.properties !== null) {
        for (const [key, value] of Object.entries(schema.properties)) {
          if (!("description" in value) && !("const" in value)) undescribed.push(`${path}.${key}`);
          walk(value, `${path}.${key}`);
        }
      }
      for (const key of ["items", "anyOf", "oneOf", "allOf"]) {
        const inner: unknown = Reflect.get(schema, key);
        for (const each of Array.isArray(inner) ? inner : [inner]) walk(each, path);
      }
    };
    const schema: { properties?: { config?: object } } = stackSchema();
    walk(schema.properties?.config, "config");
    assert.deepEqual(undescribed, []);
  });
});
