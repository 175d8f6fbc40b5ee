import { z } from "zod";
import { fluentd } from "../../../components/logging/collectors/fluentd/index.ts";
import type { LogPipeline } from "../../../components/logging/pipeline.ts";
import { parseConfiguration } from "../../components/logging/collectors/fluentd/rendered.ts";
import { runRuby } from "./ruby.ts";

/** Lines of a container that the filter is given at once. */
export interface Given {
  readonly pipeline: LogPipeline;
  readonly namespace: string;
  /** Default: p. */
  readonly pod?: string;
  /** Default: container. */
  readonly container?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly lines: readonly {
    readonly log: string;
    /** Default: stdout. */
    readonly stream?: string;
    readonly seconds?: number;
    readonly nanoseconds?: number;
  }[];
}

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
  def find(_namespace, _name, _uid) = Pod.new($labels, {}, 0)
end
filters = Hash.new do |known, conf|
  known[conf] = Fluent::Plugin::PodRecordFilter.new.tap { |filter| filter.configure(conf) }
end
STDIN.each_line do |line|
  given = JSON.parse(line)
  filter = filters[given["conf"]]
  $labels = given["labels"]
  tag = "kubernetes.var.log.pods.#{given["namespace"]}_#{given["pod"]}_uid.#{given["container"]}.0.log"
  lines = given["lines"].map do |each|
    [EventTime.new(each["seconds"] || 0, each["nanoseconds"] || 0), { "log" => each["log"].b, "stream" => each["stream"] || "stdout" }]
  end
  puts LineLimits.attempt { filter.filter_stream(tag, lines) }.records.to_json
end
`;

const Records = z.array(
  z.looseObject({ log: z.string(), _index: z.string().optional(), _document_id: z.string().optional() }),
);
export type FilterRecord = z.infer<typeof Records>[number];

/** What the filter of records makes of lines, in the Ruby of this machine: records of each, in one run. */
export function filteredByFluentd(given: readonly Given[]): FilterRecord[][] {
  const input = given.map(({ pipeline, namespace, pod = "p", container = "container", labels = {}, lines }) =>
    JSON.stringify({ conf: parametersOf(pipeline), namespace, pod, container, labels, lines }),
  );
  const printed = runRuby(() => DRIVER, { input: input.join("\n") });
  return printed
    .trim()
    .split("\n")
    .map((line) => Records.parse(JSON.parse(line)));
}

const known = new Map<LogPipeline, object>();

/** Parameters of the filter, by the types that Fluentd gives them. */
function parametersOf(pipeline: LogPipeline): object {
  const found = known.get(pipeline) ?? read(pipeline);
  known.set(pipeline, found);
  return found;
}

function read(pipeline: LogPipeline): object {
  const sections = parseConfiguration(fluentd.render(pipeline).files["fluent.conf"] ?? "");
  const filters = sections.find(({ name }) => name === "label")?.sections ?? [];
  const { options = {} } = filters.find((section) => section.options["@type"] === "pod_record") ?? {};
  const typed = (key: string, value: string) =>
    value.startsWith("{") || ["labels", "annotations", "parse_json", "fields_bytes", "stream"].includes(key)
      ? JSON.parse(value)
      : value;
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, typed(key, value)]));
}
