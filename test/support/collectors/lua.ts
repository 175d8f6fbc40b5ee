import { type LuaEngine, LuaFactory } from "wasmoon";
import { redactScript } from "../../../components/logging/collectors/fluent-bit/line-filters.ts";
import type { RedactionRule } from "../../../components/logging/processing/redaction.ts";

/** LuaJIT's module `bit`, which Lua 5.4 has as operators. @see https://bitop.luajit.org/api.html */
export const LUA_BIT = `local function signed(x)
  x = x & 0xffffffff
  return x >= 0x80000000 and x - 0x100000000 or x
end
package.preload.bit = function()
  return {
    tobit = signed,
    bnot = function(a) return signed(~a) end,
    bxor = function(a, b) return signed(a ~ b) end,
    lshift = function(a, n) return signed(a << n) end,
    tohex = function(a) return string.format("%08x", a & 0xffffffff) end,
  }
end`;

/** Passes many lines to Lua at once: one by one takes most of the time. No line of a test has this character. */
const SEPARATOR = "\u0001";
const REDACT_ALL = `local redact = redact
function redact_all(text)
  local made = {}
  for line in string.gmatch(text, "([^\\1]*)\\1") do
    local record = { log = line }
    redact("tag", 1, record)
    made[#made + 1] = record.log
  end
  return table.concat(made, "\\1")
end`;

/** Lua 5.4, started once: to start it takes longer than most of what it is used for. */
let engine: Promise<LuaEngine> | undefined;

/** Redacts lines with Fluent Bit's script and these rules, in Lua. */
export async function redactedByLua(rules: readonly RedactionRule[]): Promise<(lines: readonly string[]) => string[]> {
  engine ??= new LuaFactory().createEngine();
  const lua = await engine;
  await lua.doString(`${redactScript(rules)}\n${REDACT_ALL}`);
  const redactAll: (text: string) => string = lua.global.get("redact_all");
  return (lines) => redactAll(lines.map((line) => line + SEPARATOR).join("")).split(SEPARATOR);
}
