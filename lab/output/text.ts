import { styleText } from "node:util";

/** A count with its noun, such as `1 query` or `3 queries`. */
export function plural(count: number, word: string): string {
  const many = word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
  return `${count} ${count === 1 ? word : many}`;
}

/** Milliseconds, with two decimals for small values. */
export function ms(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Bold text, if stdout supports it. */
export function bold(text: string): string {
  return styleText("bold", text);
}

/** Dimmed text, if stdout supports it. */
export function dim(text: string): string {
  return styleText("dim", text);
}

/** Starts a line that warns the user. */
export function warningLabel(): string {
  return `${styleText("yellow", "warning")}:`;
}
