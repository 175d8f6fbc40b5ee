import { isIPv4, isIPv6 } from "node:net";
import { type Field, isKnownSo, someKnown, Undecided } from "../core/resource.ts";

/** The label that Kubernetes sets on every namespace. */
export const NAME_LABEL = "kubernetes.io/metadata.name";

const LAST_PORT = 65535;

/** A port range of a protocol. */
interface Ports {
  readonly protocol: string;
  readonly first: number;
  readonly last: number;
}

/** Whether a NetworkPolicy rule allows everybody on all ports of a protocol, by one or several peers. @throws {Undecided} */
export function isOpen(rule: Field): boolean {
  const entries = rule.at("ports").items();
  const hasUnknown = entries.some((entry) => ["protocol", "port", "endPort"].some((key) => entry.at(key).isUnknown));
  // Known ports decide, whatever the peers will be.
  if (entries.length > 0 && !hasUnknown && !areAll(entries.flatMap(portsOf))) return false;
  const peers = peersOf(rule);
  if (!areEverybody(peers)) return false;
  if (entries.length === 0) return true;
  const knownEntries = entries.filter((entry) => isKnownSo(() => portsOf(entry).length > 0));
  return areAll(knownEntries.flatMap(portsOf)) || areAll(entries.flatMap(portsOf));
}

/**
 * Whether lists of rules together allow everybody on all ports of a protocol. Each may cover only a part of the addresses and ports.
 * @throws {Undecided} if that depends on an unknown value.
 */
export function letEverythingThrough(lists: readonly Field[]): boolean {
  const passages = lists.flatMap(passagesOf);
  if (coverEverything(passages.filter(({ open }) => open === undefined))) return true;
  const [open] = passages.flatMap((passage) => passage.open ?? []);
  if (open !== undefined && coverEverything(passages)) throw open;
  return false;
}

const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
const ALL_PORTS: readonly Ports[] = PROTOCOLS.map((protocol) => ({ protocol, first: 1, last: LAST_PORT }));

/** Peers and ports that a rule allows. */
interface Passage {
  readonly ports: readonly Ports[];
  /** Undefined for everybody. */
  readonly blocks: readonly Block[] | undefined;
  /** Why it is uncertain, in which case it is the most that the rule may allow. */
  readonly open: Undecided | undefined;
}

function coverEverything(passages: readonly Passage[]): boolean {
  return PROTOCOLS.some((protocol) => {
    const all = passages.flatMap(({ ports, blocks }) =>
      ports.filter((range) => range.protocol === protocol).map(({ first, last }) => ({ first, last, blocks })),
    );
    // From one of these ports up to the next, the same rules apply.
    const starts = new Set([1, ...all.flatMap(({ first, last }) => [first, last + 1])]);
    return [...starts]
      .filter((port) => port >= 1 && port <= LAST_PORT)
      .every((port) => {
        const here = all.filter(({ first, last }) => first <= port && port <= last);
        return (
          here.some(({ blocks }) => blocks === undefined) || coversEverybody(here.flatMap(({ blocks = [] }) => blocks))
        );
      });
  });
}

function passagesOf(list: Field): Passage[] {
  const rules = atMost<readonly Field[] | undefined>(undefined, () => list.items());
  if (rules.value === undefined) return [{ ports: ALL_PORTS, blocks: undefined, open: rules.open }];
  return rules.value.map((rule) => {
    const ports = atMost(ALL_PORTS, () => {
      const entries = rule.at("ports").items();
      return entries.length === 0 ? ALL_PORTS : entries.flatMap(portsOf);
    });
    const blocks = atMost<readonly Block[] | undefined>(undefined, () => {
      const peers = peersOf(rule);
      return areEverybody(peers) ? undefined : peers.flatMap(blocksOf);
    });
    return { ports: ports.value, blocks: blocks.value, open: ports.open ?? blocks.open };
  });
}

/** A value, or the most that it may be if unknown. */
function atMost<T>(most: T, read: () => T): { readonly value: T; readonly open: Undecided | undefined } {
  try {
    return { value: read(), open: undefined };
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    return { value: most, open: error };
  }
}

/** Empty for a named port. @throws {Undecided} */
function portsOf(entry: Field): Ports[] {
  const [port, last] = [entry.at("port"), entry.at("endPort")];
  const protocol = entry.at("protocol").text() ?? "TCP";
  if (!port.isSet) return [{ protocol, first: 1, last: LAST_PORT }];
  const first = port.number();
  return first === undefined ? [] : [{ protocol, first, last: last.number() ?? first }];
}

/** Whether port ranges together cover all ports of a protocol. */
function areAll(ranges: readonly Ports[]): boolean {
  return PROTOCOLS.some((protocol) => {
    let next = 1;
    const ofProtocol = ranges.filter((range) => range.protocol === protocol);
    for (const { first, last } of ofProtocol.toSorted((one, other) => one.first - other.first)) {
      if (first > next) return false;
      next = Math.max(next, last + 1);
    }
    return next > LAST_PORT;
  });
}

/** A peer's IP block; empty for pods. @throws {Undecided} */
export function blocksOf(peer: Field): Block[] {
  const block = peer.at("ipBlock");
  if (!block.isSet) return [];
  const except = block
    .at("except")
    .items()
    .map((excluded) => excluded.text() ?? "");
  return [{ cidr: block.at("cidr").text() ?? "", except }];
}

/** A rule's peers; none means everybody. @throws {Undecided} */
export function peersOf(rule: Field): Field[] {
  return ["from", "to"].flatMap((key) => rule.at(key).items());
}

function areEverybody(peers: readonly Field[]): boolean {
  const knownPeers = peers.filter((peer) => isKnownSo(() => blocksOf(peer).length > 0));
  return peers.length === 0 || coversEverybody(knownPeers.flatMap(blocksOf)) || someKnown(peers, isEverybody);
}

function isEverybody(peer: Field): boolean {
  if (peer.at("ipBlock").isSet) return coversEverybody(blocksOf(peer));
  const [namespaces, pods] = [peer.at("namespaceSelector"), peer.at("podSelector")];
  return namespaces.isSet && selectsEvery(namespaces) && (!pods.isSet || selectsEvery(pods));
}

/**
 * Whether a selector selects everything: it has no terms, requires a label that all namespaces have, or only excludes some, and so
 * includes all future namespaces.
 */
function selectsEvery(selector: Field): boolean {
  if (selector.at("matchLabels").entries().length > 0) return false;
  return selector
    .at("matchExpressions")
    .items()
    .every((term) => {
      const [key, operator] = [term.at("key").text(), term.at("operator").text()];
      if (key === NAME_LABEL) return operator === "Exists" || operator === "NotIn";
      return operator === "NotIn" || operator === "DoesNotExist";
    });
}

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

/** Whether a block contains another, and more. Invalid blocks contain nothing. */
export function isLarger(outer: string, inner: string): boolean {
  const [[around], [within]] = [ranges([outer]), ranges([inner])];
  if (around === undefined || within === undefined || around.bits !== within.bits) return false;
  const holds = around.first <= within.first && within.last <= around.last;
  return holds && around.last - around.first > within.last - within.first;
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
