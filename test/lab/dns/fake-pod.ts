import { type Answer, decode, encode } from "dns-packet";
import type { ExecResult } from "../../../lab/kubernetes/cluster.ts";
import { type Execute, ran } from "../verify/fake-cluster.ts";

/** What a pod has, and what its DNS knows. */
export interface FakePod {
  readonly resolvConf: string;
  readonly hosts?: string;
  readonly libc?: "glibc" | "musl";
  readonly lacking?: readonly string[];
  readonly curlVersion?: string;
  /** Names with their trailing dot to addresses; every other name does not exist. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Names that the server answers with SERVFAIL. */
  readonly failing?: readonly string[];
}

const MARK = "--- lab dns ---";
const AUTHORITATIVE = 1 << 10;
const NXDOMAIN = 3;
const SERVFAIL = 2;
const SENT_AT = 1_700_000_000.5;

/** Answers what `explain` runs in a pod. Each query takes 2 ms. */
export function dnsPod(pod: FakePod): { readonly execute: Execute; readonly asked: string[] } {
  const asked: string[] = [];
  const execute: Execute = (command) => {
    if (command[0] === "curl") return curl(pod);
    if (command.length === 3) return ran(look(pod));
    const packets = command.slice(5).map(bytesOf);
    return ran(packets.map((packet, number) => reply(pod, packet, number, asked)).join(""));
  };
  return { execute, asked };
}

function look({ resolvConf, hosts = "", libc = "glibc", lacking = [], curlVersion = "curl 8.17.0" }: FakePod): string {
  const musl = libc === "musl" ? "/lib/ld-musl-x86_64.so.1" : "";
  const glibc = libc === "glibc" ? "/lib64/ld-linux-x86-64.so.2" : "";
  return [resolvConf, hosts, musl, glibc, lacking.join("\n"), curlVersion].join(`\n${MARK}\n`);
}

/** Turns an argument of the shell's printf back into bytes. */
export function bytesOf(text: string): Buffer {
  return Buffer.from([...text.matchAll(/\\(\d{3})/g)].map(([, octal = ""]) => Number.parseInt(octal, 8)));
}

function reply(pod: FakePod, packet: Buffer, number: number, asked: string[]): string {
  const query = decode(packet.subarray(2));
  const question = query.questions?.[0];
  if (question === undefined) throw new Error("a query without a question");
  const name = `${question.name}.`;
  asked.push(`${name} ${question.type}`);
  const answers = (pod.names[name] ?? [])
    .filter((address) => address.includes(":") === (question.type === "AAAA"))
    .map((data): Answer => ({ type: data.includes(":") ? "AAAA" : "A", name: question.name, ttl: 5, data }));
  const code = pod.failing?.includes(name) ? SERVFAIL : name in pod.names ? 0 : NXDOMAIN;
  const flags = code === SERVFAIL ? code : AUTHORITATIVE | code;
  const bytes = encode({ type: "response", id: query.id ?? 0, flags, questions: [question], answers });
  const text = Buffer.concat([Buffer.from([bytes.length]), bytes]).toString("base64");
  const folded = text.replaceAll(/(.{76})/g, "$1 ");
  return `sent ${number} ${SENT_AT}\ncame ${number} ${SENT_AT + 0.002} ${folded}\n`;
}

function curl({ names }: FakePod): ExecResult {
  const found = Object.keys(names).length > 0;
  return { exitCode: found ? 45 : 6, stdout: found ? "0.001500 0.001600" : "0.000000 0.020000", stderr: "" };
}
