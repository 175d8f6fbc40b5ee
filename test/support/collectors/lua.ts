import { readFileSync } from "node:fs";
import { type LuaEngine, LuaFactory } from "wasmoon";
import { luaRules } from "../../../components/logging/processing/lua-rules.ts";
import type { RedactionRule } from "../../../components/logging/processing/redaction.ts";

const SCRIPT = readFileSync(
  new URL("../../../components/logging/collectors/fluent-bit/redact.lua", import.meta.url),
  "utf8",
);
/** Passes many lines to Lua at once: one by one takes most of the time. No line of a test has this character. */
const SEPARATOR = "\u0001";
const ALL = `function redact_all(text)
  local made = {}
  for line in string.gmatch(text, "([^\\1]*)\\1") do
    local record = { log = line }
    redact("tag", 1, record)
    made[#made + 1] = record.log
  end
  return table.concat(made, "\\1")
end`;

/** Fluent Bit's script for redaction with these rules, in Lua 5.4. */
export class LuaRedaction {
  readonly #lua: LuaEngine;
  readonly #all: (text: string) => string;

  private constructor(lua: LuaEngine) {
    this.#lua = lua;
    this.#all = lua.global.get("redact_all");
  }

  static async start(rules: readonly RedactionRule[]): Promise<LuaRedaction> {
    const lua = await new LuaFactory().createEngine();
    await lua.doString(`RULES = ${luaRules(rules)}\n${SCRIPT}`);
    await lua.doString(ALL);
    return new LuaRedaction(lua);
  }

  redact(lines: readonly string[]): string[] {
    return this.#all(lines.map((line) => line + SEPARATOR).join("")).split(SEPARATOR);
  }

  stop(): void {
    this.#lua.global.close();
  }
}
