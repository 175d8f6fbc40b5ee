-- Sets a record's index_split to its app, by the rule of indexName in ../../indexing/index-format.ts, and line_id to an id.
-- No other filter can prefer one label to another or change case. Lua does not keep the order of keys, so an id that Fluent Bit derives
-- from the record would differ after each start: this one is made of the line's time and a hash of its origin and text.
-- https://docs.fluentbit.io/manual/data-pipeline/filters/lua

local bit = require("bit")

local NO_VALUE = "none"
local MAX_LENGTH = 63

local function hash(text, seed)
  local one, other = seed, bit.bnot(seed)
  for at = 1, #text do
    local byte = string.byte(text, at)
    one = bit.bxor(bit.tobit(bit.lshift(one, 5) + one), byte)
    other = bit.tobit(bit.lshift(other, 16) + bit.lshift(other, 6) - other + byte)
  end
  return bit.tohex(one) .. bit.tohex(other)
end

-- The first label that has a value.
local function app_of(labels)
  for _, name in ipairs({ "app.kubernetes.io/name", "app" }) do
    local value = labels[name]
    if value ~= nil and value ~= "" then return value end
  end
  return NO_VALUE
end

local function safe_index_part(value)
  return string.sub(string.gsub(string.lower(value), "[^a-z0-9._-]", "-"), 1, MAX_LENGTH)
end

function app_of_record(tag, timestamp, record)
  local kubernetes = record["kubernetes"] or {}
  record["index_split"] = safe_index_part(app_of(kubernetes["labels"] or {}))
  local time = record["time"] or tostring(timestamp)
  record["line_id"] = time .. hash(tag .. (record["stream"] or "") .. (record["log"] or ""), 5381)
  -- 2: the record is changed, its time is not.
  return 2, timestamp, record
end
