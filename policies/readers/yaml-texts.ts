import { parse } from "yaml";

/** What was parsed last, oldest first: each rule reads the same configurations, and reading YAML is most of its work. */
const PARSED = new Map<string, unknown>();
const MAX_PARSED = 64;

/** A YAML text as data; undefined where it is none, or holds itself by an alias within its own anchor. */
export function parseQuietly(text: string): unknown {
  if (!PARSED.has(text)) {
    const [oldest] = PARSED.keys();
    if (PARSED.size === MAX_PARSED && oldest !== undefined) PARSED.delete(oldest);
    PARSED.set(text, parseOrNone(text));
  }
  return PARSED.get(text);
}

function parseOrNone(text: string): unknown {
  try {
    // Fluent Bit reads `on` as text; so does YAML 1.2. A warning would go to the terminal, past the report.
    const data: unknown = parse(text, { logLevel: "error" });
    // Throws where an alias stands within its own anchor, so that nobody reads on for ever.
    JSON.stringify(data);
    return data;
  } catch {
    return undefined;
  }
}

/** A mapping in YAML. */
export type Group = { readonly [key: string]: unknown };

export function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
