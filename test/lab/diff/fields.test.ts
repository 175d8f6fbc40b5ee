import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { Json } from "../../../lab/diff/document.ts";
import { changedFields, pathText } from "../../../lab/diff/fields.ts";

/** JSON with the shapes that resources have: groups, lists of named members, text that is JSON. */
const { json } = fc.letrec<{ json: Json; named: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.array(tie("named"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie("json"), { maxKeys: 4, noNullPrototype: true }),
    fc
      .dictionary(fc.string({ maxLength: 3 }), fc.integer(), { maxKeys: 3, noNullPrototype: true })
      .map((group) => JSON.stringify(group)),
  ),
  named: fc.record({ name: fc.constantFrom("a", "b", "c"), value: fc.integer() }, { noNullPrototype: true }),
}));

describe("changedFields", () => {
  it("reports no change for equal values, and one for any other", () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        assert.deepEqual(changedFields(before, structuredClone(before)), []);
        assert.equal(changedFields(before, after).length === 0, isDeepStrictEqual(before, after));
      }),
    );
  });

  it("reports the same fields backwards, with the sides swapped", () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const there = changedFields(before, after).map((field) =>
          JSON.stringify([pathText(field.path), field.before ?? "-", field.after ?? "-"]),
        );
        const back = changedFields(after, before).map((field) =>
          JSON.stringify([pathText(field.path), field.after ?? "-", field.before ?? "-"]),
        );
        assert.deepEqual(back.sort(), there.sort());
      }),
    );
  });

  it("reports the single field that differs, at any depth", () => {
    const keys = fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        keys,
        fc.dictionary(fc.stringMatching(/^[A-Z]{1,5}$/), json, { noNullPrototype: true }),
        (path, siblings) => {
          const nested = (leaf: Json) => path.reduceRight<Json>((inner, key) => ({ ...siblings, [key]: inner }), leaf);
          assert.deepEqual(changedFields(nested(1), nested(2)), [{ path, before: 1, after: 2 }]);
          assert.deepEqual(changedFields(nested({}), nested({ new: true })), [{ path: [...path, "new"], after: true }]);
        },
      ),
    );
  });

  it("matches the members of a list by their names", () => {
    const before = {
      containers: [
        { name: "curl", image: "a" },
        { name: "responder", image: "b" },
      ],
    };
    const after = {
      containers: [
        { name: "responder", image: "c" },
        { name: "curl", image: "a" },
      ],
    };
    assert.deepEqual(changedFields(before, after), [
      { path: ["containers", "[responder]", "image"], before: "b", after: "c" },
    ]);
  });

  it("reports another order of the same members", () => {
    const [one, two] = [{ name: "one" }, { name: "two" }];
    assert.deepEqual(changedFields({ list: [one, two] }, { list: [two, one] }), [
      { path: ["list"], before: [one, two], after: [two, one] },
    ]);
  });

  it("compares JSON text by its fields, and as text if only the text differs", () => {
    assert.deepEqual(changedFields({ values: '{"replicaCount":2}' }, { values: '{"replicaCount": 3}' }), [
      { path: ["values", "replicaCount"], before: 2, after: 3 },
    ]);
    assert.deepEqual(changedFields({ values: '{"a":1}' }, { values: '{ "a": 1 }' }), [
      { path: ["values"], before: '{"a":1}', after: '{ "a": 1 }' },
    ]);
    assert.deepEqual(changedFields({ values: "{broken" }, { values: "{" }).length, 1);
  });

  it("ignores inherited properties", () => {
    assert.deepEqual(changedFields({}, { constructor: 1 }), [{ path: ["constructor"], after: 1 }]);
  });
});

describe("pathText", () => {
  it("writes a path in its usual notation", () => {
    assert.equal(pathText(["spec", "containers", "[curl]", "image"]), "spec.containers[curl].image");
    assert.equal(pathText(["data", "fluent-bit.yaml"]), 'data["fluent-bit.yaml"]');
    assert.equal(pathText(["subnetIds", "[0]"]), "subnetIds[0]");
  });
});
