import assert from "node:assert/strict";
import { needsRuby, runRuby } from "./ruby.ts";

/** Runs one after the other that look at files; each ends as by a kill. Returns which files each run took for new ones. */
function newFiles(...runs: readonly string[]): unknown {
  const driver = (folder: string) => `require "json"
require_relative "file_identity.rb"
Dir.chdir("${folder}")
# Files made within a few milliseconds have the same birth time.
%w[a b].each { |name| File.write(name, name); sleep 0.02 }
found = []
${runs.map((run) => `files = FileIdentity.new("births")\nfound << []\n${run}`).join("\n")}
puts found.to_json
`;
  return JSON.parse(runRuby(driver));
}

const look = (file: string, inode = `File.stat("${file}").ino`) =>
  `files.check("${file}", ${inode}) { found.last << "${file}" };`;
/** Gives file b the inode that file a was recorded under. */
const REUSED = 'File.write("births", File.read("births").sub(File.stat("a").ino.to_s, File.stat("b").ino.to_s));';

describe("Fluentd's file identity", () => {
  before(needsRuby);

  it("recognizes a file after a rename and a write", () => {
    const rename = 'File.write("a", "more", mode: "a"); File.rename("a", "c");';
    assert.deepEqual(newFiles(look("a"), `${look("a")} ${rename} ${look("c")}`), [[], []]);
  });

  it("distinguishes a file from an earlier one with its inode, once", () => {
    assert.deepEqual(newFiles(`${look("a")} ${REUSED}`, look("b"), look("b")), [[], ["b"], []]);
  });

  it("trusts positions of an earlier version without identities, but no unknown ones later", () => {
    assert.deepEqual(newFiles(look("a"), look("b")), [[], ["b"]]);
  });

  it("forgets deleted files", () => {
    assert.deepEqual(newFiles(`${look("a")} files.forget_all_but({}); ${look("b")}`, look("a")), [[], ["a"]]);
  });

  it("ignores a path that now leads to another file", () => {
    assert.deepEqual(newFiles(look("a"), look("b", 'File.stat("a").ino')), [[], []]);
  });

  it("is saved later if the disk is full", () => {
    const room = 'Dir.rmdir("births.new"); files.forget_all_but({ File.stat("b").ino => 1 });';
    assert.deepEqual(newFiles(look("a"), `Dir.mkdir("births.new"); ${look("b")} ${room}`, look("b")), [[], ["b"], []]);
  });
});
