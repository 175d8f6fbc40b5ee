const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;

/**
 * Seconds of a duration as Go writes it, such as `1h30m` or `500ms`; undefined where it is none, or negative.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function seconds(text: string): number | undefined {
  if (text === "0") return 0;
  let total = 0;
  PART.lastIndex = text.startsWith("+") ? 1 : 0;
  do {
    const part = PART.exec(text);
    if (part === null) return undefined;
    total += Number(part[1]) * (UNITS[part[2] ?? ""] ?? Number.NaN);
  } while (PART.lastIndex < text.length);
  return total;
}
