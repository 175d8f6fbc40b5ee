# Redacts and drops lines by the rules that processing.ts renders for scripts, as logagent/processing.cjs does.

# Masks secrets in the text of a record.
class LineRedactor
  # Replaces a line on which a custom pattern fails, since it is too long.
  UNREADABLE = "[REDACTED]"
  # A line that begins as an object, begins and ends as a list, or ends as an object after other text.
  JSON_LINE = /\A(?:[ \t]*(?:\{|\[\s*(?:[\["{0-9-]|true|false|null).*\]\s*\z)|[^"{]*\{[ \t]*".*\}\s*\z)/m

  def initialize(rules)
    bare, others = rules.partition { |rule| rule["bare"] }
    @rules = others.map { |rule| [Regexp.new(rule["pattern"]), rule["replacement"], rule["luhn"]] }
    @bare = bare.map { |rule| Regexp.new(rule["pattern"]) }
  end

  def redact(line)
    redacted = @rules.reduce(line) do |text, (pattern, replacement, luhn)|
      text.gsub(pattern) { |all| luhn && !check_digit?($~[2]) ? all : replaced(replacement, $~) }
    end
    redacted == line ? line : quoted(redacted)
  rescue StandardError
    UNREADABLE
  end

  private

  # Makes masks of JSON numbers strings.
  def quoted(line)
    return line unless JSON_LINE.match?(line)
    @bare.reduce(line) { |text, pattern| text.gsub(pattern) { $~[1] || "\"#{$~[2]}\"" } }
  end

  # A replacement consists of texts, and of numbers of groups whose text stays.
  def replaced(replacement, groups)
    replacement.map { |part| part.is_a?(String) ? part : groups[part] }.join
  end

  # See https://en.wikipedia.org/wiki/Luhn_algorithm
  def check_digit?(number)
    digits = number.scan(/[0-9]/).map(&:to_i).reverse
    digits.each_with_index.sum { |digit, at| at.even? ? digit : digit * 2 - (digit > 4 ? 9 : 0) } % 10 == 0
  end
end

# Drops lines that meet all conditions of a rule, except a share of them.
class LineThinner
  # A line as the rules see it. Its thousandth, 0 to 999, is the same if it is read again.
  Line = Struct.new(:log, :namespace, :stream, :labels, :fields, :thousandth)

  def initialize(rules)
    @rules = rules.map { |rule| [rule, rule["pattern"] && Regexp.new(rule["pattern"])] }
  end

  def drop?(line)
    @rules.any? { |rule, pattern| line.thousandth >= rule["kept"] && selected?(rule, line) && matched?(pattern, line) }
  end

  private

  def selected?(rule, line)
    among?(rule["namespaces"], line.namespace) && among?(rule["streams"], line.stream) &&
      (rule["labels"] || {}).all? { |key, value| line.labels[key] == value } &&
      among?(rule["words"], level_of(line.fields))
  end

  def among?(wanted, value)
    wanted.nil? || wanted.include?(value)
  end

  # A line that is too long for a pattern is kept.
  def matched?(pattern, line)
    pattern.nil? || pattern.match?(line.log)
  rescue RegexpError
    false
  end

  # The level of a JSON line: that of the first key that exists.
  def level_of(fields)
    return "" unless fields
    word = fields.fetch("level") { fields["severity"] }
    word.is_a?(String) ? word.downcase : ""
  end
end
