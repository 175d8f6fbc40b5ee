import { isIPv4, isIPv6 } from "node:net";

/** Addresses from the first to the last, as numbers. */
interface Range {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Whether blocks of addresses together hold every IPv4 or every IPv6 address, less what is left out: `0.0.0.0/1` and `128.0.0.0/1` do,
 * as `0.0.0.0/0` does. What is no block holds nothing.
 */
export function coversEverybody(cidrs: readonly string[], except: readonly string[] = []): boolean {
  const [held, left] = [ranges(cidrs), ranges(except)];
  return ([32, 128] as const).some((bits) => {
    const last = (1n << BigInt(bits)) - 1n;
    const without = left.filter((range) => range.bits === bits);
    if (without.length > 0) return false;
    return coversAll(
      held.filter((range) => range.bits === bits),
      last,
    );
  });
}

function coversAll(held: readonly Range[], last: bigint): boolean {
  let next = 0n;
  for (const range of held.toSorted((one, other) => (one.first < other.first ? -1 : 1))) {
    if (range.first > next) return false;
    if (range.last >= next) next = range.last + 1n;
  }
  return next > last;
}

function ranges(cidrs: readonly string[]): Range[] {
  return cidrs.flatMap((cidr) => {
    const [address = "", prefix] = cidr.trim().split("/");
    const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined;
    const length = Number(prefix ?? bits);
    if (bits === undefined || !Number.isInteger(length) || length < 0 || length > bits) return [];
    const size = 1n << BigInt(bits - length);
    const first = ((bits === 32 ? ipv4(address) : ipv6(address)) / size) * size;
    return [{ bits, first, last: first + size - 1n }];
  });
}

function ipv4(address: string): bigint {
  return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6(address: string): bigint {
  const plain = address.replace(/%.*$/, "").replace(/[\d.]+\.[\d.]+$/, (inner) => {
    const number = ipv4(inner);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const groups = (text: string | undefined) => (text ?? "").split(":").filter((group) => group !== "");
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}
