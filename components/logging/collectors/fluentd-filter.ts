/** Name of the filter in Fluentd's configuration, and the file that Fluentd looks for it in. */
export const RECORD_FILTER = "pod_record";
export const RECORD_FILTER_FILE = `filter_${RECORD_FILTER}.rb`;
/** Fields that an output takes an index and an id from, and then out of the record. */
export const INDEX_FIELD = "_document_index";
export const ID_FIELD = "_document_id";

/**
 * A filter of Fluentd that makes the record. What differs between pipelines is in its parameters, so that this text is always the same.
 * @see https://docs.fluentd.org/plugin-development/api-plugin-filter
 */
export const RECORD_FILTER_PROGRAM = `require "digest"
require "json"
require "tzinfo"
require "fluent/plugin/filter"

module Fluent::Plugin
  class PodRecordFilter < Filter
    Fluent::Plugin.register_filter("${RECORD_FILTER}", self)

    # What each record of an application has; none on a node, where the path of the file tells.
    config_param :application, :hash, default: nil
    config_param :node, :string, default: ""
    config_param :opt_out, :string
    config_param :required_labels, :hash, default: {}
    config_param :labels, :bool, default: true
    config_param :annotations, :bool, default: false
    config_param :parse_json, :bool, default: true
    # Without a prefix there is no index, and no id.
    config_param :index_prefix, :string, default: nil
    config_param :index_separator, :string, default: "-"
    config_param :index_date, :string, default: "%Y.%m.%d"
    config_param :index_zone, :string, default: "UTC"
    config_param :index_split, :string, default: "none"

    FILE = /([^._]+)_([^_]+)_[^_.]+\\.([^.]+)\\.\\d+\\.log/
    # MessagePack, and so the buffer, has no larger ones.
    INTEGERS = (-(2**63)..(2**64 - 1))

    def configure(conf)
      super
      @zone = TZInfo::Timezone.get(@index_zone)
    end

    def filter(tag, time, record)
      line = record["log"].to_s.scrub
      found = record["kubernetes"] || {}
      labels = found["labels"] || {}
      annotations = found["annotations"] || {}
      return nil if annotations[@opt_out] == "true"
      return nil unless @required_labels.all? { |key, value| labels[key] == value }
      made = { "@timestamp" => stamp(time), "log" => line }
      made["stream"] = record["stream"] if record["stream"]
      if @application
        made["kubernetes"] = @application["kubernetes"].merge("host" => @node)
        made["team"] = @application["team"] if @application["team"]
      else
        describe(made, tag, labels, annotations)
      end
      fields = @parse_json ? fields_of(line) : nil
      made["fields"] = fields if fields
      address(made, time, labels) if @index_prefix
      made
    end

    private

    def describe(made, tag, labels, annotations)
      _, namespace, pod, container = *FILE.match(tag)
      kubernetes = { "namespace_name" => namespace, "pod_name" => pod, "container_name" => container, "host" => @node }
      kubernetes["labels"] = labels.transform_keys { |key| key.tr(".", "_") } if @labels
      kubernetes["annotations"] = annotations.transform_keys { |key| key.tr(".", "_") } if @annotations
      made["kubernetes"] = kubernetes
      made["team"] = namespace.delete_suffix("-team") if namespace&.end_with?("-team")
    end

    def fields_of(line)
      return nil unless line.start_with?("{")
      parsed = JSON.parse(line)
      parsed.is_a?(Hash) ? clean(parsed) : nil
    rescue JSON::ParserError
      nil
    end

    # A search engine takes a dot in a name for a path. A number that cannot be written would hold up all others.
    def clean(value)
      case value
      when Hash then value.to_h { |key, inner| [@index_prefix ? key.tr(".", "_") : key, clean(inner)] }
      when Array then value.map { |inner| clean(inner) }
      when Integer then INTEGERS.cover?(value) ? value : value.to_s
      when Float then value.finite? ? value : nil
      else value
      end
    end

    def address(made, time, labels)
      kubernetes = made["kubernetes"]
      parts = [@index_prefix]
      parts << split(made, labels) unless @index_split == "none"
      made["${INDEX_FIELD}"] = [*parts, date(time)].join(@index_separator)
      line = [kubernetes["namespace_name"], kubernetes["pod_name"], kubernetes["container_name"], made["stream"],
              time.to_i, time.nsec, made["log"]]
      made["${ID_FIELD}"] = Digest::SHA1.hexdigest(line.join(" "))
    end

    def split(made, labels)
      value = case @index_split
              when "team" then made["team"]
              when "namespace" then made["kubernetes"]["namespace_name"]
              else labels["app.kubernetes.io/name"] || labels["app"]
              end
      safe = value.to_s.downcase.gsub(/[^a-z0-9._-]/, "-")[0, 63]
      safe.empty? ? "none" : safe
    end

    # The dates of lines that come one after the other are mostly the same.
    def date(time)
      seconds = time.to_i
      return @date if @date_of == seconds
      @date = @zone.utc_to_local(Time.at(seconds).utc).strftime(@index_date)
      @date_of = seconds
      @date
    end

    def stamp(time)
      Time.at(time.to_i, time.nsec, :nsec).utc.strftime("%Y-%m-%dT%H:%M:%S.%9NZ")
    end
  end
end
`;
