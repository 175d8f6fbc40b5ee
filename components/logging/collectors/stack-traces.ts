import type { LoggingSettings } from "../settings.ts";

type Language = LoggingSettings["multiline"][number];

/**
 * What a line of a stack trace that is not its first begins with, for collectors that know no languages: literals, and `\t` and
 * blanks for what is indented. A rule for each line alone: the last line of a Python trace begins like any other and stays one.
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
  // Ends the properties of an error.
  node: ["}"],
};

/** Beginnings of lines that belong to the line before; none where no traces are joined. A line that is indented belongs to it too. */
export function continuations(languages: readonly Language[]): string[] {
  return [...new Set(languages.flatMap((language) => BEGINNINGS[language]))].sort();
}

/** Matches a line that belongs to the line before; undefined where no traces are joined. In the syntax that all engines share. */
export function continuationPattern(languages: readonly Language[]): string | undefined {
  if (languages.length === 0) return undefined;
  return `^(${["[ \\t]+[^ \\t]", ...continuations(languages).map(literal)].join("|")})`;
}

/**
 * Matches every other line: for RE2, which cannot say "not". A line is no continuation if it leaves each of their beginnings at some
 * character.
 */
export function firstLinePattern(languages: readonly Language[]): string | undefined {
  if (languages.length === 0) return undefined;
  return `^(${unlike(["", ...continuations(languages)])}|[ \\t]*$)`;
}

/** Alternatives for what follows a common beginning without becoming one of these. */
function unlike(rests: readonly string[]): string {
  const next = new Map<string, string[]>();
  for (const rest of rests) {
    const [character = "", tail] = [rest.slice(0, 1), rest.slice(1)];
    if (character !== "") next.set(character, [...(next.get(character) ?? []), tail]);
  }
  const blanks = rests.includes("") ? " \\t" : "";
  const others = `[^${[...next.keys()].map(inClass).join("")}${blanks}]`;
  const onwards = [...next].flatMap(([character, tails]) =>
    tails.includes("") ? [] : [`${literal(character)}(${unlike(tails)}|$)`],
  );
  return [others, ...onwards].join("|");
}

function literal(text: string): string {
  return text.replaceAll(/[.\\+*?[^\]$(){}|]/g, "\\$&");
}

function inClass(character: string): string {
  return character.replace(/[\\\]^-]/, "\\$&");
}
