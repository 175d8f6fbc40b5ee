import assert from "node:assert/strict";
import { z } from "zod";
import { relation } from "../../../components/schema/errors.ts";
import { isWithout, validPart } from "../../../components/schema/valid-part.ts";

const Section = z
  .strictObject({
    kind: z.enum(["a", "b"]),
    size: z.int().default(1),
    limit: z.int().default(9),
    inner: z.strictObject({ low: z.int().default(0), high: z.int().default(9) }).prefault({}),
    list: z.array(z.int()).default([]),
    pair: z.strictObject({ user: z.string(), password: z.string().default("") }).optional(),
  })
  .superRefine(({ size, limit, inner }, context) => {
    if (size > limit) relation(context, ["size", "limit"], "size must not exceed limit");
    if (inner.low > size) relation(context, ["inner", "size"], "inner must not exceed size");
  });
const partOf = (given: unknown) => validPart(Section, given, { essential: ["kind"], divided: [["inner"], ["pair"]] });

describe("the valid part of a section", () => {
  it("is all of valid settings, with defaults", () => {
    const value = { kind: "a", size: 2, limit: 9, inner: { low: 0, high: 9 }, list: [] };
    assert.deepEqual(partOf({ kind: "a", size: 2 }), { value, without: [], issues: [] });
  });

  it("lacks a wrong key, an unknown one, and an array with a wrong item, but only that key of a divided object", () => {
    const part = partOf({ kind: "a", size: "x", sizes: 1, list: [1, "x", 2], inner: { low: "x", high: 5 } });
    assert.deepEqual(part?.value, { kind: "a", size: 1, limit: 9, inner: { low: 0, high: 5 }, list: [] });
    assert.deepEqual(
      [...(part?.without ?? [])].sort((one, other) => one.length - other.length),
      [["size"], ["list"], ["sizes"], ["inner", "low"]],
    );
  });

  it("lacks both of two keys that contradict, and the object that lacks a required key", () => {
    const part = partOf({ kind: "a", size: 12, pair: { user: 7, password: "x" }, list: [3] });
    assert.deepEqual(part?.value, { kind: "a", size: 1, limit: 9, inner: { low: 0, high: 9 }, list: [3] });
    assert.deepEqual(part?.without, [["pair", "user"], ["pair"], ["size"]]);
  });

  it("has the contradictions that a wrong key hid, except those with one left out", () => {
    assert.deepEqual(partOf({ kind: "a", size: 12, list: 1 })?.issues, [
      { path: [], message: "size must not exceed limit" },
    ]);
    assert.deepEqual(partOf({ kind: "a", size: "x", inner: { low: 5 } })?.issues, []);
  });

  it("is none without a key on which the others depend, nor of anything but an object", () => {
    assert.deepEqual(
      [{ kind: "c", size: 1 }, { size: 1 }, "a", [1], null, undefined].map(partOf),
      Array(6).fill(undefined),
    );
  });

  it("is without a path below one left out, and above it", () => {
    const of = (path: readonly PropertyKey[]) => isWithout([["a", "b"]], path);
    assert.deepEqual([["a"], ["a", "b"], ["a", "b", 0], ["a", "c"], ["b"], []].map(of), [
      ...[true, true, true],
      ...[false, false, false],
    ]);
  });
});
