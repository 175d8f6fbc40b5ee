import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JOURNAL_FILE, JOURNAL_PROGRAM } from "../../../components/logging/collectors/fluentd/journal.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("ruby");

/** Runs of a journal one after the other, none of which closes it: each ends as by a kill. Prints what each found. */
function found(...runs: readonly string[]): unknown {
  const folder = mkdtempSync(join(tmpdir(), "fluentd-journal-"));
  try {
    writeFileSync(join(folder, JOURNAL_FILE), JOURNAL_PROGRAM);
    const script = runs.map((run) => `journal = LineJournal.new("${folder}/held"); found << journal.open; ${run}`);
    const text = `require "json"\nrequire "${folder}/${JOURNAL_FILE}"\nfolder = "${folder}"\nfound = []\n${script.join("\n")}\nputs found.to_json\n`;
    writeFileSync(join(folder, "runs.rb"), text);
    return JSON.parse(execFileSync(PROGRAM ?? "", [join(folder, "runs.rb")], { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const put = (...records: readonly string[]) => `journal.put(["tag", "stdout"], ${JSON.stringify(records)})`;

describe("Fluentd's journal of lines that wait", () => {
  before(function () {
    if (PROGRAM === undefined) leaveOut(this, whyMissing("ruby"));
  });

  it("has what two runs held that were killed, the second before it sent what the first had", () => {
    assert.deepEqual(found(put("a"), put("b"), "", ""), [[], ["a"], ["a", "b"], ["a", "b"]]);
  });

  it("has a record once, though both runs held it", () => {
    assert.deepEqual(found(put("a"), put("a", "b"), ""), [[], ["a"], ["a", "b"]]);
  });

  it("forgets what was sent, and what a key holds no more", () => {
    const sent = `journal.forget_before; ${put("c")}`;
    assert.deepEqual(found(put("a"), sent, `journal.forget_before; ${put("d")}; ${put()}`, ""), [[], ["a"], ["c"], []]);
  });

  it("has what was put after the disk was full in the middle of an entry", () => {
    // A limit of a file's size stands for the disk: it takes the beginning too, and refuses the rest.
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

  it("goes on where there is no room to write it anew", () => {
    const long = 'journal.put(["tag", "stderr"], ["x" * 5_000_000]); journal.put(["tag", "stderr"], [])';
    // A folder stands in the place of the new one.
    const runs = [`Dir.mkdir("#{folder}/held.new"); ${long}; ${put("c")}; Dir.rmdir("#{folder}/held.new")`, ""];
    assert.deepEqual(found(...runs), [[], ["c"]]);
  });
});
