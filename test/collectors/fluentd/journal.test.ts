import assert from "node:assert/strict";
import { needsRuby, runRuby } from "./ruby.ts";

/** Runs of a journal one after the other, none of which closes it: each ends as by a kill. Returns what each found. */
function found(...runs: readonly string[]): unknown {
  const driver = (folder: string) => `require "json"
require_relative "line_journal.rb"
folder = "${folder}"
found = []
${runs.map((run) => `journal = LineJournal.new("#{folder}/held"); found << journal.open; ${run}`).join("\n")}
puts found.to_json
`;
  return JSON.parse(runRuby(driver));
}

const put = (...records: readonly string[]) => `journal.put(["tag", "stdout"], ${JSON.stringify(records)})`;

describe("Fluentd's line journal", () => {
  before(needsRuby);

  it("returns what two killed runs held, the second killed before it sent the first one's", () => {
    assert.deepEqual(found(put("a"), put("b"), "", ""), [[], ["a"], ["a", "b"], ["a", "b"]]);
  });

  it("returns a record once, though both runs held it", () => {
    assert.deepEqual(found(put("a"), put("a", "b"), ""), [[], ["a"], ["a", "b"]]);
  });

  it("forgets what was sent, and keys that hold nothing", () => {
    const sent = `journal.forget_before; ${put("c")}`;
    assert.deepEqual(found(put("a"), sent, `journal.forget_before; ${put("d")}; ${put()}`, ""), [[], ["a"], ["c"], []]);
  });

  it("returns entries written after the disk was full in the middle of one", () => {
    // A file size limit stands for the full disk: the write takes the beginning and refuses the rest.
    const full = `trap("XFSZ", "IGNORE")
      most = Process.getrlimit(:FSIZE)[1]
      Process.setrlimit(:FSIZE, 1000, most)
      begin
        journal.put(["tag", "stderr"], ["x" * 5000])
      rescue SystemCallError
        found << "refused"
      end
      Process.setrlimit(:FSIZE, most)`;
    assert.deepEqual(found(`${put("a")}; ${full}; ${put("b")}`, ""), [[], "refused", ["b"]]);
  });

  it("continues if there is no room to rewrite it", () => {
    const long = 'journal.put(["tag", "stderr"], ["x" * 5_000_000]); journal.put(["tag", "stderr"], [])';
    // A folder blocks the new file.
    const runs = [`Dir.mkdir("#{folder}/held.new"); ${long}; ${put("c")}; Dir.rmdir("#{folder}/held.new")`, ""];
    assert.deepEqual(found(...runs), [[], ["c"]]);
  });
});
