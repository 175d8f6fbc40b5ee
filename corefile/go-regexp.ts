/** Escapes of letters and digits that Go's regular expressions have; all others keep a pattern from compiling. */
const ESCAPES = /^(?:[aftnrvABbzdDsSwWQECpPx]|[0-7]{2,3}|0)/;
/** Look-around, which JavaScript has and Go does not. */
const LOOK_AROUND = /\(\?(?:<?[=!])/;

/**
 * Whether Go, and so CoreDNS, takes a text for a regular expression: JavaScript's own judgement, without what Go has in another
 * spelling or does not have at all.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function isGoRegexp(text: string): boolean {
  if (LOOK_AROUND.test(text.replace(/\\./g, ""))) return false;
  for (const [, escaped = ""] of text.matchAll(/\\(\d{1,3}|.|$)/gs)) {
    if (/^[A-Za-z0-9]|^$/.test(escaped) && !ESCAPES.test(escaped)) return false;
  }
  try {
    new RegExp(inJavaScript(text));
    return true;
  } catch {
    return false;
  }
}

/** Groups of a regular expression that {@link isGoRegexp} takes, which a rewrite names as {1}, {2} and so on. */
export function groupsOf(text: string): number {
  return (new RegExp(`${inJavaScript(text)}|`).exec("")?.length ?? 1) - 1;
}

/** Go's flags and names of groups as JavaScript spells them. */
function inJavaScript(text: string): string {
  return text
    .replace(/\(\?[imsU-]+\)/g, "")
    .replace(/\(\?[imsU-]*:/g, "(?:")
    .replaceAll("(?P<", "(?<");
}
