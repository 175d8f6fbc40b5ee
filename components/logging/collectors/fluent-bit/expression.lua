-- Compiles patterns, given as tables, to Lua functions, since LuaJIT has no regular expressions. They find the same matches as the other
-- collectors: the leftmost one, by backtracking, over ASCII classes and whole UTF-8 characters.

local byte, find, sub = string.byte, string.find, string.sub

local function is_word(code)
  return code ~= nil and (code >= 48 and code <= 57 or code >= 65 and code <= 90 or code == 95 or code >= 97 and code <= 122)
end

-- Where the next character begins.
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

-- Where the previous character begins: its first byte is at most three bytes before its last.
local function before(text, at, start)
  local back = at - 1
  while back > start and at - back < 4 and byte(text, back) >= 128 and byte(text, back) < 192 do back = back - 1 end
  return after(text, back) == at and back or at - 1
end

-- The bytes of a class, as a table; a negated class contains all bytes beyond ASCII.
local function members(node)
  local set, negated = {}, node[2]
  for code = 0, 255 do set[code] = negated end
  for at = 3, #node, 2 do
    for code = node[at], node[at + 1] do set[code] = not negated end
  end
  return set
end

local compile
-- Number of the last group so far.
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

-- A repeated class, without a function call for each character.
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
  -- Each copy of the body has the same group numbers.
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
    -- Groups are numbered from left to right, but functions are built from right to left.
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
