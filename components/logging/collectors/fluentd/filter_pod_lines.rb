# Joins the parts into which a container runtime splits a long line, and then the lines of a stack trace or of another record.
#
# The concat plugin runs its timeouts in a thread without a lock (measured: one of 89,000 lines lost at 1 MB/s), and a kill loses what it
# holds. This filter locks, and keeps the lines that it holds in a journal on disk.
# See https://docs.fluentd.org/plugin-development/api-plugin-filter

require "fluent/plugin/filter"
require_relative "line_journal.rb"
require_relative "line_limits.rb"

module Fluent::Plugin
  class PodLinesFilter < Filter
    Fluent::Plugin.register_filter("pod_lines", self)
    helpers :timer

    # Label that lines go to when they have waited long enough.
    config_param :label, :string
    config_param :journal, :string
    # Matches a line that continues the previous line. Default: none.
    config_param :continuation, :regexp, default: nil
    # First lines of records in some namespaces, which replace the continuation there; a rule without namespaces is for all.
    config_param :first_lines, :array, default: []

    # Seconds that a line waits for a continuation, and a part of a line for the rest.
    MULTILINE_FLUSH = 1
    PARTIAL_FLUSH = 60
    # Longer lines continue in pieces: the buffer takes no larger record, and a record may contain its line twice (log and fields).
    MAX_BYTES = 3 * 2**20
    # The namespace in a tag, which is made of the path of a pod's file.
    NAMESPACE = /([^._]+)_[^_]+_[^_.]+\./

    Held = Struct.new(:time, :record, :texts, :bytes, :at) do
      def add(text, now)
        texts << text
        self.bytes += text.bytesize
        self.at = now
      end

      def joined(separator)
        record.merge("log" => texts.join(separator))
      end
    end
    # State of one container stream: the parts of a line, the lines of a trace, the trace that the last call released, parts and lines before
    # that call, entries on their way to the label, and a test for lines that continue the previous one (nil: none does).
    Stream = Struct.new(:parts, :lines, :released, :before, :leaving, :continues) do
      def begin(again)
        self.parts, self.lines = before if again && before
        self.before = [parts, lines].map { |held| held&.dup.tap { |copy| copy.texts = copy.texts.dup if copy } }
        self.released = nil
      end
    end

    def start
      super
      @streams = {}
      @first_lines.each { |rule| rule["pattern"] = Regexp.new(rule["pattern"]) }
      # By tag: the streams that its last call touched.
      @touched = {}
      @mutex = Mutex.new
      @held = LineJournal.new(@journal)
      @restored = @held.open
      timer_execute(:pod_lines, 0.5) { flush }
      LineJournal::SHUTDOWN_HOOKS << -> { flush(all: true) }
    end

    def shutdown
      super
      flush(all: true)
      @held.close
    end

    def filter_stream(tag, lines)
      made = Fluent::MultiEventStream.new
      @mutex.synchronize do
        # The input sends refused lines again, so their effect is undone, for all streams of the tag: a rotated file has the same tag.
        touched = LineJournal::UNTAKEN[tag] == :again ? @touched.fetch(tag, {}) : {}
        touched.each_value { |stream| stream.begin(true) }
        @touched[tag] = touched
        lines.each do |time, record|
          key = [tag, record["stream"].to_s]
          stream = @streams[key] ||= Stream.new(nil, nil, nil, nil, [], continuation_of(tag))
          touched[key] ||= stream.tap { stream.begin(false) }
          add(stream, time, record, made)
        end
        touched.each { |key, stream| note(key, stream) }
      end
      made
    end

    private

    def continuation_of(tag)
      namespace = tag[NAMESPACE, 1]
      rule = @first_lines.find { |each| each["namespaces"].nil? || each["namespaces"].include?(namespace) }
      # Lines are read as bytes, but a pattern may contain characters.
      return ->(text) { !rule["pattern"].match?(text.dup.force_encoding(Encoding::UTF_8).scrub) } if rule
      @continuation && ->(text) { @continuation.match?(text) }
    end

    def add(stream, time, record, made)
      text = record["log"]
      part = record.delete("logtag")&.start_with?("P")
      if part || stream.parts
        stream.parts ||= Held.new(time, record, [], 0)
        stream.parts.add(text, now)
        return if part && stream.parts.bytes < MAX_BYTES
        time, record, stream.parts = stream.parts.time, stream.parts.joined(""), nil
      end
      return made.add(time, record) unless stream.continues
      continue(stream, time, record, made)
    end

    def continue(stream, time, record, made)
      text = record["log"]
      held = stream.lines
      room = held && held.bytes + text.bytesize <= MAX_BYTES
      return held.add(text, now) if room && stream.continues.call(text)
      if held
        made.add(held.time, held.joined("\n"))
        stream.released ||= held
      end
      stream.lines = Held.new(time, record, [text], text.bytesize, now)
    end

    # Writes to the journal all lines of a stream that are not in the buffer yet, including what this call released.
    def note(key, stream)
      kept = [[stream.released, "\n"], [stream.lines, "\n"], [stream.parts, ""]]
      @held.put(key, stream.leaving + kept.filter_map { |held, separator| entry(key, held, separator) if held })
    end

    def entry(key, held, separator)
      [key.first, held.time.to_i, held.time.nsec, held.joined(separator)]
    end

    # Sends what has waited long enough to the label, and so to the buffer. If that is full at shutdown, it stays in the journal.
    def flush(all: false)
      router = event_emitter_router(@label)
      restore(router)
      due(all).each do |key, entries|
        emit(router, entries)
        @mutex.synchronize { settle(key, entries) }
      rescue StandardError => error
        log.warn "waiting lines stay in the journal", error: error
      end
    end

    def restore(router)
      emit(router, @restored)
      @held.forget_before
      @restored = []
    rescue StandardError => error
      log.warn "lines of the last run stay in the journal", error: error
    end

    def emit(router, entries)
      LineLimits.attempt do
        entries.each do |tag, seconds, nanoseconds, record|
          router.emit(tag, Fluent::EventTime.new(seconds, nanoseconds), record)
        end
      end
    end

    def due(all)
      @mutex.synchronize do
        @streams.each do |key, stream|
          # Released lines that did not reach the buffer may be sent again, and these lines with them.
          next if LineJournal::UNTAKEN.key?(key.first)
          if stream.lines && (all || now - stream.lines.at >= MULTILINE_FLUSH)
            stream.leaving << entry(key, stream.lines, "\n")
            stream.lines = nil
          end
          if stream.parts && (all || now - stream.parts.at >= PARTIAL_FLUSH)
            stream.leaving << entry(key, stream.parts, "")
            stream.parts = nil
          end
        end
        forget_idle
        @streams.filter_map { |key, stream| [key, stream.leaving.dup] unless stream.leaving.empty? }
      end
    end

    # Forgets streams without waiting lines or lines that may be sent again: containers come and go.
    def forget_idle
      @streams.delete_if do |(tag, _), stream|
        idle = !stream.lines && !stream.parts && stream.leaving.empty? && !LineJournal::UNTAKEN.key?(tag)
        @touched.delete(tag) if idle
        idle
      end
    end

    def settle(key, entries)
      stream = @streams[key]
      return unless stream
      stream.leaving -= entries
      return note(key, stream) if stream.lines || stream.parts || LineJournal::UNTAKEN.key?(key.first)
      @streams.delete(key)
      @touched.delete(key.first)
      @held.put(key, [])
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
