import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const SCHEMA = readFileSync(new URL("../../library/schema.json", import.meta.url), "utf8");

describe("the schema of the Pulumi package", () => {
  it("describes everything in whole sentences, with one default for each kind", () => {
    const { resources, types } = JSON.parse(SCHEMA);
    const descriptions = (value: unknown): string[] => {
      if (typeof value !== "object" || value === null) return [];
      const own = "description" in value && typeof value.description === "string" ? [value.description] : [];
      return [...own, ...Object.values(value).flatMap(descriptions)];
    };
    const all = descriptions([resources, types]);
    assert.ok(all.length > 400, String(all.length));
    assert.deepEqual(
      all.filter(
        (text) =>
          !text.endsWith(".") || text.split(/With kind .+?: /).some((part) => /Default: .+Default: /.test(part)),
      ),
      [],
    );
    const { existing, kind } = types["eks-dns-logging:logging:LogCollectionDestination"].properties;
    assert.match(
      existing.description,
      /^With kind `cloudwatch`: Whether the log group .+ With kind `s3`: Whether the bucket /,
    );
    assert.equal(kind.description, "Kind of the destination.");
    assert.match(
      resources["eks-dns-logging:cluster:EksCluster"].description,
      /The package `@pulumi\/eks` creates the control plane; everything else /,
    );
  });

  it("has outputs without enumerations, which YAML passes on to no argument", () => {
    const { resources, types } = JSON.parse(SCHEMA);
    const enumerations = (spec: unknown, path: string): string[] => {
      if (typeof spec !== "object" || spec === null) return [];
      return Object.entries(spec).flatMap(([key, value]) => {
        if (key !== "$ref") return enumerations(value, `${path}.${key}`);
        const type = types[String(value).replace("#/types/", "")];
        return type.enum === undefined ? enumerations(type.properties, `${path}.${key}`) : [path];
      });
    };
    for (const [token, { properties }] of Object.entries<{ properties: object }>(resources))
      assert.deepEqual(enumerations(properties, token), []);
    assert.notDeepEqual(enumerations(resources["eks-dns-logging:team:Team"].inputProperties, "Team"), []);
  });
});
