import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { decode, encode, type Packet, RECURSION_DESIRED } from "dns-packet";
import { corefileOf } from "../../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import type { Corefile, Plugin } from "../../../corefile/model.ts";
import { freePort } from "../../support/free-port.ts";
import { COREDNS, withoutCluster } from "./real-coredns.ts";

const LOOPBACK = "127.0.0.1";
const SOA = { mname: "ns.test", rname: "admin.test", serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 60 };

/** A DNS server that gives one address for every name, and NXDOMAIN for those that start with `no`. */
export interface Upstream {
  /** As an upstream of a Corefile. */
  readonly server: string;
  /** Names that it was asked for. */
  readonly asked: readonly string[];
  /** From now on it answers nothing. */
  silence(): void;
  /** From now on every name has this address. */
  move(address: string): void;
  /** From now on it answers only this code. */
  fail(code: number): void;
  close(): void;
}

export async function upstreamWith(address: string, ttl = 3600): Promise<Upstream> {
  const asked: string[] = [];
  let given = address;
  let silent = false;
  let failure = 0;
  const socket = createSocket("udp4");
  socket.on("message", (bytes, client) => {
    if (silent) return;
    const { id = 0, questions = [] } = decode(bytes);
    const [{ name, type } = { name: "", type: "A" }] = questions;
    if (failure !== 0)
      return socket.send(
        encode({ type: "response", id, flags: RECURSION_DESIRED | failure, questions }),
        client.port,
        client.address,
      );
    // The plugin loop asks once for a random name, of type HINFO.
    if (type === "A" || type === "AAAA") asked.push(name);
    const answers = type === "A" && !name.startsWith("no") ? [{ name, type: "A", ttl, data: given } as const] : [];
    const code = name.startsWith("no") ? 3 : 0;
    // Without this record CoreDNS takes a denial for an error.
    const authorities = code === 0 ? [] : [{ name: "test", type: "SOA", ttl, data: SOA } as const];
    const answer = encode({ type: "response", id, flags: RECURSION_DESIRED | code, questions, answers, authorities });
    socket.send(answer, client.port, client.address);
  });
  const port = await bound(socket);
  return {
    server: `${LOOPBACK}:${port}`,
    asked,
    silence() {
      silent = true;
    },
    move(to) {
      given = to;
    },
    fail(code) {
      failure = code;
    },
    close: () => socket.close(),
  };
}

type QueryType = "A" | "AAAA" | "PTR" | "TXT";

/** A CoreDNS that runs as settings say, where there is no cluster. */
export interface Running {
  /** What it wrote so far. */
  readonly output: () => string;
  ask(name: string, type?: QueryType, from?: string): Promise<Packet>;
  stop(): Promise<void>;
}

export async function running(corefile: unknown): Promise<Running> {
  return runningText((port) => withoutCluster(onPort(corefileOf(DnsSettings.parse({ corefile })), port), onLoopback));
}

/** A CoreDNS that runs a Corefile which is written for its port. */
export async function runningText(write: (port: number) => string): Promise<Running> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "coredns-"));
  const file = join(folder, "Corefile");
  await writeFile(file, write(port));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { child, output } = await start(file);
    return {
      output,
      ask: (name, type = "A", from) => ask(port, name, type, from),
      async stop() {
        child.kill("SIGKILL");
        await remove();
      },
    };
  } catch (reason) {
    await remove();
    throw reason;
  }
}

async function bound(socket: Socket): Promise<number> {
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  return socket.address().port;
}

function onPort(corefile: Corefile, port: number): Corefile {
  const servers = corefile.servers.map(({ zones, plugins }) => ({
    zones: zones.map((zone) => zone.replace(/:53$/, `:${port}`)),
    plugins: [...plugins, { plugin: "bind", addresses: [LOOPBACK] } as const],
  }));
  return { ...corefile, servers };
}

function onLoopback(plugin: Plugin): Plugin {
  switch (plugin.plugin) {
    case "health":
      return { ...plugin, address: `${LOOPBACK}:0`, lameduck: "0s" };
    case "ready":
    case "prometheus":
      return { ...plugin, address: `${LOOPBACK}:0` };
    default:
      return plugin;
  }
}

async function start(file: string): Promise<{ readonly child: ChildProcess; readonly output: () => string }> {
  const child = spawn(COREDNS ?? "coredns", ["-conf", file], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  for (let waited = 0; !said.includes("CoreDNS-"); waited += 20) {
    if (waited >= 10_000 || child.exitCode !== null) {
      child.kill("SIGKILL");
      assert.fail(`CoreDNS does not start:\n${said}`);
    }
    await pause(20);
  }
  return { child, output: () => said };
}

/** The response code of an answer. */
export function codeOf({ flags = 0 }: Packet): number {
  return flags & 0xf;
}

const PATIENCE_MS = 8000;

async function ask(port: number, name: string, type: QueryType, from?: string): Promise<Packet> {
  const socket = createSocket("udp4");
  try {
    if (from !== undefined) {
      socket.bind(0, from);
      await once(socket, "listening");
    }
    const query = encode({ type: "query", id: 7, flags: RECURSION_DESIRED, questions: [{ name, type }] });
    socket.send(query, port, LOOPBACK);
    const [bytes] = await once(socket, "message", { signal: AbortSignal.timeout(PATIENCE_MS) });
    assert.ok(Buffer.isBuffer(bytes));
    return decode(bytes);
  } finally {
    socket.close();
  }
}
