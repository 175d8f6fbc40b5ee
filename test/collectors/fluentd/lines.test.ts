import assert from "node:assert/strict";
import { parsePattern } from "../../../components/logging/processing/pattern.ts";
import { patternText } from "../../../components/logging/processing/pattern-text.ts";
import { needsRuby, runRuby } from "./ruby.ts";

const MIB = 2 ** 20;

/** As much of Fluentd as the filter needs. Its timer never ticks: a test calls `flush` instead. */
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
require_relative "filter_pod_lines.rb"
$filter = Fluent::Plugin::PodLinesFilter.new
$filter.instance_variable_set(:@journal, "#{__dir__}/held")
$filter.instance_variable_set(:@continuation, ARGV[0] == "" ? nil : Regexp.new(ARGV[0]))
$filter.instance_variable_set(:@first_lines, JSON.parse(ARGV[1] || "[]"))
$filter.start
# What the input gives of a file; the calls below say whether it was taken.
def read(file, *lines)
  untaken = LineJournal::UNTAKEN
  untaken[file] = untaken[file] == :refused ? :again : :under_way
  $filter.filter_stream(file, lines.map { |tag, text| [Fluent::EventTime.new(0, 0), { "log" => text.b, "logtag" => tag }] })
end
def taken(file) = LineJournal::UNTAKEN.delete(file)
def refused(file) = LineJournal::UNTAKEN[file] = :refused
def flush(all: false) = $filter.send(:flush, all: all)
def known = %w[@streams @touched].map { |name| $filter.instance_variable_get(name).size }
`;

/** What a filter gave, and the value of the script's last expression. @param firstLines As the settings have them. */
function filtered(continuation: string | undefined, script: string, firstLines: readonly object[] = []): unknown {
  const driver = () => `${DRIVER}last = begin
${script}
end
puts [$given, last].to_json
`;
  return JSON.parse(runRuby(driver, { args: [continuation ?? "", JSON.stringify(firstLines)] }));
}

describe("Fluentd's line filter", () => {
  before(needsRuby);

  for (const continuation of [undefined, "^ "]) {
    it(`forgets a container without waiting lines, ${continuation === undefined ? "without" : "with"} traces`, () => {
      const script = `read("one", ["F", "a"]); taken("one"); read("two", ["P", "b"]); taken("two")
        flush(all: true); flush
        known`;
      assert.deepEqual(filtered(continuation, script), [
        ["a", "b"],
        [0, 0],
      ]);
    });
  }

  it("keeps the beginning of a line whose end was rejected", () => {
    const script = `read("one", ["P", "be"]); taken("one")
      read("one", ["F", "gin"]); refused("one"); flush
      read("one", ["F", "gin"]); taken("one"); flush
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

  it("begins a record at its first line, by the first rule for its namespace, and joins traces elsewhere", () => {
    const tag = (namespace: string) => `kubernetes.var.log.pods.${namespace}_p_uid.c.0.log`;
    const [own, all, other] = ["shop", "a-b", "pay"].map(tag);
    const script = (files: readonly (string | undefined)[]) => `${files
      .map((file) => `read("${file}", ["F", "[1"], ["F", " 2"], ["F", "é3"], ["F", "€4"]); taken("${file}")`)
      .join("\n")}
      flush(all: true)
      $given.map! { |text| text.dup.force_encoding("UTF-8") }
      known`;
    const rules = [
      { namespaces: ["shop"], pattern: "^\\[" },
      { namespaces: ["shop", "a-b"], pattern: "^[^ -~]" },
    ].map(({ namespaces, pattern }) => ({ namespaces, pattern: patternText(parsePattern(pattern), "onigmo") }));
    assert.deepEqual(filtered("^ ", script([own, all, other]), rules), [
      ["[1\n 2", "é3", "[1\n 2", "é3", "[1\n 2\né3\n€4", "€4", "€4"],
      [0, 0],
    ]);
  });
});
