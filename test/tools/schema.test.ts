import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { stackNames } from "../../lab/stack-file.ts";
import { SCHEMA_FILE, stackSchema } from "../../tools/docs/settings.ts";

describe("the JSON Schema of the settings", () => {
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
