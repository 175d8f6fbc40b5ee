import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { ExecResult } from "../../lab/kubernetes/cluster.ts";
import { listen } from "./listen.ts";

/** Of the websocket protocol. @see https://www.rfc-editor.org/rfc/rfc6455#section-1.3 */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
export const [BINARY, CLOSE] = [0x82, 0x88];
/** The length follows in two bytes. */
const LONG = 126;
/** Channels of a program in a container. */
const [STDOUT, STATUS] = [1, 3];

/** An API server of a test. */
export interface ExecServer {
  readonly port: number;
  stop(): void;
}

/** An API server that has objects by their paths, and runs programs in its pods. */
export async function execServer(
  objects: Readonly<Record<string, object>>,
  run: (command: readonly string[]) => ExecResult,
): Promise<ExecServer> {
  const server: Server = createServer(({ url = "" }, response) => {
    const found = objects[new URL(url, "http://server").pathname];
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(found ?? { message: "not found" }));
  });
  server.on("upgrade", ({ url = "", headers }, socket) => {
    socket.write(accept(headers["sec-websocket-key"]));
    const { stdout } = run(new URL(url, "http://server").searchParams.getAll("command"));
    socket.write(frame(BINARY, Buffer.from([STDOUT, ...Buffer.from(stdout)])));
    socket.write(frame(BINARY, Buffer.from([STATUS, ...Buffer.from(JSON.stringify({ status: "Success" }))])));
    socket.end(frame(CLOSE, Buffer.alloc(0)));
  });
  return { port: await listen(server), stop: () => server.close() };
}

/** What takes a client's key, and goes over to the streams of Kubernetes. */
export function accept(key = ""): string {
  const digest = createHash("sha1").update(`${key}${KEY_SUFFIX}`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\nSec-WebSocket-Accept: ${digest}\r\n\r\n`;
}

export function frame(kind: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  return Buffer.from([kind, ...(length < LONG ? [length] : [LONG, length >> 8, length & 0xff]), ...payload]);
}
