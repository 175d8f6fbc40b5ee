import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { Failure } from "../../lab/command-line.ts";

/** Containers on the node, one per pod; the first ones are in team namespaces. */
const CONTAINERS = 20;
const TEAMS = 2;
/** Bytes of a line as the container runtime writes it, including the line break. */
export const LINE_BYTES = 291;
/** Timeout of a run, in seconds; callgrind slows a program about fifty times. */
const MAX_SECONDS = 600;
const START_SECONDS = 60;
/** Pause between lines in steady mode: longer than Fluent Bit needs for one under callgrind. */
const PAUSE_MS = 20;
/** Time until Fluent Bit watches the files. */
const READY_MS = 3000;
/** Linux measures CPU time in hundredths of a second. */
const TICK_MICROSECONDS = 10_000;
const UID = "95c1ec06-0000-0000-0000-000000000000";
const FIRST_TIME = Date.parse("2026-02-01T10:00:00Z");

/** A configuration with a node's paths. */
export interface Configuration {
  readonly name: string;
  /** The file `fluent-bit.yaml`, and further files by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Paths or names of the required programs. */
export interface Programs {
  readonly fluentBit: string;
  readonly valgrind: string;
}

/** The input of Fluent Bit. */
interface Run {
  readonly lines: number;
  /** Whether lines are written and read one by one, as at a low rate. Default: all exist at the start. */
  readonly steady?: boolean;
  /** Output file of callgrind, for callgrind_annotate. Default: none is kept. */
  readonly profile?: string | undefined;
}

/**
 * Runs Fluent Bit under callgrind on a node's log files until all lines have arrived.
 * @returns the instructions of all its threads, from start to end
 */
export async function countInstructions(
  { fluentBit, valgrind }: Programs,
  configuration: Configuration,
  { lines, steady = false, profile }: Run,
): Promise<number> {
  return onNode(configuration, steady ? 0 : lines, slowly, async ({ folder, files, receiver }) => {
    const out = profile ?? join(folder, "callgrind.out");
    const options = ["--tool=callgrind", `--callgrind-out-file=${out}`];
    const child = start(valgrind, [...options, fluentBit, "--config", join(folder, "fluent-bit.yaml")]);
    const output = listenTo(child);
    const ended = once(child, "exit");
    if (steady) await writeOneByOne(files, lines, () => output().includes("worker #1 started"));
    await Promise.race([receiver.received(lines), ended, wait(MAX_SECONDS * 1000, undefined, { ref: false })]);
    if (child.exitCode === null) child.kill("SIGTERM");
    await ended;
    checkArrival(configuration, receiver, lines, output());
    return totalOf(readFileSync(out, "utf8"));
  });
}

/**
 * Runs Fluent Bit while lines are written at a fixed rate, until all have arrived.
 * @returns microseconds of CPU time per line, including the kernel's, without the start
 */
export async function cpuTimeOfLine(
  { fluentBit }: Pick<Programs, "fluentBit">,
  configuration: Configuration,
  { bytesPerSecond, seconds }: { readonly bytesPerSecond: number; readonly seconds: number },
): Promise<number> {
  return onNode(
    configuration,
    0,
    (text) => text,
    async ({ folder, files, receiver }) => {
      const child = start(fluentBit, ["--config", join(folder, "fluent-bit.yaml")]);
      const output = listenTo(child);
      const ended = once(child, "exit");
      try {
        await wait(READY_MS);
        const before = cpuMicroseconds(child);
        const lines = await writeAtRate(files, bytesPerSecond, seconds);
        await Promise.race([receiver.received(lines), ended, wait(MAX_SECONDS * 1000, undefined, { ref: false })]);
        checkArrival(configuration, receiver, lines, output());
        return (cpuMicroseconds(child) - before) / lines;
      } finally {
        if (child.exitCode === null) child.kill("SIGKILL");
        await ended;
      }
    },
  );
}

interface Node {
  readonly folder: string;
  /** The log file of each container. */
  readonly files: readonly string[];
  readonly receiver: FakeServer;
}

/** Creates a node with a configuration and log files of `lines` lines, and removes it afterwards. */
async function onNode(
  configuration: Configuration,
  lines: number,
  adapt: (text: string) => string,
  use: (node: Node) => Promise<number>,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "line-cost-"));
  const receiver = new FakeServer();
  try {
    const files = writeNode(folder, lines);
    const port = await receiver.listen();
    for (const [name, text] of Object.entries(configuration.files))
      writeFileSync(join(folder, name), adapt(movedTo(folder, port, text)));
    return await use({ folder, files, receiver });
  } finally {
    receiver.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(program: string, args: readonly string[]) {
  return spawn(program, args, { env: { ...process.env, NODE_NAME: "node" }, stdio: ["ignore", "pipe", "pipe"] });
}

/** @throws {Failure} unless each line has arrived exactly once. */
function checkArrival({ name }: Configuration, { documents }: FakeServer, lines: number, said: string): void {
  if (documents !== lines) throw new Failure(`${name}: ${documents} of ${lines} lines arrived\n${said.slice(-2000)}`);
}

/** CPU time of a process so far. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html utime, stime */
function cpuMicroseconds({ pid }: ChildProcess): number {
  const [, after = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user, system] = after.split(" ").slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MICROSECONDS;
}

function listenTo({ stdout, stderr }: ChildProcess): () => string {
  let said = "";
  for (const stream of [stdout, stderr])
    stream?.on("data", (data: Buffer) => {
      said += data.toString();
    });
  return () => said;
}

/** Instructions of all threads. @see https://valgrind.org/docs/manual/cl-format.html */
export function totalOf(profile: string): number {
  const totals = [...profile.matchAll(/^(?:totals|summary): (\d+)/gm)].map(([, count]) => Number(count));
  if (totals.length === 0) throw new Failure("callgrind wrote no total");
  return Math.max(...totals);
}

/** Replaces the paths and addresses that require a node and a cluster. */
function movedTo(folder: string, port: number, text: string): string {
  const token = join(folder, "token");
  return (
    text
      .replaceAll(/\/var\/log\/(pods|containers)/g, `${folder}/$1`)
      .replaceAll("/var/lib/fluent-bit", `${folder}/state`)
      .replaceAll("/fluent-bit/etc/conf", folder)
      .replaceAll(/http_server: "?on"?/g, "http_server: off")
      // The port of the liveness probe, which parallel runs cannot share.
      .replace(/ {4}- name: splunk\n(?: {6}.*\n)+/, "")
      .replaceAll(/port: 9200/g, `port: ${port}`)
      .replaceAll(
        "name: kubernetes\n",
        `name: kubernetes\n      kube_url: http://127.0.0.1:${port}\n      kube_token_file: ${token}\n`,
      )
  );
}

/** Slows intervals down to callgrind's pace: otherwise Fluent Bit would flush and scan files far more often per line. */
function slowly(text: string): string {
  return text.replaceAll(/\b(flush|refresh_interval): \d+/g, "$1: 20");
}

/** Writes to all files every few milliseconds. @returns the number of lines. */
async function writeAtRate(files: readonly string[], bytesPerSecond: number, seconds: number): Promise<number> {
  const begun = performance.now();
  const ofFile = Math.floor((bytesPerSecond * seconds) / LINE_BYTES / files.length);
  let written = 0;
  while (written < ofFile) {
    const due = Math.min(Math.floor((ofFile * (performance.now() - begun)) / 1000 / seconds), ofFile);
    for (const [number, file] of files.entries())
      if (due > written)
        appendFileSync(
          file,
          Array.from({ length: due - written }, (_, index) => criLine(number, written + index)).join(""),
        );
    written = due;
    await wait(PAUSE_MS);
  }
  return ofFile * files.length;
}

/** Writes a line to each file in turn, once Fluent Bit watches them. */
async function writeOneByOne(files: readonly string[], lines: number, started: () => boolean): Promise<void> {
  for (let waited = 0; !started() && waited < START_SECONDS; waited += 0.1) await wait(100);
  for (let line = 0; line < lines; line += 1) {
    const number = line % files.length;
    appendFileSync(files[number] ?? "", criLine(number, Math.floor(line / files.length)));
    await wait(PAUSE_MS);
  }
}

/** @returns the log file of each container. */
function writeNode(folder: string, lines: number): string[] {
  for (const name of ["containers", "state"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "token"), "token");
  return Array.from({ length: CONTAINERS }, (_, number) => {
    const namespace = number < TEAMS ? `t${number}-team` : `app-${number}`;
    const pod = `web-${number}-7d9c5b8f6d-x2x7k`;
    const place = join(folder, "pods", `${namespace}_${pod}_${UID}`, "web");
    mkdirSync(place, { recursive: true });
    const count = Math.floor(lines / CONTAINERS) + (number < lines % CONTAINERS ? 1 : 0);
    const text = Array.from({ length: count }, (_, index) => criLine(number, index)).join("");
    const file = join(place, "0.log");
    writeFileSync(file, text);
    const id = number.toString(16).padStart(64, "0");
    symlinkSync(file, join(folder, "containers", `${pod}_${namespace}_web-${id}.log`));
    return file;
  });
}

/** A line of a container: every second one is JSON, like an application's request log. */
export function criLine(container: number, index: number): string {
  const [seconds = "", fraction = ""] = new Date(FIRST_TIME + index).toISOString().slice(0, -1).split(".");
  const head = `${seconds}.${fraction}${String(container).padStart(6, "0")}Z stdout F `;
  const room = LINE_BYTES - head.length - 1;
  const path = `/api/v1/items/${1000 + (index % 9000)}`;
  if (index % 2 === 1) {
    const text = `${seconds} INFO [worker-${index % 16}] request ${index} of container ${container} for ${path} was served in ${index % 300} ms `;
    return `${head}${text.padEnd(room, "from the cache and not from the database, as expected; ").slice(0, room)}\n`;
  }
  const fields = {
    level: "info",
    ts: `${seconds}Z`,
    msg: "request served",
    method: "GET",
    path,
    status: 200,
    ms: (index % 300) + 0.5,
  };
  const id = { request: String(index).padStart(12, "0"), user: `user-${index % 50}`, agent: "" };
  const short = JSON.stringify({ ...fields, ...id });
  return `${head}${JSON.stringify({ ...fields, ...id, agent: "x".repeat(room - short.length) })}\n`;
}

/** A fake API server that knows every pod, and a bulk API that accepts every document. */
class FakeServer {
  documents = 0;
  readonly #server: Server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => response.destroy(new Error(String(error))));
  });

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    return address.port;
  }

  async received(documents: number): Promise<void> {
    while (this.documents < documents) await wait(100, undefined, { ref: false });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await buffer(request)).toString();
    response.setHeader("content-type", "application/json");
    const pod = /\/namespaces\/([^/]+)\/pods\/([^/?]+)/.exec(request.url ?? "");
    if (pod !== null) return void response.end(JSON.stringify(podOf(pod[1] ?? "", pod[2] ?? "")));
    const lines = body.split("\n");
    const items = lines.flatMap((line) => (line.startsWith('{"create"') ? [itemOf(line)] : []));
    this.documents += items.length;
    // The answer of a search engine that was asked to omit everything but the status.
    if (request.url?.includes("filter_path="))
      return void response.end(`{"errors":false,"items":[${items.map(() => STATUS_ONLY).join(",")}]}`);
    response.end(`{"took":1,"errors":false,"items":[${items.join(",")}]}`);
  }
}

const STATUS_ONLY = '{"create":{"status":201}}';

function itemOf(action: string): string {
  const [, index = ""] = /"_index":"([^"]*)"/.exec(action) ?? [];
  const [, id = "0123456789abcdef0123"] = /"_id":"([^"]*)"/.exec(action) ?? [];
  const shards = '"_shards":{"total":2,"successful":1,"failed":0},"_seq_no":1,"_primary_term":1';
  return `{"create":{"_index":"${index}","_id":"${id}","_version":1,"result":"created",${shards},"status":201}}`;
}

function podOf(namespace: string, name: string): object {
  const labels = { "app.kubernetes.io/name": "web", "pod-template-hash": "7d9c5b8f6d", tier: "front" };
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, namespace, uid: UID, labels, annotations: {} },
    spec: { nodeName: "node", containers: [{ name: "web", image: "example.com/web:1" }] },
    status: { phase: "Running", podIP: "10.0.0.1", containerStatuses: [] },
  };
}
