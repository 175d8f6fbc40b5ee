import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createServer as createTlsServer } from "node:tls";
import { gunzipSync } from "node:zlib";
import { listen } from "../support/listen.ts";

export interface TlsReceiver {
  readonly port: number;
  /** Of the authority that signed its certificate, and of another. */
  readonly authorities: { readonly right: string; readonly wrong: string };
  /** What came in the bodies of requests, and as whom. */
  readonly bodies: string[];
  readonly authorizations: Set<string | undefined>;
  stop(): void;
}

/** Whether certificates can be made. */
export function hasOpenssl(): boolean {
  try {
    return execFileSync("openssl", ["version"]).length > 0;
  } catch {
    return false;
  }
}

/**
 * A server that takes everything, by TLS, with a certificate of its own authority for 127.0.0.1.
 * @param refusal Why a request is refused by 403; "" for one that is taken. Default: none is.
 * @param clockOffset Seconds by which the server's clock is ahead, as its answers show. Default: 0.
 */
export async function startTlsReceiver(
  refusal: (request: IncomingMessage, body: Buffer) => Promise<string> = async () => "",
  clockOffset = 0,
): Promise<TlsReceiver> {
  const folder = mkdtempSync(join(tmpdir(), "tls-receiver-"));
  const file = (name: string) => join(folder, name);
  for (const name of ["right", "wrong"]) authority(file(name));
  certificate(file("server"), file("right"));
  const bodies: string[] = [];
  const authorizations = new Set<string | undefined>();
  const keys = { key: readFileSync(file("server.key")), cert: readFileSync(file("server.crt")) };
  const server = createServer(keys, async (request, response) => {
    response.setHeader("content-type", "application/json");
    response.setHeader("X-Elastic-Product", "Elasticsearch");
    response.setHeader("x-amzn-RequestId", "1");
    if (clockOffset !== 0) response.setHeader("date", new Date(Date.now() + clockOffset * 1000).toUTCString());
    const raw = await buffer(request);
    const why = await refusal(request, raw);
    if (why !== "") {
      response.setHeader("x-amzn-errortype", "InvalidSignatureException");
      return void response.writeHead(403).end(JSON.stringify({ __type: "InvalidSignatureException", message: why }));
    }
    if (request.method !== "POST" && request.method !== "PUT")
      return void response.end(hello(request.headers["user-agent"]));
    authorizations.add(request.headers.authorization);
    bodies.push(textOf(request.headers, raw));
    if (request.method === "PUT") return void response.end();
    if (String(request.headers["x-amz-target"]).endsWith(".DescribeLogStreams")) {
      const { logStreamNamePrefix: logStreamName } = JSON.parse(raw.toString());
      return void response.end(JSON.stringify({ logStreams: [{ logStreamName }] }));
    }
    response.end('{"took":1,"errors":false,"items":[]}');
  });
  return {
    port: await listen(server),
    authorities: { right: file("right.crt"), wrong: file("wrong.crt") },
    bodies,
    authorizations,
    stop: () => {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A body without compression, and without the chunks in which the SDKs of AWS sign what they send to S3. */
function textOf(headers: IncomingMessage["headers"], raw: Buffer): string {
  const body = String(headers["x-amz-content-sha256"]).startsWith("STREAMING-") ? withoutChunks(raw) : raw;
  return (body.readUInt16BE(0) === 0x1f8b ? gunzipSync(body) : body).toString();
}

function withoutChunks(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = raw.indexOf("\r\n", at);
    const size = Number.parseInt(raw.toString("latin1", at, end), 16);
    if (end < 0 || !(size > 0)) return Buffer.concat(parts);
    parts.push(raw.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** TLS before a receiver that speaks plain HTTP. */
export interface TlsProxy {
  readonly port: number;
  /** Passes connections from now on to this port. */
  passTo(port: number): void;
  stop(): void;
}

/** Terminates TLS for a receiver, for outputs that speak nothing else. A connection that one side closes is closed on the other. */
export async function startTlsProxy(): Promise<TlsProxy> {
  const folder = mkdtempSync(join(tmpdir(), "tls-proxy-"));
  const file = (name: string) => join(folder, name);
  authority(file("authority"));
  certificate(file("server"), file("authority"));
  const keys = { key: readFileSync(file("server.key")), cert: readFileSync(file("server.crt")) };
  rmSync(folder, { recursive: true });
  let target = 0;
  const server = createTlsServer(keys, (socket) => {
    const receiver = connect(target, "127.0.0.1");
    socket.pipe(receiver).pipe(socket);
    for (const [one, other] of [
      [socket, receiver],
      [receiver, socket],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroySoon());
    }
  });
  return {
    port: await listen(server),
    passTo: (port) => {
      target = port;
    },
    stop: () => server.close(),
  };
}

/** Files with a certificate for 127.0.0.1 and its key, and that of the authority which signed it. */
export function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const file = (name: string) => join(folder, name);
  authority(file("authority"));
  certificate(file("server"), file("authority"));
  return {
    certificate: file("server.crt"),
    key: file("server.key"),
    authority: file("authority.crt"),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** OpenSearch's own client takes no other, and Elasticsearch's neither. */
function hello(agent: string | undefined): string {
  const version = agent?.startsWith("opensearch")
    ? { number: "2.19.0", distribution: "opensearch" }
    : { number: "8.19.0", build_flavor: "default" };
  return JSON.stringify({ version, tagline: "You Know, for Search" });
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function authority(path: string): void {
  const files = ["-keyout", `${path}.key`, "-out", `${path}.crt`];
  openssl(["req", "-x509", ...NEW_KEY, ...files, "-days", "2", "-subj", `/CN=${basename(path)} authority`]);
}

function certificate(path: string, signer: string): void {
  writeFileSync(`${path}.ext`, "subjectAltName=IP:127.0.0.1\n");
  openssl(["req", ...NEW_KEY, "-keyout", `${path}.key`, "-out", `${path}.csr`, "-subj", "/CN=receiver"]);
  const by = ["-CA", `${signer}.crt`, "-CAkey", `${signer}.key`, "-CAcreateserial", "-extfile", `${path}.ext`];
  openssl(["x509", "-req", "-in", `${path}.csr`, ...by, "-out", `${path}.crt`, "-days", "2"]);
}

function openssl(args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}
