import { decode, RECURSION_DESIRED, streamEncode } from "dns-packet";
import type { Outcome } from "./walk.ts";

export type QueryType = "A" | "AAAA";

/** What an answer says, without what no row shows. */
export interface Answer {
  /** Such as `NOERROR`, `NXDOMAIN`, `SERVFAIL`. */
  readonly code: string;
  /** The AA bit. CoreDNS sets it for its own zones, and for whatever it takes from its cache. */
  readonly authoritative: boolean;
  /** The RA bit. CoreDNS passes it on from its upstream. */
  readonly recursion: boolean;
  readonly addresses: readonly string[];
  /** Seconds that the answer may still be kept, its least record's; undefined where it has none. */
  readonly ttl: number | undefined;
  /** Zone whose SOA record says that there is nothing; undefined where there is none. */
  readonly zone: string | undefined;
}

const CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;
const AUTHORITATIVE = 1 << 10;
const RECURSION_AVAILABLE = 1 << 7;
const CODE_BITS = 0xf;

/** A query as it goes over TCP: two bytes of length, and the message that a resolver would send. */
export function encodeQuery(name: string, type: QueryType, id: number): Buffer {
  const questions = [{ type, name: name.replace(/\.$/, "") }];
  return streamEncode({ type: "query", id, flags: RECURSION_DESIRED, questions });
}

/**
 * Reads an answer that came over TCP. How much of the two bytes of length is left depends on the shell that took the first one,
 * so the message is found by its id.
 * @returns undefined where no such answer is there.
 */
export function decodeAnswer(bytes: Buffer, id: number): Answer | undefined {
  const start = [0, 1, 2].find((offset) => offset + 12 <= bytes.length && bytes.readUInt16BE(offset) === id);
  if (start === undefined) return undefined;
  const { flags = 0, answers = [], authorities = [] } = decode(bytes.subarray(start));
  const records = answers.length > 0 ? answers : authorities;
  const ttls = records.flatMap((record) => ("ttl" in record && record.ttl !== undefined ? [record.ttl] : []));
  return {
    code: codeName(flags & CODE_BITS),
    authoritative: (flags & AUTHORITATIVE) !== 0,
    recursion: (flags & RECURSION_AVAILABLE) !== 0,
    addresses: answers.flatMap((record) => (record.type === "A" || record.type === "AAAA" ? [record.data] : [])),
    ttl: ttls.length > 0 ? Math.min(...ttls) : undefined,
    zone: authorities.find((record) => record.type === "SOA")?.name,
  };
}

export function codeName(code: number): string {
  return CODES[code] ?? `code ${code}`;
}

export function outcomeOf(answer: Answer | undefined): Outcome {
  if (answer === undefined) return "silent";
  if (answer.addresses.length > 0) return "address";
  if (answer.code === "NOERROR") return "no address";
  if (answer.code === "NXDOMAIN") return "no name";
  return answer.code === "SERVFAIL" ? "failed" : "refused";
}

/** Bytes as an argument of the shell's `printf`. */
export function shellBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Whether DNS can be asked for it: labels of letters, digits, `-` and `_`, with or without a trailing dot. */
export function isName(text: string): boolean {
  const name = text.replace(/\.$/, "");
  return name.length <= 253 && name.split(".").every((label) => LABEL.test(label));
}
