-- Writes the app of a record to its key index_split, by the rule of indexName in ../../index-format.ts, and an id to line_id.
-- No other filter knows which of two labels counts, nor lower case. Lua keeps no order among keys, so that Fluent Bit would make
-- another id of the same line each time it starts: this one comes from the line's time and a hash of its origin and text.
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
  -- 2: the record is new, the time is not.
  return 2, timestamp, record
end
