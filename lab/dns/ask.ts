import { randomInt } from "node:crypto";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";
import { type Answer, decodeAnswer, encodeQuery, type QueryType, shellBytes } from "./message.ts";
import type { DnsClient } from "./pod.ts";

/** One query and what came of it. */
export interface Asked {
  readonly name: string;
  readonly type: QueryType;
  /** Undefined where no answer came. */
  readonly answer: Answer | undefined;
  /** From sending the query to the first byte of its answer, by the pod's own clock; undefined where it has none. */
  readonly milliseconds: number | undefined;
}

const TYPES = ["A", "AAAA"] as const;
/** To connect, and in some builds of nc twice that without a byte. CoreDNS gives its upstreams 5 s before it answers SERVFAIL. */
const NC_SECONDS = 6;
const ASK_SECONDS = 20;

/**
 * Asks the first name server for both types, at once, over TCP: nc of some images has no UDP. The connection stands before the
 * query is sent and timed; the server ends it once it has answered, since nc has closed its side.
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

/** Asks for a name's A and AAAA from inside the pod. */
export async function ask(cluster: Cluster, { pod, container, resolver }: DnsClient, name: string): Promise<Asked[]> {
  const queries = TYPES.map((type) => ({ type, id: randomInt(1, 0xffff) }));
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

/** What the script printed about one of its queries. */
export function readReply(output: string, number: number, id: number): Pick<Asked, "answer" | "milliseconds"> {
  const sent = new RegExp(`^sent ${number} ([\\d.]+)$`, "m").exec(output)?.[1];
  const [, came, text = ""] = new RegExp(`^came ${number} ([\\d.]*) ?(.*)$`, "m").exec(output) ?? [];
  const answer = decodeAnswer(Buffer.from(text.replaceAll(" ", ""), "base64"), id);
  const timed = answer !== undefined && sent !== undefined && came !== undefined && came !== "";
  return { answer, milliseconds: timed ? (Number(came) - Number(sent)) * 1000 : undefined };
}

/** A lookup by curl, which asks as every program in the pod does. */
export interface CurlLookup {
  readonly found: boolean;
  readonly milliseconds: number;
}

/** What curl's exit code says: the interface is missing, so the name was found; not found; too long. */
const NO_INTERFACE = 45;
const NOT_FOUND = 6;
const TIMED_OUT = 28;
const CURL_SECONDS = 15;

/**
 * Times a lookup by curl. It uses an interface that does not exist, so it stops before it would connect to anybody.
 * @returns undefined where curl did neither find the name nor miss it.
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
