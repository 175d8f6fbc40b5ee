# Builds the record that all collectors of this project send. Everything that differs between pipelines is a parameter.
# See https://docs.fluentd.org/plugin-development/api-plugin-filter

require "digest"
require "json"
require "tzinfo"
require "fluent/plugin/filter"
require "fluent/plugin/buffer"
require_relative "line_limits.rb"
require_relative "line_rules.rb"
require_relative "pod_lookup.rb"

module Fluent::Plugin
  class PodRecordFilter < Filter
    Fluent::Plugin.register_filter("pod_record", self)

    # Common part of an application's records. Without it the pod is read from the tag, which is made of the file's path on the node.
    config_param :application, :hash, default: nil
    config_param :api_url, :string, default: nil
    config_param :node, :string, default: ""
    # Annotation that excludes a pod if it is one of Fluent Bit's words for true.
    config_param :opt_out, :string
    config_param :required_labels, :hash, default: {}
    # Teams of namespaces that are not named TEAM-team: namespace to team.
    config_param :teams, :hash, default: {}
    config_param :labels, :bool, default: true
    config_param :annotations, :bool, default: false
    config_param :parse_json, :bool, default: true
    # Longest line in bytes whose JSON is parsed. Default: any.
    config_param :fields_bytes, :integer, default: nil
    # Rules for masking, dropping and adding, from processing.ts.
    config_param :rules, :hash, default: {}
    # Whether a record names the CloudWatch stream of its container.
    config_param :stream, :bool, default: false
    # Without a prefix a record has no index and no id.
    config_param :index_prefix, :string, default: nil
    config_param :index_separator, :string, default: "-"
    config_param :index_date, :string, default: "%Y.%m.%d"
    config_param :index_zone, :string, default: "UTC"
    config_param :index_split, :string, default: "none"

    FILE = /([^._]+)_([^_]+)_([^_.]+)\.([^.]+)\.\d+\.log/
    OPTED_OUT = /\A(?:true|on|yes)\z/i
    # Integers that MessagePack, and so the buffer, can store.
    INTEGERS = (-(2**63)..(2**64 - 1))
    MAX_PART = 63
    # An escape in JSON; a surrogate pair counts as one. A lone surrogate is no character, and no output could write it.
    ESCAPE = /\\(?:u[dD][89abAB]\h\h\\u[dD][c-fC-F]\h\h|u[dD][89a-fA-F]\h\h|.)/m
    HALF = /\A\\u[dD][89a-fA-F]\h\h\z/
    # JSON with a comment, or with an escape that JSON has not: some versions of the parser read both. Most lines need only the first look.
    PERHAPS_NOT_JSON = %r{/[/*]|\\[^"\\/bfnrtu]}
    STRICT = %r{\A[^"/]*+(?:"[^"\\]*+(?:\\["\\/bfnrtu][^"\\]*+)*+"[^"/]*+)*+\z}
    # Common values of a container's lines.
    Origin = Struct.new(:kubernetes, :team, :labels, :wanted)

    def configure(conf)
      super
      @zone = TZInfo::Timezone.get(@index_zone)
      @pods = PodLookup.new(@api_url, log) unless @application
      redact, thin, limit, @added = @rules.values_at("redact", "thin", "limit", "fields")
      @redactor = LineRedactor.new(redact) if redact
      @thinner = LineThinner.new(thin) if thin
      @limits = LineLimits.new(limit) if limit
    end

    def filter_stream(tag, lines)
      origin = @application ? own : origin_of(tag)
      made = Fluent::MultiEventStream.new
      return made unless origin.wanted
      lines.each do |time, record|
        kept = record_of(origin, time, record)
        made.add(time, kept) if kept
      rescue StandardError => error
        # Without the error's message, and not by Fluentd's own error handling: both may print the line's text.
        log.error "dropped a line of which no record can be made", tag: tag, error: error.class, at: error.backtrace&.first
      end
      made
    rescue PodLookup::Stopped => error
      # On this error the input does not count the lines as read.
      raise Buffer::BufferOverflowError, error.message
    end

    private

    def own
      @own ||= Origin.new(@application["kubernetes"].merge("host" => @node), @application["team"], {}, true)
    end

    def origin_of(tag)
      _, namespace, pod, uid, container = *FILE.match(tag)
      found = @pods.find(namespace, pod, uid) { stopped? }
      kubernetes = { "namespace_name" => namespace, "pod_name" => pod, "container_name" => container, "host" => @node }
      kubernetes["labels"] = found.labels.transform_keys { |key| key.tr(".", "_") } if @labels
      kubernetes["annotations"] = found.annotations.transform_keys { |key| key.tr(".", "_") } if @annotations
      wanted = !OPTED_OUT.match?(found.annotations[@opt_out].to_s) &&
               @required_labels.all? { |key, value| found.labels[key] == value }
      team = @teams[namespace]
      team ||= namespace.delete_suffix("-team") if namespace.end_with?("-team")
      Origin.new(kubernetes, team, found.labels, wanted)
    end

    # nil for a line that is dropped.
    def record_of(origin, time, record)
      # Lines are read as bytes, since the parser would drop invalid UTF-8.
      line = record["log"].to_s.dup.force_encoding(Encoding::UTF_8).scrub
      # First, so that no id contains masked text, and JSON fields are masked too.
      line = @redactor.redact(line) if @redactor
      made = { "@timestamp" => Time.at(time.to_i, time.nsec, :nsec).utc.strftime("%Y-%m-%dT%H:%M:%S.%9NZ"), "log" => line }
      made["stream"] = record["stream"].dup.force_encoding(Encoding::UTF_8) if record["stream"]
      made["kubernetes"] = origin.kubernetes
      made["team"] = origin.team if origin.team
      fields = @parse_json ? fields_of(line) : nil
      made["fields"] = fields if fields
      return nil if unwanted?(origin, time, made)
      made.merge!(@added) if @added
      names = origin.kubernetes.values_at("namespace_name", "pod_name", "container_name")
      made["_index"] = names.join(".") if @stream
      return made unless @index_prefix
      made["_index"] = [@index_prefix, split_of(origin), date_of(time)].compact.join(@index_separator)
      parts = [*names, made["stream"], time.to_i, time.nsec, line]
      made["_document_id"] = Digest::SHA1.hexdigest(parts.join(" "))
      made
    end

    def unwanted?(origin, time, made)
      namespace, pod = origin.kubernetes.values_at("namespace_name", "pod_name")
      log, stream, fields = made.values_at("log", "stream", "fields")
      line = LineThinner::Line.new(log, namespace, stream, origin.labels, fields, time.nsec / 1000 % 1000)
      @thinner&.drop?(line) || @limits&.beyond?(namespace, pod, time.to_i)
    end

    def fields_of(line)
      return nil if !line.start_with?("{") || (@fields_bytes && line.bytesize > @fields_bytes)
      return nil if line.match?(PERHAPS_NOT_JSON) && !line.match?(STRICT)
      line = line.gsub(ESCAPE) { |escape| escape.match?(HALF) ? "\\ufffd" : escape } if line.match?(/\\u[dD][89a-fA-F]/)
      parsed = JSON.parse(line)
      parsed.is_a?(Hash) ? clean(parsed) : nil
    rescue JSON::ParserError
      nil
    end

    # A search engine reads a dot in a field name as a path. A number that cannot be encoded would block the whole buffer.
    def clean(value)
      case value
      when Hash then value.to_h { |key, inner| [@index_prefix ? key.tr(".", "_") : key, clean(inner)] }
      when Array then value.map { |inner| clean(inner) }
      when Integer then INTEGERS.cover?(value) ? value : value.to_s
      when Float then value.finite? ? value : nil
      else value
      end
    end

    # The rule of safeIndexPart in index-format.ts.
    def split_of(origin)
      value = case @index_split
              when "none" then return nil
              when "team" then origin.team
              when "namespace" then origin.kubernetes["namespace_name"]
              else origin.labels.values_at("app.kubernetes.io/name", "app").find { |label| !label.to_s.empty? }
              end
      safe = value.to_s.downcase.gsub(/[^a-z0-9._-]/, "-")[0, MAX_PART]
      safe.empty? ? "none" : safe
    end

    # Consecutive lines mostly have the same date. Two threads call this, so the pair is replaced as one.
    def date_of(time)
      seconds, date = @last_date
      return date if seconds == time.to_i
      date = @zone.utc_to_local(Time.at(time.to_i).utc).strftime(@index_date)
      @last_date = [time.to_i, date]
      date
    end
  end
end
