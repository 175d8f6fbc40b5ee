import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { listen } from "../../support/listen.ts";

/** Labels of a stream, and its entries: time in nanoseconds and line. */
interface Stream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [string, string])[];
}

/**
 * Turns Loki's push API in snappy and Protobuf, which is all that Promtail speaks, into the same in JSON, which the receiver reads.
 * What the receiver answers, or does not, is passed back.
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
 */
export async function startPush(): Promise<{ readonly url: (receiverPort: number) => string; stop(): void }> {
  const server = createServer((request, response) => {
    pass(request, response).catch(() => request.socket.destroy());
  });
  const port = await listen(server);
  return {
    url: (receiverPort) => `http://127.0.0.1:${port}/${receiverPort}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, receiverPort, ...path] = (request.url ?? "").split("/");
  const streams = pushRequest(unsnappy(await buffer(request)));
  const answer = await fetch(`http://127.0.0.1:${receiverPort}/${path.join("/")}`, {
    method: "POST",
    body: JSON.stringify({ streams }),
  });
  response.writeHead(answer.status).end(await answer.text());
}

/** Fields of a Protobuf message: number, and bytes or value. */
function* fields(
  message: Buffer,
): Generator<{ readonly number: number; readonly bytes: Buffer; readonly value: number }> {
  let at = 0;
  const varint = () => {
    const { value, next } = readVarint(message, at);
    at = next;
    return value;
  };
  while (at < message.length) {
    const key = varint();
    const value = varint();
    const length = key % 8 === 2 ? value : 0;
    yield { number: Math.floor(key / 8), bytes: message.subarray(at, at + length), value };
    at += length;
  }
}

/** @see https://github.com/grafana/loki/blob/main/pkg/push/push.proto */
function pushRequest(message: Buffer): Stream[] {
  return [...fields(message)].map(({ bytes }) => {
    let stream: Record<string, string> = {};
    const values: [string, string][] = [];
    for (const { number, bytes: part } of fields(bytes)) {
      if (number === 1) stream = labels(part.toString());
      else if (number === 2) values.push(entry(part));
    }
    return { stream, values };
  });
}

function entry(message: Buffer): [string, string] {
  let time = 0n;
  let line = "";
  for (const { number, bytes } of fields(message)) {
    if (number === 2) line = bytes.toString();
    if (number !== 1) continue;
    for (const { number: unit, value } of fields(bytes)) time += BigInt(value) * (unit === 1 ? 1_000_000_000n : 1n);
  }
  return [String(time), line];
}

/** `{job="a", pod="b"}` */
function labels(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]));
}

/** @see https://github.com/google/snappy/blob/main/format_description.txt */
function unsnappy(compressed: Buffer): Buffer {
  const { value: length, next } = readVarint(compressed, 0);
  const plain = Buffer.alloc(length);
  let [from, to] = [next, 0];
  while (from < compressed.length) {
    const tag = compressed[from] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const extra = short < 60 ? 0 : short - 59;
      const size = (extra === 0 ? short : compressed.readUIntLE(from + 1, extra)) + 1;
      compressed.copy(plain, to, from + 1 + extra, from + 1 + extra + size);
      from += 1 + extra + size;
      to += size;
      continue;
    }
    const width = [0, 1, 2, 4][kind] ?? 0;
    const back = compressed.readUIntLE(from + 1, width) + (kind === 1 ? (tag >> 5) * 256 : 0);
    const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    // A copy may overlap what it writes.
    for (let count = 0; count < size; count += 1) plain[to + count] = plain[to + count - back] ?? 0;
    from += 1 + width;
    to += size;
  }
  return plain;
}

function readVarint(from: Buffer, start: number): { readonly value: number; readonly next: number } {
  let [value, at, scale] = [0, start, 1];
  for (;;) {
    const byte = from[at] ?? 0;
    value += (byte & 127) * scale;
    scale *= 128;
    at += 1;
    if (byte < 128) return { value, next: at };
  }
}
