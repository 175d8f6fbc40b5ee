-- Masks secrets in the text of a line. Fluent Bit has no filter that replaces what an expression finds, and LuaJIT has no expressions:
-- this compiles the patterns of the table RULES, which the renderer (lua-rules.ts) puts in front, to functions. They find what the
-- other collectors find: the leftmost match, by backtracking, of classes of ASCII and whole characters of UTF-8.
-- https://docs.fluentbit.io/manual/data-pipeline/filters/lua

local byte, find, sub = string.byte, string.find, string.sub

local function is_word(code)
  return code ~= nil and (code >= 48 and code <= 57 or code >= 65 and code <= 90 or code == 95 or code >= 97 and code <= 122)
end

-- Where the character after the one at a place begins.
local function after(text, at)
  local lead = byte(text, at)
  if lead < 192 then return at + 1 end
  local last = at + (lead >= 240 and 3 or lead >= 224 and 2 or 1)
  at = at + 1
  while at <= last do
    local code = byte(text, at)
    if code == nil or code < 128 or code > 191 then break end
    at = at + 1
  end
  return at
end

-- Where the character before a place begins: the byte that it begins with is at most three before the last that goes on with it.
local function before(text, at, start)
  local back = at - 1
  while back > start and at - back < 4 and byte(text, back) >= 128 and byte(text, back) < 192 do back = back - 1 end
  return after(text, back) == at and back or at - 1
end

-- A table of the bytes that a class has; those beyond ASCII are in it if it is negated.
local function members(node)
  local set, negated = {}, node[2]
  for code = 0, 255 do set[code] = negated end
  for at = 3, #node, 2 do
    for code = node[at], node[at + 1] do set[code] = not negated end
  end
  return set
end

local compile
-- How many groups have a number already.
local groups

local function count_groups(node)
  local count = node[1] == "group" and 1 or 0
  for at = 2, #node do
    if type(node[at]) == "table" then count = count + count_groups(node[at]) end
  end
  return count
end

local function compile_set(node, continue)
  local set = members(node)
  return function(text, at, captures)
    local code = byte(text, at)
    if code == nil or not set[code] then return nil end
    return continue(text, code < 128 and at + 1 or after(text, at), captures)
  end
end

-- A class repeated: without a call for each character.
local function repeat_set(node, continue)
  local set, least, most, lazy = members(node[2]), node[3], node[4], node[5]
  if most < 0 then most = math.huge end
  return function(text, at, captures)
    local count, start = 0, at
    if lazy then
      while true do
        if count >= least then
          local stop = continue(text, at, captures)
          if stop ~= nil then return stop end
        end
        local code = byte(text, at)
        if count >= most or code == nil or not set[code] then return nil end
        at = code < 128 and at + 1 or after(text, at)
        count = count + 1
      end
    end
    local code = byte(text, at)
    while count < most and code ~= nil and set[code] do
      at = code < 128 and at + 1 or after(text, at)
      count = count + 1
      code = byte(text, at)
    end
    while count >= least do
      local stop = continue(text, at, captures)
      if stop ~= nil then return stop end
      if at <= start then return nil end
      at = before(text, at, start)
      count = count - 1
    end
    return nil
  end
end

local function compile_repeat(node, continue)
  local body, least, most, lazy = node[2], node[3], node[4], node[5]
  if body[1] == "set" then return repeat_set(node, continue) end
  local before = groups
  -- Each copy of the body has the same groups.
  local function copy(onward)
    groups = before
    return compile(body, onward)
  end
  local tail
  if most < 0 then
    local again
    local loop = function(text, at, captures)
      if lazy then
        local stop = continue(text, at, captures)
        if stop ~= nil then return stop end
        return again(text, at, captures)
      end
      local stop = again(text, at, captures)
      if stop ~= nil then return stop end
      return continue(text, at, captures)
    end
    again = copy(loop)
    tail = loop
  else
    tail = continue
    for _ = least + 1, most do
      local again = copy(tail)
      tail = function(text, at, captures)
        local stop
        if lazy then
          stop = continue(text, at, captures)
          if stop ~= nil then return stop end
          return again(text, at, captures)
        end
        stop = again(text, at, captures)
        if stop ~= nil then return stop end
        return continue(text, at, captures)
      end
    end
  end
  for _ = 1, least do tail = copy(tail) end
  return tail
end

local function compile_group(node, continue)
  groups = groups + 1
  local from, to = 2 * groups - 1, 2 * groups
  local inner = compile(node[2], function(text, at, captures)
    local before = captures[to]
    captures[to] = at
    local stop = continue(text, at, captures)
    if stop == nil then captures[to] = before end
    return stop
  end)
  return function(text, at, captures)
    local before = captures[from]
    captures[from] = at
    local stop = inner(text, at, captures)
    if stop == nil then captures[from] = before end
    return stop
  end
end

local compilers = {
  set = compile_set,
  ["repeat"] = compile_repeat,
  group = compile_group,
  character = function(node, continue)
    local wanted = node[2]
    return function(text, at, captures)
      if sub(text, at, at + #wanted - 1) ~= wanted then return nil end
      return continue(text, at + #wanted, captures)
    end
  end,
  sequence = function(node, continue)
    -- Groups are numbered from the left, and functions are made from the right.
    local counts = {}
    for at = 2, #node do
      counts[at] = groups
      groups = groups + count_groups(node[at])
    end
    local all = groups
    for at = #node, 2, -1 do
      groups = counts[at]
      continue = compile(node[at], continue)
    end
    groups = all
    return continue
  end,
  choice = function(node, continue)
    local options = {}
    for at = 2, #node do options[at - 1] = compile(node[at], continue) end
    return function(text, at, captures)
      for number = 1, #options do
        local stop = options[number](text, at, captures)
        if stop ~= nil then return stop end
      end
      return nil
    end
  end,
  boundary = function(_, continue)
    return function(text, at, captures)
      if is_word(at > 1 and byte(text, at - 1) or nil) == is_word(byte(text, at)) then return nil end
      return continue(text, at, captures)
    end
  end,
  start = function(_, continue)
    return function(text, at, captures)
      if at ~= 1 then return nil end
      return continue(text, at, captures)
    end
  end,
  ["end"] = function(_, continue)
    return function(text, at, captures)
      if at ~= #text + 1 then return nil end
      return continue(text, at, captures)
    end
  end,
}

function compile(node, continue)
  return compilers[node[1]](node, continue)
end

-- Whether the digits of a text have the check digit of Luhn.
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

-- Finders of places near which a match may be, from a place on: a step over most bytes, since a pattern of Lua takes a hundred times as long.
local finders = {
  -- Two groups of four digits, the first from 2 to 6: one of each four bytes is looked at, and must be a digit with a digit or separator
  -- four bytes on.
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
  -- A dot between digits, and another.
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
  -- An @ as itself, or as JSON may write it.
  ats = function(text, at)
    local plain, escaped = find(text, "@", at, true), find(text, "\\u0040", at, true)
    if plain == nil or escaped == nil then return plain or escaped end
    return math.min(plain, escaped)
  end,
  -- Two colons, or one with two more after digits.
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

-- How far before what is likely a match may begin: an escape of JSON, and the name of a person or the beginning of an address.
local REACH = 72

-- The next place from one on where a match may begin, and the last before it must be asked for again.
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
    -- A try that fails leaves it empty.
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

local function redacted(text)
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
  return text
end

local CUT = "[REDACTED:cut]"
-- Runtimes divide lines at this size or a multiple of it.
local PART_SIZE = 8192
-- How far from the cut a divided secret may reach.
local MOST_CUT = 512
local MOST_UNFINISHED = 2000

-- Logs whose last record was the beginning of a line: Fluent Bit sends the parts that it has every four seconds.
local unfinished, unfinished_count = {}, 0

-- The length of the word, or of the digits with blanks and hyphens between them, at one end of a text.
local function word_length(text, word, digits)
  return math.max(#(string.match(text, word) or ""), #(string.match(text, digits) or ""))
end

-- Masks what touches a cut within a line, which may be half a secret that no pattern finds.
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
  -- A line that is too long for a pattern of the user's is not sent unread.
  local done, text = pcall(redacted, without_cut_words(tag, record, line))
  if not done then text = "[REDACTED]" end
  -- 0: nothing is changed, and the order of keys is kept.
  if text == line then return 0, timestamp, record end
  record["log"] = text
  -- Tells the filter that puts the keys into their order again.
  record["redacted"] = "yes"
  return 2, timestamp, record
end
