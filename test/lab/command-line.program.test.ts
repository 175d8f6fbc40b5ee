import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { shellWord } from "../../lab/command-line.ts";

describe("a word of a printed command", () => {
  it("stays as it is where the shell takes it so", () => {
    for (const word of ["manifests", "/tmp/a-b_c.yaml", "../x@1", "a=b,c%d+e:f"]) assert.equal(shellWord(word), word);
  });

  it("reaches the program whole, whatever it has", () => {
    for (const word of [
      "my stack",
      "it's",
      "a'b'c",
      "$HOME",
      "`id`",
      'a"b',
      "a;b&c|d",
      "*",
      "~",
      "",
      "a\nb",
      "é",
      "-n x",
    ])
      assert.equal(execFileSync("sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" }), word);
  });
});
