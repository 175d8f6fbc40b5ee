import { JOURNAL_FILE } from "./journal.ts";

/** Name of the filter in Fluentd's configuration, and the file that Fluentd looks for it in. */
export const LINES_FILTER = "pod_lines";
export const LINES_FILTER_FILE = `filter_${LINES_FILTER}.rb`;

/**
 * A filter of Fluentd that joins the parts of a line, and then the lines of a stack trace. The plugin for this, concat, has a line
 * of its own thread meet the next one without a lock: at 1 MB/s one of 89,000 was lost; and a kill loses what it holds.
 * @see https://docs.fluentd.org/plugin-development/api-plugin-filter
 */
export const LINES_FILTER_PROGRAM = `require "fluent/plugin/filter"
require_relative "${JOURNAL_FILE}"

module Fluent::Plugin
  class PodLinesFilter < Filter
    Fluent::Plugin.register_filter("${LINES_FILTER}", self)
    helpers :timer

    # Where lines go that have waited long enough.
    config_param :label, :string
    config_param :journal, :string
    # Matches a line that belongs to the one before. Default: none does.
    config_param :continuation, :regexp, default: nil

    # Seconds that a line waits for the next, and a part of a line for the rest.
    WAIT = 1
    WAIT_FOR_REST = 60
    # What is longer goes on in pieces: the buffer takes no larger record, and a record may hold its line twice.
    MOST_BYTES = 3 * 2**20

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
    # Of a container's stream: parts of a line, lines of a trace, those that the last call let go, what there was before it, and what
    # is on its way to the label.
    Stream = Struct.new(:parts, :lines, :gone, :before, :leaving) do
      def begin(again)
        self.parts, self.lines = before if again && before
        self.before = [parts, lines].map { |held| held&.dup.tap { |copy| copy.texts = copy.texts.dup if copy } }
        self.gone = nil
      end
    end

    def start
      super
      @streams = {}
      # By tag: the streams of its last call.
      @touched = {}
      @mutex = Mutex.new
      @held = LineJournal.new(@journal)
      @restored = @held.open
      timer_execute(:pod_lines, 0.5) { send_late }
      LineJournal::LAST_CALLS << -> { send_late(always: true) }
    end

    def shutdown
      super
      send_late(always: true)
      @held.close
    end

    def filter_stream(tag, lines)
      made = Fluent::MultiEventStream.new
      @mutex.synchronize do
        # What was refused is taken back, also of a stream that has nothing now: a file that was rotated away has the same tag.
        touched = LineJournal::UNTAKEN[tag] == :again ? @touched.fetch(tag, {}) : {}
        touched.each_value { |stream| stream.begin(true) }
        @touched[tag] = touched
        lines.each do |time, record|
          key = [tag, record["stream"].to_s]
          stream = @streams[key] ||= Stream.new(nil, nil, nil, nil, [])
          touched[key] ||= stream.tap { stream.begin(false) }
          add(stream, time, record, made)
        end
        touched.each { |key, stream| note(key, stream) }
      end
      made
    end

    private

    def add(stream, time, record, made)
      text = record["log"]
      part = record.delete("logtag")&.start_with?("P")
      if part || stream.parts
        stream.parts ||= Held.new(time, record, [], 0)
        stream.parts.add(text, now)
        return if part && stream.parts.bytes < MOST_BYTES
        time, record, stream.parts = stream.parts.time, stream.parts.joined(""), nil
      end
      return made.add(time, record) unless @continuation
      continue(stream, time, record, made)
    end

    def continue(stream, time, record, made)
      text = record["log"]
      held = stream.lines
      room = held && held.bytes + text.bytesize <= MOST_BYTES
      return held.add(text, now) if room && @continuation.match?(text)
      if held
        made.add(held.time, held.joined("\\n"))
        stream.gone ||= held
      end
      stream.lines = Held.new(time, record, [text], text.bytesize, now)
    end

    # What was let go in this call is not in the buffer yet.
    def note(key, stream)
      kept = [[stream.gone, "\\n"], [stream.lines, "\\n"], [stream.parts, ""]]
      @held.put(key, stream.leaving + kept.filter_map { |held, separator| entry(key, held, separator) if held })
    end

    def entry(key, held, separator)
      [key.first, held.time.to_i, held.time.nsec, held.joined(separator)]
    end

    # In the label it comes to the buffer. If that is full and this is the end, it stays in the journal.
    def send_late(always: false)
      router = event_emitter_router(@label)
      restore(router)
      late(always).each do |key, entries|
        emit(router, entries)
        @mutex.synchronize { settle(key, entries) }
      rescue StandardError => error
        log.warn "lines that wait stay in the journal", error: error
      end
    end

    def restore(router)
      emit(router, @restored)
      @held.forget_before
      @restored = []
    rescue StandardError => error
      log.warn "lines that waited stay in the journal", error: error
    end

    def emit(router, entries)
      entries.each do |tag, seconds, nanoseconds, record|
        router.emit(tag, Fluent::EventTime.new(seconds, nanoseconds), record)
      end
    end

    def late(always)
      @mutex.synchronize do
        @streams.each do |key, stream|
          # What was let go is not safe, and may come again, and these lines with it.
          next if LineJournal::UNTAKEN.key?(key.first)
          if stream.lines && (always || now - stream.lines.at >= WAIT)
            stream.leaving << entry(key, stream.lines, "\\n")
            stream.lines = nil
          end
          if stream.parts && (always || now - stream.parts.at >= WAIT_FOR_REST)
            stream.leaving << entry(key, stream.parts, "")
            stream.parts = nil
          end
        end
        forget_idle
        @streams.filter_map { |key, stream| [key, stream.leaving.dup] unless stream.leaving.empty? }
      end
    end

    # Nothing waits of these, and nothing of them may come again: containers come and go.
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
`;
