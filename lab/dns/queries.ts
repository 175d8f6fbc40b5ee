import { randomInt } from "node:crypto";
import { decode, RECURSION_DESIRED, streamEncode } from "dns-packet";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";
import type { OwnZones } from "../verify/lab.ts";
import type { DnsClient, Outcome } from "./dns-client.ts";

export type QueryType = "A" | "AAAA";

/** An answer, without the fields that no row shows. */
export interface Answer {
  /** Such as `NOERROR`, `NXDOMAIN`, `SERVFAIL`. */
  readonly code: string;
  /** The AA bit. CoreDNS sets it for its own zones, and for all answers from its cache. */
  readonly authoritative: boolean;
  /** The RA bit. CoreDNS passes it on from its upstream. */
  readonly recursion: boolean;
  readonly addresses: readonly string[];
  /** Seconds that the answer may still be cached: the lowest TTL of its records; undefined without records. */
  readonly ttl: number | undefined;
  /** Zone of the SOA record in a negative answer; undefined if there is none. */
  readonly zone: string | undefined;
}

const CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;
const AUTHORITATIVE = 1 << 10;
const RECURSION_AVAILABLE = 1 << 7;
const CODE_BITS = 0xf;

/** A DNS query for TCP: two length bytes, then the message that a resolver would send. */
export function encodeQuery(name: string, type: QueryType, id: number): Buffer {
  const questions = [{ type, name: name.replace(/\.$/, "") }];
  return streamEncode({ type: "query", id, flags: RECURSION_DESIRED, questions });
}

/**
 * A random id that cannot be confused with the length bytes before an answer: its first byte exceeds that of any length below 32 KiB, and
 * differs from its second byte.
 */
export function queryId(): number {
  const first = randomInt(0x80, 0x100);
  const second = (first + randomInt(1, 0x100)) % 0x100;
  return first * 0x100 + second;
}

/**
 * Reads an answer received over TCP. Shells differ in how much they keep of the two length bytes, so the id locates the message.
 * @returns undefined if there is no such answer.
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

/** Whether a name can be queried: labels of letters, digits, `-` and `_`, with or without a trailing dot. */
export function isName(text: string): boolean {
  const name = text.replace(/\.$/, "");
  return name.length <= 253 && name.split(".").every((label) => LABEL.test(label));
}

/**
 * Who gave an answer, as far as it shows. CoreDNS does not name its plugins, but its cache counts the TTL down, sets AA on every entry, and
 * passes on RA from the upstream. Within the first second, a cached answer of the kubernetes plugin looks fresh.
 * @see https://github.com/coredns/coredns/blob/master/plugin/cache/item.go
 */
export function answeredBy(name: string, answer: Answer | undefined, zones: OwnZones | undefined): string {
  if (answer === undefined) return "nobody";
  if (zones === undefined) return answer.authoritative ? "a server of that zone, or a cache" : "a resolver";
  const failed = answer.code === "SERVFAIL" || answer.code === "REFUSED";
  if (isWithin(name, zones.zones)) {
    if (answer.ttl !== undefined && answer.ttl < zones.ttl) return `cache, ${answer.ttl} s left`;
    return failed && answer.authoritative ? "cache" : "kubernetes";
  }
  if (failed) return answer.authoritative ? "cached failure" : "upstream, failed";
  if (!answer.authoritative) return "upstream";
  return answer.recursion ? `cache${answer.ttl === undefined ? "" : `, ${answer.ttl} s left`}` : "CoreDNS itself";
}

function isWithin(name: string, zones: readonly string[]): boolean {
  const asked = `.${name.toLowerCase().replace(/\.$/, "")}`;
  return zones.some((zone) => zone === "." || asked.endsWith(`.${zone.toLowerCase().replace(/\.$/, "")}`));
}

/** A query with its result. */
export interface Asked {
  readonly name: string;
  readonly type: QueryType;
  /** Undefined if no answer came. */
  readonly answer: Answer | undefined;
  /** Time from the query to the first byte of its answer, by the pod's clock; undefined if the pod cannot measure it. */
  readonly milliseconds: number | undefined;
}

const TYPES = ["A", "AAAA"] as const;
/**
 * Timeout of nc for connecting; some builds wait twice as long without data. CoreDNS gives its upstreams 5 s before it answers SERVFAIL.
 */
const NC_SECONDS = 6;
const ASK_SECONDS = 20;

/**
 * Queries the first name server for both types in parallel, over TCP, because nc in some images lacks UDP. The connection is open before
 * the timed query is sent. The server closes it after its answer, because nc has closed its side.
 */
const SCRIPT = `
server=$1; shift
exec 3>&1
ask() {
  { sleep 0.1; echo "sent $1 $EPOCHREALTIME" >&3; printf "$2"; } |
    nc -w ${NC_SECONDS} $server 53 2>/dev/null |
    { IFS= read -r -n 1 first; at=$EPOCHREALTIME; bytes=$(base64); echo "came $1 $at" $bytes >&3; }
}
number=0
for query; do ask $number "$query" & number=$((number + 1)); done
wait
`;

/** Queries a name's A and AAAA records from inside the pod. */
export async function ask(cluster: Cluster, { pod, container, resolver }: DnsClient, name: string): Promise<Asked[]> {
  const queries = TYPES.map((type) => ({ type, id: queryId() }));
  const packets = queries.map(({ type, id }) => shellBytes(encodeQuery(name, type, id)));
  const command = ["sh", "-c", SCRIPT, "ask", resolver.nameservers[0] ?? "", ...packets];
  const output = await cluster.exec(pod, container, command, ASK_SECONDS).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      if (error instanceof ClusterError && error.kind === "timeout") return "";
      throw error;
    },
  );
  return queries.map(({ type, id }, number) => ({ name, type, ...readReply(output, number, id) }));
}

/** Parses the script's output for one of its queries. */
export function readReply(output: string, number: number, id: number): Pick<Asked, "answer" | "milliseconds"> {
  const sent = new RegExp(`^sent ${number} ([\\d.]+)$`, "m").exec(output)?.[1];
  const [, came, text = ""] = new RegExp(`^came ${number} ([\\d.]*) ?(.*)$`, "m").exec(output) ?? [];
  const answer = decodeAnswer(Buffer.from(text.replaceAll(" ", ""), "base64"), id);
  const timed = answer !== undefined && sent !== undefined && came !== undefined && came !== "";
  return { answer, milliseconds: timed ? (Number(came) - Number(sent)) * 1000 : undefined };
}

/** A lookup by curl, which uses the same resolver as every program in the pod. */
export interface CurlLookup {
  readonly found: boolean;
  readonly milliseconds: number;
}

/** curl's exit codes: interface missing (so the name was found), name not found, timeout. */
const NO_INTERFACE = 45;
const NOT_FOUND = 6;
const TIMED_OUT = 28;
const CURL_SECONDS = 15;

/**
 * Times a lookup by curl. It names an interface that does not exist, so curl stops before it connects.
 * @returns undefined if curl neither found the name nor reported it missing.
 */
export async function curlLookup(
  cluster: Cluster,
  { pod, container }: DnsClient,
  name: string,
): Promise<CurlLookup | undefined> {
  const written = "%{time_namelookup} %{time_total}";
  const limits = ["--max-time", String(CURL_SECONDS), "--noproxy", "*", "--interface", "if!none0"];
  const command = ["curl", "-q", "-s", "-o", "/dev/null", ...limits, "-w", written, `http://${name}/`];
  const { exitCode, stdout } = await cluster.exec(pod, container, command, CURL_SECONDS + 5);
  const [lookup = 0, total = 0] = stdout.trim().split(" ").map(Number);
  if (exitCode === NO_INTERFACE) return { found: true, milliseconds: lookup * 1000 };
  if (exitCode === NOT_FOUND || exitCode === TIMED_OUT) return { found: false, milliseconds: total * 1000 };
  return undefined;
}
