import { parse } from "yaml";

/** Cached results, oldest first: all rules read the same configurations, and parsing YAML is most of their work. */
const PARSED = new Map<string, unknown>();
const MAX_PARSED = 64;

/** Parses YAML; undefined if it is invalid, or contains itself by an alias within its own anchor. */
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
    // YAML 1.2 reads `on` as text, as Fluent Bit does. A warning would go to the terminal, not into the report.
    const data: unknown = parse(text, { logLevel: "error" });
    // Throws if an alias is within its own anchor, which would cause infinite recursion.
    JSON.stringify(data);
    return data;
  } catch {
    return undefined;
  }
}

/** A YAML mapping. */
export type Group = { readonly [key: string]: unknown };

export function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
