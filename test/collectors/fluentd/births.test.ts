import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BIRTHS_FILE, BIRTHS_PROGRAM } from "../../../components/logging/collectors/fluentd/births.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("ruby");

/** Runs one after the other that look at files; each ends as by a kill. Prints what was taken for another file. */
function strange(...runs: readonly string[]): unknown {
  const folder = mkdtempSync(join(tmpdir(), "fluentd-births-"));
  try {
    writeFileSync(join(folder, BIRTHS_FILE), BIRTHS_PROGRAM);
    const text = `require "json"
require "${folder}/${BIRTHS_FILE}"
Dir.chdir("${folder}")
# Some milliseconds have the same time.
%w[a b].each { |name| File.write(name, name); sleep 0.02 }
found = []
${runs.map((run) => `births = FileBirths.new("births")\nfound << []\n${run}`).join("\n")}
puts found.to_json
`;
    writeFileSync(join(folder, "runs.rb"), text);
    return JSON.parse(execFileSync(PROGRAM ?? "", [join(folder, "runs.rb")], { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const look = (file: string, inode = `File.stat("${file}").ino`) =>
  `births.check("${file}", ${inode}) { found.last << "${file}" };`;
/** Notes of one file what was noted of the other, whose inode it has got. */
const REUSED = 'File.write("births", File.read("births").sub(File.stat("a").ino.to_s, File.stat("b").ino.to_s));';

describe("Fluentd's notes of when files were made", () => {
  before(function () {
    if (PROGRAM === undefined) leaveOut(this, whyMissing("ruby"));
  });

  it("know a file again under another name, after it was written to", () => {
    const rename = 'File.write("a", "more", mode: "a"); File.rename("a", "c");';
    assert.deepEqual(strange(look("a"), `${look("a")} ${rename} ${look("c")}`), [[], []]);
  });

  it("tell a file from an earlier one with its inode, once", () => {
    assert.deepEqual(strange(`${look("a")} ${REUSED}`, look("b"), look("b")), [[], ["b"], []]);
  });

  it("believe what an earlier version noted, which had no such notes, and nothing unknown later", () => {
    assert.deepEqual(strange(look("a"), look("b")), [[], ["b"]]);
  });

  it("forget files that are gone", () => {
    assert.deepEqual(strange(`${look("a")} births.forget_all_but({}); ${look("b")}`, look("a")), [[], ["a"]]);
  });

  it("say nothing of a path that leads to another file by now", () => {
    assert.deepEqual(strange(look("a"), look("b", 'File.stat("a").ino')), [[], []]);
  });

  it("are written later where there is no room for them", () => {
    const room = 'Dir.rmdir("births.new"); births.forget_all_but({ File.stat("b").ino => 1 });';
    assert.deepEqual(strange(look("a"), `Dir.mkdir("births.new"); ${look("b")} ${room}`, look("b")), [[], ["b"], []]);
  });
});
