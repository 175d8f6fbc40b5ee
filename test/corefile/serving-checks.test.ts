import assert from "node:assert/strict";
import { check, withLines } from "./default-corefile.ts";

const NOTHING = { errors: [], warnings: [] };

describe("log", () => {
  it("reads part of an unquoted format as a zone", () => {
    for (const line of ["log . {remote} {name}", "log {remote}"])
      assert.match(String(check(withLines(line)).warnings), /log: \{remote\} is read as a zone/);
    assert.deepEqual(check(withLines('log . "{remote} {name}"')), NOTHING);
  });

  it("has labels only with metadata", () => {
    const line = 'log . "{name} {/kubernetes/client-namespace}"';
    assert.match(String(check(withLines(line)).warnings), /\{\/kubernetes\/client-namespace\} is always -/);
    assert.deepEqual(check(withLines(`${line}\nmetadata`)), NOTHING);
  });
});
