# Redacts and drops lines by the rules that processing.ts writes for scripts, as logagent/processing.cjs does.

# Masks secrets in the text of a record.
class LineRedactor
  # A line that is too long for a pattern of the user's is not sent unread.
  UNREADABLE = "[REDACTED]"
  # What begins as an object, begins and ends as a list, or ends as an object behind other text.
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

  # Of JSON: the mask of a number becomes a text.
  def quoted(line)
    return line unless JSON_LINE.match?(line)
    @bare.reduce(line) { |text, pattern| text.gsub(pattern) { $~[1] || "\"#{$~[2]}\"" } }
  end

  # Text, and numbers of groups whose text stays.
  def replaced(replacement, groups)
    replacement.map { |part| part.is_a?(String) ? part : groups[part] }.join
  end

  # See https://en.wikipedia.org/wiki/Luhn_algorithm
  def check_digit?(number)
    digits = number.scan(/[0-9]/).map(&:to_i).reverse
    digits.each_with_index.sum { |digit, at| at.even? ? digit : digit * 2 - (digit > 4 ? 9 : 0) } % 10 == 0
  end
end

# Drops lines that meet each condition of a rule, but for a share of them.
class LineThinner
  # A line as rules see it. Its thousandth, from 0 to 999, is the same when it is read again.
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

  # The level of a JSON line: that of the first key that is there.
  def level_of(fields)
    return "" unless fields
    word = fields.fetch("level") { fields["severity"] }
    word.is_a?(String) ? word.downcase : ""
  end
end
