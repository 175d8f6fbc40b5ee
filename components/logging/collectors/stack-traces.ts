import { literalPattern } from "../processing/pattern-text.ts";
import type { LoggingSettings } from "../settings.ts";

type Language = LoggingSettings["multiline"][number];

/**
 * How continuation lines of a stack trace begin, for collectors without language support: literals; indented lines always continue.
 * Each line is matched alone: the last line of a Python trace begins like any other, so it stays separate.
 */
const BEGINNINGS: Readonly<Record<Language, readonly string[]>> = {
  // The third is .NET's, the last two are Reactor's.
  java: ["Caused by: ", "Wrapped by: ", "--- End of ", "Error has been observed at ", "Original Stack Trace:"],
  python: [],
  // The first three are Rust's.
  go: [
    "stack backtrace:",
    "note: run with `RUST_BACKTRACE",
    "note: Some details are omitted, run with `RUST_BACKTRACE",
    "[signal ",
    "goroutine ",
    "panic(",
    "created by ",
    "main.main(",
    "main.main.func",
    "main.(*",
  ],
  // Ends an error's properties.
  node: ["}"],
};

/** What is missing from traces that are joined by this, in descriptions of collectors. */
export const LACKED_BY_INDENTATION = "the last line of Python's and some of Go's, PHP's and Rust's";
/** How such a collector joins traces. */
export const BY_INDENTATION = `stack traces by indentation, except ${LACKED_BY_INDENTATION}`;

/** Beginnings of lines that continue the previous line; none if no traces are joined. An indented line continues it too. */
export function continuations(languages: readonly Language[]): string[] {
  return [...new Set(languages.flatMap((language) => BEGINNINGS[language]))].sort();
}

/** Matches a line that continues the previous line; undefined if no traces are joined. In the syntax that all engines share. */
export function continuationPattern(languages: readonly Language[]): string | undefined {
  if (languages.length === 0) return undefined;
  return `^(${["[ \\t]+[^ \\t]", ...continuations(languages).map(literalPattern)].join("|")})`;
}

/**
 * Matches lines other than continuations: for RE2, which has no negation. Such a line differs from each beginning at some character.
 */
export function firstLinePattern(languages: readonly Language[]): string | undefined {
  if (languages.length === 0) return undefined;
  const beginnings = continuations(languages);
  const key = beginnings.join("\n");
  const pattern = firstLinePatterns.get(key) ?? `^(${unlike(["", ...beginnings])}|[ \\t]*$)`;
  firstLinePatterns.set(key, pattern);
  return pattern;
}

/** By the beginnings, of which there are few sets. A check of the settings renders a collector for each of them. */
const firstLinePatterns = new Map<string, string>();

/** Alternatives for what may follow a common beginning without completing one of these. */
function unlike(rests: readonly string[]): string {
  const next = new Map<string, string[]>();
  for (const rest of rests) {
    const [character = "", tail] = [rest.slice(0, 1), rest.slice(1)];
    if (character !== "") next.set(character, [...(next.get(character) ?? []), tail]);
  }
  // Nor an empty line, which a reader of whole files would match with its line break.
  const blanks = rests.includes("") ? " \\t\\n" : "";
  const others = `[^${[...next.keys()].map(inClass).join("")}${blanks}]`;
  const onwards = [...next].flatMap(([character, tails]) =>
    tails.includes("") ? [] : [`${literalPattern(character)}(${unlike(tails)}|$)`],
  );
  return [others, ...onwards].join("|");
}

function inClass(character: string): string {
  return character.replace(/[\\\]^-]/, "\\$&");
}
