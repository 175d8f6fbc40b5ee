-- Masks secrets in a line, since Fluent Bit has no filter that replaces what an expression matches. The renderer prepends the table RULES
-- (lua-rules.ts), and expression.lua, which compiles its patterns.
-- https://docs.fluentbit.io/manual/data-pipeline/filters/lua

-- Whether the digits of a text have a valid Luhn check digit.
local function has_check_digit(text)
  local sum, double = 0, false
  for at = #text, 1, -1 do
    local digit = byte(text, at) - 48
    if digit >= 0 and digit <= 9 then
      if double then digit = digit * 2 - (digit > 4 and 9 or 0) end
      sum = sum + digit
      double = not double
    end
  end
  return sum % 10 == 0
end

-- Masks that may stand unquoted where JSON had a number.
local bare = {}
if #RULES > 0 and RULES[#RULES].bare ~= nil then bare = table.remove(RULES).bare end

for _, rule in ipairs(RULES) do
  groups = 0
  rule.match = compile(rule.pattern, function(_, at) return at end)
  rule.first = members(rule.first)
end

local function has_any(text, wanted)
  for at = 1, #wanted do
    if find(text, wanted[at], 1, true) then return true end
  end
  return #wanted == 0
end

local function is_digit(code)
  return code ~= nil and code >= 48 and code <= 57
end

local function is_hex(code)
  return code ~= nil and (code >= 48 and code <= 57 or code >= 65 and code <= 70 or code >= 97 and code <= 102)
end

local AT_ESCAPES = { "\\u0040", "%40" }

-- Find the next place near a possible match. They skip most bytes, since a Lua pattern takes a hundred times as long.
local finders = {
  -- Two groups of four digits, of which the first begins with 2 to 6. Only every fourth byte is examined: it must be a digit, and the byte
  -- four bytes later a digit or separator.
  digits = function(text, at)
    local length = #text
    local place = at + 3
    while place <= length do
      local code = byte(text, place)
      if code >= 48 and code <= 57 then
        local next_code = byte(text, place + 4)
        if is_digit(next_code) or next_code == 32 or next_code == 45 then
          for start = place - 3, place do
            local first = byte(text, start)
            if first >= 50 and first <= 54 and find(text, "^%d%d%d[ -]?%d%d%d%d", start + 1) then return start end
          end
        end
      end
      place = place + 4
    end
    return nil
  end,
  -- A dot between digits, followed by another.
  dots = function(text, at)
    local place = find(text, ".", at, true)
    while place ~= nil do
      if place > 1 and is_digit(byte(text, place - 1)) and is_digit(byte(text, place + 1)) and find(text, "^%d+%.%d", place + 1) then
        return place
      end
      place = find(text, ".", place + 1, true)
    end
    return nil
  end,
  -- An @, or its escape in JSON or in a URL.
  ats = function(text, at)
    local first = find(text, "@", at, true)
    for number = 1, #AT_ESCAPES do
      local escaped = find(text, AT_ESCAPES[number], at, true)
      if escaped ~= nil and (first == nil or escaped < first) then first = escaped end
    end
    return first
  end,
  -- Two colons in a row, or a colon that is followed by digits, a colon, digits and a colon.
  colons = function(text, at)
    local place = find(text, ":", at, true)
    while place ~= nil do
      local next_code = byte(text, place + 1)
      if next_code == 58 or is_hex(next_code) and find(text, "^%x+:%x+:", place + 1) then return place end
      place = find(text, ":", place + 1, true)
    end
    return nil
  end,
}

for _, rule in ipairs(RULES) do rule.find = finders[rule.finder] end

-- How far before the place of a finder a match may begin: the length of a color in JSON and the local part of an address.
local REACH = 90

-- The next place where a match may begin, and the place up to which the finder need not be asked again.
local function next_start(rule, text, at, last)
  if rule.find ~= nil and at > last then
    last = rule.find(text, at)
    if last == nil then return nil end
    at = math.max(at, last - REACH)
    while at < last and byte(text, at) >= 128 and byte(text, at) < 192 do at = at + 1 end
  end
  local first, code = rule.first, byte(text, at)
  while code ~= nil do
    if first[code] then return at, last end
    at = at + 1
    code = byte(text, at)
  end
  return nil
end

local function replaced(rule, text)
  local made, captures, copied, at, last = nil, nil, 1, 1, 0
  while true do
    at, last = next_start(rule, text, at, last)
    if at == nil then break end
    -- A failed match leaves it empty, so it can be reused.
    captures = captures or {}
    local stop = rule.match(text, at, captures)
    if stop == nil then
      at = after(text, at)
    else
      if not rule.luhn or has_check_digit(sub(text, captures[3], captures[4] - 1)) then
        made = made or {}
        made[#made + 1] = sub(text, copied, at - 1)
        for _, part in ipairs(rule.replacement) do
          if type(part) == "string" then
            made[#made + 1] = part
          elseif captures[2 * part] ~= nil then
            made[#made + 1] = sub(text, captures[2 * part - 1], captures[2 * part] - 1)
          end
        end
        copied = stop
      end
      at = stop
      captures = nil
    end
  end
  if made == nil then return text end
  made[#made + 1] = sub(text, copied)
  return table.concat(made)
end

-- Where a JSON string that begins at a place ends; the end of the line for a truncated one.
local function text_end(text, at)
  at = at + 1
  while true do
    local mark = find(text, '["\\]', at)
    if mark == nil then return #text end
    if byte(text, mark) == 34 then return mark end
    at = mark + 2
  end
end

-- Begin and end of the first unquoted mask from a place on.
local function first_bare(text, at)
  local first, last
  for number = 1, #bare do
    local from, to = find(text, bare[number], at, true)
    if from ~= nil and (first == nil or from < first) then first, last = from, to end
  end
  return first, last
end

-- Maximum characters of a number that remain before and after its mask.
local MOST_LEFT = 40

-- Quotes each mask, together with the rest of its number except the sign.
local function with_marks(text)
  local from, to = first_bare(text, 1)
  if from == nil then return text end
  local made, copied = {}, 1
  while from ~= nil do
    local sign, before = string.match(sub(text, math.max(copied, from - MOST_LEFT), from - 1), "(%-?)([0-9+.eE]?[0-9+.eE-]*)$")
    local behind = #string.match(sub(text, to + 1, to + MOST_LEFT), "^[0-9+.eE-]*")
    made[#made + 1] = sub(text, copied, from - #before - #sign - 1)
    made[#made + 1] = '"' .. sub(text, from - #before, to + behind) .. '"'
    copied = to + behind + 1
    from, to = first_bare(text, copied)
  end
  made[#made + 1] = sub(text, copied)
  return table.concat(made)
end

-- Where the JSON of a line begins: at the beginning of a line that begins as an object, or begins and ends as a list; after the text of a
-- line that ends as an object. nil for other lines.
local function json_start(text)
  if find(text, "^[ \t]*{") then return 1 end
  local first = string.match(text, "^[ \t]*%[%s*(%S%l*)")
  if first ~= nil and find(text, "%]%s*$", -20) then
    if find(first, '^[%["{0-9-]') or find(first, "^true") or find(first, "^false") or find(first, "^null") then return 1 end
  end
  local start = string.match(text, '^[^"{]*(){[ \t]*"')
  if start == nil or not find(text, "}%s*$", -20) then return nil end
  return find(text, "^[ \t]*%[") and 1 or start
end

-- Makes masks of JSON numbers strings.
local function quoted(text)
  local start = json_start(text)
  if start == nil then return text end
  local made, at = { sub(text, 1, start - 1) }, start
  while at <= #text do
    local mark = find(text, '"', at, true) or #text + 1
    made[#made + 1] = with_marks(sub(text, at, mark - 1))
    if mark > #text then break end
    local stop = text_end(text, mark)
    made[#made + 1] = sub(text, mark, stop)
    at = stop + 1
  end
  return table.concat(made)
end

local function redacted(line)
  local text = line
  local lower = string.lower(text)
  for number = 1, #RULES do
    local rule = RULES[number]
    if has_any(lower, rule.texts) and (rule.find == nil or rule.find(text, 1) ~= nil) then
      local made = replaced(rule, text)
      if made ~= text then
        text = made
        lower = string.lower(made)
      end
    end
  end
  if text == line then return line end
  return quoted(text)
end

local CUT = "[REDACTED:cut]"
-- Runtimes divide lines at this size or a multiple of it.
local PART_SIZE = 8192
-- Maximum bytes on each side of a cut that are masked.
local MOST_CUT = 512
local MOST_UNFINISHED = 2000

-- Streams whose last record was the beginning of a line: after four seconds Fluent Bit sends the parts that it has.
local unfinished, unfinished_count = {}, 0

-- Length of the word, or of the digits with blanks and hyphens between them, at one end of a text.
local function word_length(text, word, digits)
  return math.max(#(string.match(text, word) or ""), #(string.match(text, digits) or ""))
end

-- Masks the words at a cut within a line, which may be halves of a secret that no pattern matches.
local function without_cut_words(tag, record, line)
  local text, log = line, tag .. (record["stream"] or "")
  if unfinished[log] then
    unfinished[log] = nil
    unfinished_count = unfinished_count - 1
    local length = word_length(sub(text, 1, MOST_CUT), "^[^%s\"']+", "^[%d -]*%d")
    if length > 0 then text = CUT .. sub(text, length + 1) end
  end
  if record["_p"] == "P" and #line > 0 and #line % PART_SIZE == 0 then
    if unfinished_count >= MOST_UNFINISHED then unfinished, unfinished_count = {}, 0 end
    unfinished[log] = true
    unfinished_count = unfinished_count + 1
    local length = word_length(sub(text, -MOST_CUT), "[^%s\"']+$", "%d[%d -]*$")
    if length > 0 then text = sub(text, 1, -length - 1) .. CUT end
  end
  return text
end

function redact(tag, timestamp, record)
  local line = record["log"]
  if type(line) ~= "string" then return 0, timestamp, record end
  -- A line on which a custom pattern fails, since it is too long, is masked as a whole.
  local done, text = pcall(redacted, without_cut_words(tag, record, line))
  if not done then text = "[REDACTED]" end
  -- 0: the record is unchanged, so its keys keep their order.
  if text == line then return 0, timestamp, record end
  record["log"] = text
  -- Tells the next filter to restore the order of the keys.
  record["redacted"] = "yes"
  return 2, timestamp, record
end
