import assert from "node:assert/strict";
import fc from "fast-check";
import { indexName, teamOf } from "../../../components/logging/indexing/index-format.ts";
import { anyFormat, anyTime } from "../../components/logging/arbitraries.ts";
import { render } from "../../components/logging/collectors/fluentd/rendered.ts";
import { INDEX_NAMES, type IndexNameVector } from "../../support/collectors/index-names.ts";
import { needsRuby, runRuby } from "./ruby.ts";

/** Namespaces and labels that Kubernetes takes. */
const anyPod = fc.record({
  namespace: fc.constantFrom("ts-team", "sa-team", "kube-system", "a", "x".repeat(63)),
  app: fc.constantFrom(undefined, "curl", "Web_1.x", "Z".repeat(63)),
});
const anyCase = fc.record({ format: anyFormat, time: anyTime, pod: anyPod });

/** As much of Fluentd as the filter needs: its parameters, and lines with a time. */
const DRIVER = `require "json"
module Fluent
  class MultiEventStream
    attr_reader :records
    def initialize = @records = []
    def add(_time, record) = @records << record
  end
  module Plugin
    def self.register_filter(*) = nil
    class Buffer; class BufferOverflowError < StandardError; end; end
    class Filter
      def self.register(*) = nil
      def self.params = @params ||= {}
      def self.config_param(name, _type, default: nil, **) = params[name] = default
      def configure(conf) = self.class.params.each { |name, default| instance_variable_set("@#{name}", conf.fetch(name.to_s, default)) }
      def log = nil
      def stopped? = false
    end
  end
end
$LOADED_FEATURES.push("fluent/plugin/filter.rb", "fluent/plugin/buffer.rb", "kubeclient.rb")
module Kernel
  alias require_all require
  def require(name) = name.start_with?("fluent/") || name == "kubeclient" ? false : require_all(name)
end
require_relative "filter_pod_record.rb"
EventTime = Struct.new(:to_i, :nsec)
class PodLookup
  def find(_namespace, name) = Pod.new(JSON.parse($labels), {}, 0)
end
STDIN.each_line do |line|
  given = JSON.parse(line)
  filter = Fluent::Plugin::PodRecordFilter.new
  filter.configure(given["conf"])
  $labels = given["labels"].to_json
  tag = "kubernetes.var.log.pods.#{given["namespace"]}_pod_uid.container.0.log"
  made = filter.filter_stream(tag, [[EventTime.new(given["seconds"], 0), { "log" => "x", "stream" => "stdout" }]])
  puts made.records.first["_index"]
end
`;

const destination = { kind: "opensearch", host: "h" };

/** What the filter calls the indices of these lines. */
function namesByFluentd(lines: readonly Pick<IndexNameVector, "format" | "at" | "pod">[]): string[] {
  const input = lines.map(({ format, at, pod: { namespace, labels } }) => {
    const { record } = render({ destination, index: format });
    const conf = Object.fromEntries(Object.entries(record).filter(([key]) => key.startsWith("index_")));
    return JSON.stringify({ conf, seconds: Math.floor(at.getTime() / 1000), namespace, labels });
  });
  return runRuby(() => DRIVER, { input: input.join("\n") })
    .trim()
    .split("\n");
}

describe("Fluentd's names of indices", () => {
  before(needsRuby);

  it("are those of the test vectors", () => {
    const found = namesByFluentd(INDEX_NAMES);
    assert.deepEqual(
      INDEX_NAMES.map(({ why }, at) => `${why}: ${found[at]}`),
      INDEX_NAMES.map(({ why, name }) => `${why}: ${name}`),
    );
  });

  it("are those of the model, for a thousand formats, dates and pods", () => {
    const cases = fc.sample(anyCase, 1000).map(({ format, time, pod: { namespace, app } }) => {
      const labels: Readonly<Record<string, string>> = app === undefined ? {} : { app };
      const fields = { namespace, app, team: teamOf(namespace) };
      return { format, at: time, pod: { namespace, labels }, fields };
    });
    const expected = cases.map(({ format, at, fields }) => indexName(format, at, fields));
    assert.deepEqual(namesByFluentd(cases), expected);
  });
});
