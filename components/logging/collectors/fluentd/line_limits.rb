# Counts a pod's lines by the second in which they were written, so that a backlog after a stop is no burst.

class LineLimits
  # Maximum counters, one per pod and second: a pod's containers may be read at different times.
  MAX_COUNTED = 100_000
  COUNTED = :line_limits_counted

  # Wraps each attempt to send lines through the filters: refused lines are sent again, so a failed attempt is not counted.
  def self.attempt
    Thread.current[COUNTED] = []
    yield
  rescue StandardError
    Thread.current[COUNTED].each(&:call)
    raise
  ensure
    Thread.current[COUNTED] = nil
  end

  def initialize(rules)
    @rules = rules
    @counts = {}
    @mutex = Mutex.new
  end

  # Whether a line is one too many.
  def beyond?(namespace, pod, second)
    @mutex.synchronize do
      @rules.each_with_index.any? do |rule, at|
        next if rule["namespaces"] && !rule["namespaces"].include?(namespace)
        count([at, namespace, pod, second]) > rule["linesPerSecond"]
      end
    end
  end

  private

  def count(key)
    @counts.clear if @counts.size >= MAX_COUNTED
    Thread.current[COUNTED]&.push(-> { take_back(key) })
    @counts[key] = @counts.fetch(key, 0) + 1
  end

  def take_back(key)
    @mutex.synchronize { @counts[key] -= 1 if @counts.fetch(key, 0) > 0 }
  end
end
