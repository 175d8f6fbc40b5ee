import ipaddr from "ipaddr.js";
import { RE2JS } from "re2js";

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
/** Maximum seconds of a duration, which has 63 bits of nanoseconds. */
const MAX_DURATION = 9_223_372_036;

/**
 * Parses a Go duration, such as `1h30m`, `-5s` or `500ms`, into seconds; undefined if invalid.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function duration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[-+]/, "");
  if (digits === "0") return 0;
  let total = 0;
  PART.lastIndex = 0;
  do {
    const part = PART.exec(digits);
    if (part === null) return undefined;
    total += Number(part[1]) * (UNITS[part[2] ?? ""] ?? Number.NaN);
  } while (PART.lastIndex < digits.length);
  return total > MAX_DURATION ? undefined : sign * total;
}

/** Parses a non-negative duration into seconds; undefined if invalid. */
export function seconds(text: string): number | undefined {
  const value = duration(text);
  return value === undefined || value < 0 || text.startsWith("-") ? undefined : value;
}

/** Parses a 64-bit integer; undefined if invalid. @see https://pkg.go.dev/strconv#Atoi */
export function integer(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return value >= -(2n ** 63n) && value < 2n ** 63n ? Number(value) : undefined;
}

/**
 * Parses an unsigned integer of a number of bits; undefined if invalid. With base 0, Go also accepts 0x, 0o, 0b and underscores.
 * @see https://pkg.go.dev/strconv#ParseUint
 */
export function unsigned(text: string, bits: number, base: 10 | 0 = 10): number | undefined {
  let digits = text;
  if (base === 0) {
    if (/^_|__|_$/.test(digits)) return undefined;
    digits = digits.replaceAll("_", "");
    if (/^0\d/.test(digits)) digits = `0o${digits.slice(1)}`;
  }
  const form = base === 0 ? /^(\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i : /^\d+$/;
  if (!form.test(digits)) return undefined;
  const value = BigInt(digits);
  return value < 2n ** BigInt(bits) ? Number(value) : undefined;
}

/** Parses a floating-point number; undefined if invalid. @see https://pkg.go.dev/strconv#ParseFloat */
export function float(text: string): number | undefined {
  if (/^[+-]?(inf|infinity)$/i.test(text))
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  const [, sign, whole = "", fraction = "", exponent] =
    HEX_FLOAT.exec(text.replace(/(?<=[\da-fx])_(?=[\da-f])/gi, "")) ?? [];
  if (exponent !== undefined) {
    if (whole === "" && fraction === "") return undefined;
    const value = Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
    return sign === "-" ? -value : value;
  }
  const decimal = text.replace(/(?<=\d)_(?=\d)/g, "");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(decimal)) return undefined;
  return Number.isFinite(Number(decimal)) ? Number(decimal) : undefined;
}

const HEX_FLOAT = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/i;

/** Whether Go accepts a text as an IP address: four decimal parts without leading zeros, or IPv6 without a zone. */
export function isAddress(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return !/(^|\.)0\d/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text);
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text);
}

/** Whether two addresses are equal, in any spelling. */
export function sameAddress(one: string, other: string): boolean {
  if (!isAddress(one) || !isAddress(other)) return false;
  return ipaddr.process(one).toNormalizedString() === ipaddr.process(other).toNormalizedString();
}

/** Whether an address is public. */
export function isPublic(address: string): boolean {
  return isAddress(address) && ipaddr.process(address).range() === "unicast";
}

/** Whether an address is loopback, which only the same pod reaches. */
export function isLoopback(address: string): boolean {
  return isAddress(address) && ipaddr.process(address).range() === "loopback";
}

/** Whether an address means the pod itself: loopback, or the unspecified address, which connects to loopback. */
export function isOwnHost(address: string): boolean {
  if (!isAddress(address)) return false;
  const range = ipaddr.process(address).range();
  return range === "loopback" || range === "unspecified";
}

/** Whether an address is link-local, such as that of NodeLocal DNSCache. */
export function isLinkLocal(address: string): boolean {
  return isAddress(address) && ipaddr.process(address).range() === "linkLocal";
}

/** A network in CIDR notation. */
export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 4 | 6;
}

/** Parses a network such as `10.0.0.0/8`; undefined if invalid. @see https://pkg.go.dev/net#ParseCIDR */
export function network(text: string): Network | undefined {
  const [, address = "", length = ""] = /^(.*)\/(\d+)$/.exec(text) ?? [];
  if (!isAddress(address)) return undefined;
  const family = address.includes(":") ? 6 : 4;
  const bits = Number(length);
  return bits <= (family === 4 ? 32 : 128) ? { address, bits, family } : undefined;
}

/** Splits `HOST:PORT` or `[HOST]:PORT`; undefined if it has another form. @see https://pkg.go.dev/net#SplitHostPort */
export function hostAndPort(text: string): { readonly host: string; readonly port: string } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text) ?? [];
  return port === undefined ? undefined : { host: bracketed ?? plain ?? "", port };
}

const ESCAPE = "%[0-9a-fA-F]{2}";
const USER = new RegExp(`^(?:[\\w.\\-:~!$&'()*+,;=@]|${ESCAPE})*$`);
const HOST = /^(?:[^\s%{}|\\^`[]|%25|%[89a-fA-F][\da-fA-F])*$/;
const PATH = new RegExp(`^(?:[^%]|${ESCAPE})*$`);

/** Whether Go parses a text such as `tcp://10.0.0.1:6000` as a URL with an authority. @see https://pkg.go.dev/net/url#Parse */
export function isGoUrl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses them.
  if (/[\x00-\x1f\x7f]/.test(text)) return false;
  const [, authority, path = "", , fragment = ""] =
    /^[a-zA-Z][a-zA-Z\d+.-]*:\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(?:#(.*))?$/.exec(text) ?? [];
  if (authority === undefined || !PATH.test(path) || !PATH.test(fragment)) return false;
  const end = authority.lastIndexOf("@");
  if (end >= 0 && !USER.test(authority.slice(0, end))) return false;
  const address = authority.slice(end + 1);
  const [, bracketed] = /^\[(.*)\](?::\d*)?$/.exec(address) ?? [];
  if (bracketed !== undefined) return isAddress(bracketed.replace(/%25[^%\s]+$/, "")) && bracketed.includes(":");
  const [, host] = /^([^:]*|.*(?=:\d*$))(?::\d*)?$/.exec(address) ?? [];
  return host !== undefined && HOST.test(host);
}

/** Whether Go, and so CoreDNS, accepts a text as a regular expression. @see https://github.com/google/re2/wiki/Syntax */
export function isGoRegexp(text: string): boolean {
  return compiled(text) !== undefined;
}

/** Returns a test for texts in which a regular expression matches; always false for an invalid one. */
export function goMatcher(pattern: string): (text: string) => boolean {
  const regexp = compiled(pattern);
  return (text) => regexp?.test(text) ?? false;
}

/** Number of groups of a regular expression, which a rewrite references as {1}, {2} and so on; 0 if it is invalid. */
export function groupsOf(text: string): number {
  return compiled(text)?.groupCount() ?? 0;
}

/** Names and numbers of a regular expression's groups; number 0 is the whole match. */
export function groupKeys(text: string): readonly string[] {
  const regexp = compiled(text);
  const numbers = Array.from({ length: (regexp?.groupCount() ?? 0) + 1 }, (_, index) => String(index));
  return [...numbers, ...Object.keys(regexp?.namedGroups() ?? {})];
}

/**
 * Number of different groups that a replacement references, such as two in `{1}.{2}`; CoreDNS knows {0} to {100}, without leading zeros.
 * @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/name.go
 */
export function usedGroups(to: string): number {
  return new Set([...to.matchAll(/\{(\d{1,3})\}/g)].map(([, digits = ""]) => digits).filter(isGroup)).size;
}

function isGroup(digits: string): boolean {
  return Number(digits) <= 100 && String(Number(digits)) === digits;
}

function compiled(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(withOwnNames(text));
  } catch {
    return undefined;
  }
}

/** Renames groups to be unique: Go accepts duplicate names, re2js does not. */
function withOwnNames(text: string): string {
  const seen = new Set<string>();
  return text.replace(/\(\?P?<(\w+)>/g, (whole, name: string, index: number) => {
    if (!seen.has(name)) {
      seen.add(name);
      return whole;
    }
    return `(?P<${name}_${index}>`;
  });
}

/** A name in CoreDNS's form: in lower case, with the trailing dot. */
export function dotted(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower : `${lower}.`;
}

/** Whether CoreDNS's DNS library accepts a text as a domain name. An escaped dot does not separate labels. */
export function isDomainName(text: string): boolean {
  if (text === "" || text === ".") return text === ".";
  const name = text.endsWith(".") && !text.endsWith("\\.") ? text.slice(0, -1) : text;
  const labels = name.split(/(?<!\\)\./);
  const lengths = labels.map((label) => Buffer.byteLength(label.replace(/\\(\d{3}|.)/g, "x")));
  return (
    !/(^|[^\\])\\$/.test(name) &&
    lengths.every((length) => length > 0 && length < 64) &&
    lengths.reduce((sum, length) => sum + length + 1, 0) <= 256
  );
}

/** The meaning of `ZONE:PORT` in a server block or a plugin's line. */
export interface ZoneAndPort {
  /** Fully qualified, as written; several for a network whose prefix is not a multiple of 8 or 4 bits. */
  readonly zones: readonly string[];
  readonly port: string | undefined;
}

/**
 * Parses a zone: a domain, or a network that means its reverse zone, with an optional port.
 * @returns a text with the reason if CoreDNS rejects it.
 * @see https://github.com/coredns/coredns/blob/master/plugin/normalize.go
 */
export function zoneAndPort(text: string): ZoneAndPort | string {
  const colon = text.lastIndexOf(":");
  if (colon === text.length - 1) return colon === -1 ? "a zone is missing" : `${text} has nothing after its colon`;
  const port = colon === -1 ? undefined : integer(text.slice(colon + 1));
  const zone = port === undefined ? text : text.slice(0, colon);
  if (Buffer.byteLength(zone) > 255) return "a zone is at most 255 characters long";
  if (!isDomainName(zone))
    return zone === "" ? `${text} has no zone before its port; . is every name` : `${zone} is not a domain name`;
  const found = network(zone);
  if (found === undefined) return { zones: [zone.endsWith(".") ? zone : `${zone}.`], port: port?.toString() };
  if (zone.startsWith(":") || (zone.startsWith("0") && zone.includes(":"))) return `${zone} is not a network`;
  return { zones: reverseZones(found), port: port?.toString() };
}

function reverseZones({ address, bits, family }: Network): string[] {
  const size = family === 4 ? 8 : 4;
  const kept = Math.ceil(bits / size);
  const bytes = ipaddr.parse(address).toByteArray();
  const parts = family === 4 ? bytes : bytes.flatMap((byte) => [byte >> 4, byte & 15]);
  const suffix = family === 4 ? "in-addr.arpa." : "ip6.arpa.";
  const name = (digits: readonly number[]) =>
    [...digits]
      .reverse()
      .map((digit) => `${family === 4 ? digit : digit.toString(16)}.`)
      .join("") + suffix;
  const spare = kept * size - bits;
  const last = parts[kept - 1];
  if (spare === 0 || last === undefined) return [name(parts.slice(0, kept))];
  const first = last & ~(2 ** spare - 1);
  return Array.from({ length: 2 ** spare }, (_, index) => name([...parts.slice(0, kept - 1), first + index]));
}

/**
 * Types, classes, codes and operations that CoreDNS's DNS library knows by name.
 * @see https://github.com/miekg/dns/blob/v1.1.72/ztypes.go
 */
export const TYPES: ReadonlySet<string> = new Set(
  `A AAAA AFSDB AMTRELAY ANY APL ATMA AVC AXFR CAA CDNSKEY CDS CERT CNAME CSYNC DHCID DLV DNAME DNSKEY DS EID EUI48 EUI64 GID GPOS
  HINFO HIP HTTPS IPSECKEY ISDN IXFR KEY KX L32 L64 LOC LP MAILA MAILB MB MD MF MG MINFO MR MX NAPTR NID NIMLOC NINFO NS NSEC NSEC3
  NSEC3PARAM NULL NXNAME NXT OPENPGPKEY OPT PTR PX RESINFO RKEY RP RRSIG RT SIG SMIMEA SOA SPF SRV SSHFP SVCB TA TALINK TKEY TLSA TSIG
  TXT UID UINFO UNSPEC URI X25 ZONEMD NSAP-PTR None Reserved`.split(/\s+/),
);

export const CLASSES: ReadonlySet<string> = new Set(["IN", "CS", "CH", "HS", "NONE", "ANY"]);

export const RCODES: ReadonlySet<string> = new Set(
  `NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP NOTIMPL REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI BADSIG BADKEY BADTIME
  BADMODE BADNAME BADALG BADTRUNC BADCOOKIE`.split(/\s+/),
);

export const OPCODES: ReadonlySet<string> = new Set(["QUERY", "IQUERY", "STATUS", "NOTIFY", "UPDATE"]);
