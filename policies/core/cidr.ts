import { isIPv4, isIPv6 } from "node:net";

/** A range of addresses, as numbers; both ends are included. */
interface Range {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

/** A CIDR block, and the addresses that it excludes. */
export interface Block {
  readonly cidr: string;
  readonly except?: readonly string[];
}

/**
 * Addresses of hosts. IPv4: all except this-network, loopback, link-local, multicast and reserved addresses. IPv6: global and unique local
 * ones.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/
 * @see https://www.iana.org/assignments/ipv6-address-space/
 */
const HOSTS = {
  32: without(ranges(["0.0.0.0/0"]), ranges(["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"])),
  128: ranges(["2000::/3", "fc00::/7"]),
} as const;
/** The smallest networks in AWS: 16 addresses, or the prefix of a node. Smaller exclusions are single hosts. */
const SMALLEST = { 32: 1n << BigInt(32 - 28), 128: 1n << BigInt(128 - 80) } as const;

/**
 * Whether blocks together contain all hosts of IPv4 or of IPv6, except single hosts and unused addresses: `0.0.0.0/1` and `128.0.0.0/1` do,
 * and so does `0.0.0.0/0` without `169.254.169.254/32`. Invalid blocks contain nothing.
 */
export function coversEverybody(blocks: readonly Block[]): boolean {
  return ([32, 128] as const).some((bits) => {
    const held = blocks.flatMap(({ cidr, except = [] }) => without(ranges([cidr]), ranges(except)));
    return without(HOSTS[bits], held).every(({ first, last }) => last - first + 1n < SMALLEST[bits]);
  });
}

/** Subtracts ranges from others. */
function without(whole: readonly Range[], taken: readonly Range[]): Range[] {
  let left = [...whole];
  for (const out of taken) {
    left = left.flatMap((range) => {
      if (range.bits !== out.bits || out.last < range.first || out.first > range.last) return [range];
      const before = { ...range, last: out.first - 1n };
      const after = { ...range, first: out.last + 1n };
      return [before, after].filter(({ first, last }) => first <= last);
    });
  }
  return left;
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
