/**
 * Matches a time whose microseconds, three digits, are below a number, for collectors that know conditions on texts only: the same lines
 * are kept when they are read again. In the syntax that all engines share.
 */
export function keptTimes(below: number): string {
  return times(below, (digit) => (digit === 0 ? undefined : `[0-${digit - 1}]`));
}

/** Matches each other time. */
export function droppedTimes(from: number): string {
  return times(from, (digit) => (digit === 9 ? undefined : `[${digit + 1}-9]`), String(from).padStart(3, "0"));
}

/** Times by the first of their three digits that differs from the number's. @param same Digits that match too. */
function times(number: number, other: (digit: number) => string | undefined, same?: string): string {
  const digits = [...String(number).padStart(3, "0")].map(Number);
  const options = digits.flatMap((digit, at) => {
    const others = other(digit);
    if (others === undefined) return [];
    return [`${digits.slice(0, at).join("")}${others}${anyDigits(digits.length - at - 1)}`];
  });
  return `\\.[0-9]{3}(${[...options, ...(same === undefined ? [] : [same])].join("|")})`;
}

function anyDigits(count: number): string {
  return "[0-9]".repeat(count);
}
