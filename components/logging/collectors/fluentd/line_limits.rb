# Counts the lines of a pod by the second in which they were written, so that what waited while Fluentd was stopped is no burst.

class LineLimits
  # Seconds and pods that are still counted: two containers of a pod may be read apart.
  MAX_COUNTED = 100_000
  COUNTED = :line_limits_counted

  # Whoever sends lines to the filters does it in this block: lines that are refused come again, and then count once.
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
