import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JOURNAL_FILE, JOURNAL_PROGRAM } from "../../../components/logging/collectors/fluentd/journal.ts";
import { LINES_FILTER_FILE, LINES_FILTER_PROGRAM } from "../../../components/logging/collectors/fluentd/lines.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("ruby");
const MIB = 2 ** 20;

/** As much of Fluentd as the filter needs. Its timer never ticks: a test calls `late` in its place. */
const DRIVER = `require "json"
$given = []
module Fluent
  EventTime = Struct.new(:to_i, :nsec)
  class MultiEventStream
    def add(_time, record) = $given << record["log"]
  end
  module Plugin
    def self.register_filter(*) = nil
    class Filter
      Router = Struct.new(:name) do
        def emit(_tag, _time, record) = $given << record["log"]
      end
      def self.helpers(*) = nil
      def self.config_param(*, **) = nil
      def start = nil
      def timer_execute(*) = nil
      def event_emitter_router(label) = Router.new(label)
      def log = raise("nothing to say")
    end
  end
end
module Kernel
  alias require_all require
  def require(name) = name.start_with?("fluent/") ? false : require_all(name)
end
require_relative "${LINES_FILTER_FILE}"
$filter = Fluent::Plugin::PodLinesFilter.new
$filter.instance_variable_set(:@journal, "#{__dir__}/held")
$filter.instance_variable_set(:@continuation, ARGV[0] && Regexp.new(ARGV[0]))
$filter.start
# What the source gives of a file; what follows says whether it was taken.
def read(file, *lines)
  untaken = LineJournal::UNTAKEN
  untaken[file] = untaken[file] == :refused ? :again : :under_way
  $filter.filter_stream(file, lines.map { |tag, text| [Fluent::EventTime.new(0, 0), { "log" => text, "logtag" => tag }] })
end
def taken(file) = LineJournal::UNTAKEN.delete(file)
def refused(file) = LineJournal::UNTAKEN[file] = :refused
def late(always: false) = $filter.send(:send_late, always: always)
def known = %w[@streams @touched].map { |name| $filter.instance_variable_get(name).size }
`;

/** What a filter gave, and then what the last expression of the script says. */
function filtered(continuation: string | undefined, script: string): unknown {
  const folder = mkdtempSync(join(tmpdir(), "fluentd-lines-"));
  try {
    writeFileSync(join(folder, JOURNAL_FILE), JOURNAL_PROGRAM);
    writeFileSync(join(folder, LINES_FILTER_FILE), LINES_FILTER_PROGRAM);
    writeFileSync(join(folder, "run.rb"), `${DRIVER}last = begin\n${script}\nend\nputs [$given, last].to_json\n`);
    const args = [join(folder, "run.rb"), ...(continuation === undefined ? [] : [continuation])];
    return JSON.parse(execFileSync(PROGRAM ?? "", args, { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("Fluentd's filter of lines", () => {
  before(function () {
    if (PROGRAM === undefined) leaveOut(this, whyMissing("ruby"));
  });

  for (const continuation of [undefined, "^ "]) {
    it(`forgets a container of which nothing waits, ${continuation === undefined ? "without" : "with"} traces`, () => {
      const script = `read("one", ["F", "a"]); taken("one"); read("two", ["P", "b"]); taken("two")
        late(always: true); late
        known`;
      assert.deepEqual(filtered(continuation, script), [
        ["a", "b"],
        [0, 0],
      ]);
    });
  }

  it("keeps the beginning of a line whose end was refused", () => {
    const script = `read("one", ["P", "be"]); taken("one")
      read("one", ["F", "gin"]); refused("one"); late
      read("one", ["F", "gin"]); taken("one"); late
      known`;
    assert.deepEqual(filtered(undefined, script), [
      ["begin", "begin"],
      [0, 0],
    ]);
  });

  it("divides a trace before it is longer than what a record may hold twice", () => {
    const script = `line = " " + "x" * ${2 * MIB}
      read("one", ["F", "begin"], ["F", line], ["F", line], ["F", "next"]); taken("one")
      $given.map!(&:bytesize)`;
    const sizes = [2 * MIB + 7, 2 * MIB + 1];
    assert.deepEqual(filtered("^ ", script), [sizes, sizes]);
  });
});
