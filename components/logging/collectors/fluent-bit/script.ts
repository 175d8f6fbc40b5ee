import { NO_VALUE } from "../../index-format.ts";
import { ID_KEY, SPLIT_KEY } from "./outputs.ts";

/** Name of the function that the filter calls. */
export const APP_FUNCTION = "app_of_record";

/**
 * A Lua filter that writes the app of a record to a key of it, made safe by the rule of `safeIndexPart`; which of two labels counts,
 * and lower case, no other filter knows. Lua keeps no order among keys, and so Fluent Bit would make another id of the same line each
 * time that it starts: the script makes one, of the line's time and a hash of where it comes from and what it says.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/lua
 */
export function appScript(): string {
  return `local bit = require("bit")

local function hash(text, seed)
  local one, other = seed, bit.bnot(seed)
  for at = 1, #text do
    local byte = string.byte(text, at)
    one = bit.bxor(bit.tobit(bit.lshift(one, 5) + one), byte)
    other = bit.tobit(bit.lshift(other, 16) + bit.lshift(other, 6) - other + byte)
  end
  return bit.tohex(one) .. bit.tohex(other)
end

function ${APP_FUNCTION}(tag, timestamp, record)
  local kubernetes = record["kubernetes"] or {}
  local labels = kubernetes["labels"] or {}
  local value = labels["app.kubernetes.io/name"] or labels["app"] or "${NO_VALUE}"
  value = string.sub(string.gsub(string.lower(value), "[^a-z0-9._-]", "-"), 1, 63)
  if value == "" then value = "${NO_VALUE}" end
  record["${SPLIT_KEY}"] = value
  local time = record["time"] or tostring(timestamp)
  record["${ID_KEY}"] = time .. hash(tag .. (record["stream"] or "") .. (record["log"] or ""), 5381)
  -- 2: the record is new, the time is not.
  return 2, timestamp, record
end
`;
}
