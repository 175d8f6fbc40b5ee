import { type Block, coversEverybody } from "../core/cidr.ts";
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
 * Whether lists of rules together do, where each may cover a part of all addresses and ports.
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
  /** Why it is uncertain: it is then the most that the rule may allow. */
  readonly open: Undecided | undefined;
}

function coverEverything(passages: readonly Passage[]): boolean {
  return PROTOCOLS.some((protocol) => {
    const all = passages.flatMap(({ ports, blocks }) =>
      ports.filter((one) => one.protocol === protocol).map(({ first, last }) => ({ first, last, blocks })),
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
function blocksOf(peer: Field): Block[] {
  const block = peer.at("ipBlock");
  if (!block.isSet) return [];
  const except = block
    .at("except")
    .items()
    .map((one) => one.text() ?? "");
  return [{ cidr: block.at("cidr").text() ?? "", except }];
}

/** A rule's peers; none means everybody. @throws {Undecided} */
function peersOf(rule: Field): Field[] {
  return ["from", "to"].flatMap((key) => rule.at(key).items());
}

function areEverybody(peers: readonly Field[]): boolean {
  const known = peers.filter((peer) => isKnownSo(() => blocksOf(peer).length > 0));
  return peers.length === 0 || coversEverybody(known.flatMap(blocksOf)) || someKnown(peers, isEverybody);
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
