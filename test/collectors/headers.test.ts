import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createSecureServer, type Http2Session, type IncomingHttpHeaders } from "node:http2";
import { fluentBit } from "../../components/logging/collectors/fluent-bit/index.ts";
import { opentelemetry } from "../../components/logging/collectors/opentelemetry/index.ts";
import { vector } from "../../components/logging/collectors/vector/index.ts";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { listen } from "../support/listen.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { hasOpenssl, makeCertificate, startTlsReceiver } from "./tls-receiver.ts";
import { localVector } from "./vector/local.ts";

const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
/** Characters with a meaning in YAML, a shell, and in what collectors know as variables. */
const PLAIN = `a: 'b' "c" #d, [e] {f} \\g`;
const SECRETS = [`k: 'e' "y" #1, [2] {3} \\4==`, "0123456789"] as const;
const HEADERS = {
  "DD-API-KEY": { secretName: "datadog", key: "api-key" },
  "X-Honeycomb-Team": { secretName: "honeycomb" },
  "X-Plain": PLAIN,
  "x.odd_name": "1e3",
};
const WANTED = [...SECRETS, PLAIN, "1e3"];

interface Came {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a collector sends for one line, to a receiver that its settings are for, and what it says meanwhile. */
async function sent(
  local: LocalCollector,
  destination: object,
  came: () => Came | undefined,
): Promise<{ readonly came: Came | undefined; readonly said: string }> {
  const api = await Receiver.start();
  const sandbox = new Sandbox(local, { destination }, api.port);
  const running = sandbox.start([], { user: "user", password: "password", headers: SECRETS });
  try {
    for (let wait = 0; wait < 80 && came() === undefined; wait += 1) {
      // More than one, since Vector's buffer may keep the first lines until others come.
      if (wait % 20 === 0) sandbox.write(POD, [line("first"), line("second"), line("third")]);
      await seconds(0.25);
    }
    return { came: came(), said: readFileSync(sandbox.log, { encoding: "utf8", flag: "a+" }) };
  } finally {
    await running.stop("SIGKILL");
    await api.stop();
    sandbox.remove();
  }
}

function line(text: string): string {
  return `${new Date().toISOString().slice(0, -1)}000000Z stdout F ${text}`;
}

function valuesOf(headers: IncomingHttpHeaders): unknown[] {
  return Object.keys(HEADERS).map((name) => headers[name.toLowerCase()]);
}

/** A server for HTTP/1.1 by TLS. */
async function overHttp(local: LocalCollector, destination: (url: string) => object) {
  const seen: IncomingHttpHeaders[] = [];
  const receiver = await startTlsReceiver(async ({ method, headers }) => {
    if (method === "POST") seen.push(headers);
    return "";
  });
  const came = () => {
    const [headers] = seen;
    const [body] = receiver.bodies;
    return headers === undefined || body === undefined ? undefined : { headers, body };
  };
  try {
    return await sent(local, destination(`https://127.0.0.1:${receiver.port}`), came);
  } finally {
    receiver.stop();
  }
}

/** A server for gRPC, which takes all. */
async function overGrpc(local: LocalCollector) {
  const { certificate, key, remove } = makeCertificate();
  const seen: IncomingHttpHeaders[] = [];
  const sessions: Http2Session[] = [];
  const server = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  remove();
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream, headers) => {
    seen.push(headers);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.resume().end(Buffer.alloc(5));
  });
  const port = await listen(server);
  const destination = {
    kind: "otlp",
    protocol: "grpc",
    url: `https://127.0.0.1:${port}`,
    verify: false,
    headers: HEADERS,
  };
  try {
    return await sent(local, destination, () => (seen[0] === undefined ? undefined : { headers: seen[0], body: "" }));
  } finally {
    server.close();
    for (const session of sessions) session.destroy();
  }
}

for (const [program, collector, start] of [
  ["fluent-bit", fluentBit, localFluentBit],
  ["vector", vector, localVector],
  ["otelcol", opentelemetry, localOpenTelemetry],
] as const)
  describe(`Headers from ${program}`, () => {
    let local: (LocalCollector & { stop?(): void }) | undefined;
    before(async function () {
      local = await start();
      if (local === undefined) leaveOut(this, whyMissing(program));
      else if (!hasOpenssl()) leaveOut(this, "no openssl");
    });
    after(() => local?.stop?.());

    for (const kind of ["http", "loki", "otlp"] as const) {
      if (!collector.authenticates?.[kind]?.includes("headers")) continue;
      it(`arrive at ${kind}, each with its value, and no secret is logged`, async () => {
        assert.ok(local);
        const { came, said } = await overHttp(local, (url) => ({
          kind,
          url: kind === "http" ? `${url}/in` : url,
          verify: false,
          headers: HEADERS,
        }));
        assert.deepEqual(came && valuesOf(came.headers), WANTED, said);
        for (const secret of SECRETS) assert.ok(!said.includes(secret), said);
      });

      if (kind === "otlp")
        it("arrive at otlp by gRPC", async () => {
          assert.ok(local);
          const { came, said } = await overGrpc(local);
          assert.deepEqual(came && valuesOf(came.headers), WANTED, said);
        });

      if (kind === "http")
        it("arrive with one compressed JSON array, if the body is an array", async () => {
          assert.ok(local);
          const authorization = { Authorization: { secretName: "dynatrace" } };
          const { came, said } = await overHttp(local, (url) => ({
            kind,
            url,
            verify: false,
            body: "array",
            headers: authorization,
          }));
          assert.ok(came, said);
          const { headers, body } = came;
          assert.deepEqual(
            [headers["content-type"], headers["content-encoding"], headers.authorization],
            ["application/json", "gzip", SECRETS[0]],
          );
          const logs = JSON.parse(body).map(({ log }: { readonly log: unknown }) => log);
          assert.equal(logs[0], "first");
          assert.ok(logs.length > 1, body);
        });
    }
  });
