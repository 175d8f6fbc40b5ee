import assert from "node:assert/strict";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { whyMissing } from "../support/collectors/program.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { listen } from "../support/listen.ts";
import { line, POD } from "./curl-pod.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";

type Started = LocalCollector & { stop?(): void };

const COLLECTORS: readonly { title: string; program: string; start(): Promise<Started | undefined> }[] = [
  { title: "Fluent Bit", program: "fluent-bit", start: async () => localFluentBit() },
  { title: "OpenTelemetry Collector", program: "otelcol", start: localOpenTelemetry },
];

/** By the path of the base URL, the path of requests. @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
const PATHS = {
  "": "/v1/logs",
  "/": "/v1/logs",
  "/otlp": "/otlp/v1/logs",
  "/otlp/": "/otlp/v1/logs",
  "/api/v2/otlp": "/api/v2/otlp/v1/logs",
  "/a%20b/$x/%24%7By%7D": "/a%20b/$x/%24%7By%7D/v1/logs",
};

/** Paths of the requests with a line, until one has come. */
async function pathsOf(local: LocalCollector, path: string): Promise<string[]> {
  const marker = "sent by OTLP";
  const paths: string[] = [];
  const server = createServer(async (request, response) => {
    const raw = await buffer(request);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    // The protocol's binary form has text as it is.
    if (body.includes(marker)) paths.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const port = await listen(server);
  const sandbox = new Sandbox(local, { destination: { kind: "otlp", url: `http://127.0.0.1:${port}${path}` } }, port);
  sandbox.write(POD, [line(1, `stdout F ${marker}`)]);
  const running = sandbox.start();
  try {
    for (let wait = 0; wait < 240 && paths.length === 0; wait += 1)
      await new Promise((resolve) => setTimeout(resolve, 250));
    return paths;
  } finally {
    await running.stop("SIGKILL");
    server.close();
    server.closeAllConnections();
    sandbox.remove();
  }
}

for (const { title, program, start } of COLLECTORS)
  describe(`${title} to a base URL of OTLP`, () => {
    let local: Started | undefined;
    before(async function () {
      local = await start();
      if (local === undefined) leaveOut(this, whyMissing(program));
    });
    after(() => local?.stop?.());

    for (const [path, wanted] of Object.entries(PATHS))
      it(`with the path '${path}' sends a line once, to ${wanted}`, async () => {
        assert.ok(local);
        assert.deepEqual(await pathsOf(local, path), [`POST ${wanted}`]);
      });
  });

/** More than the thousand records of a request by default. */
const COUNT = 5000;

describe("Fluent Bit to an OTLP server that refuses every third request for now", () => {
  const local = localFluentBit();
  before(function () {
    if (local === undefined) leaveOut(this, whyMissing("fluent-bit"));
  });

  it("loses no line of a large chunk", async () => {
    assert.ok(local);
    const found = new Set<string>();
    let requests = 0;
    const server = createServer(async (request, response) => {
      const raw = await buffer(request);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      const isLog = request.url === "/v1/logs";
      if (isLog) requests += 1;
      const refused = isLog && requests % 3 === 1;
      if (isLog && !refused) for (const [text] of body.toString("latin1").matchAll(/line \d+ of/g)) found.add(text);
      response.writeHead(refused ? 503 : 200, { "content-type": "application/json" }).end("{}");
    });
    const port = await listen(server);
    const sandbox = new Sandbox(local, { destination: { kind: "otlp", url: `http://127.0.0.1:${port}` } }, port);
    sandbox.write(
      POD,
      Array.from({ length: COUNT }, (_, at) => line(1, `stdout F line ${at} of many`)),
    );
    const running = sandbox.start();
    try {
      for (let wait = 0; wait < 100 && found.size < COUNT; wait += 1)
        await new Promise((resolve) => setTimeout(resolve, 250));
      assert.equal(found.size, COUNT);
    } finally {
      await running.stop("SIGKILL");
      server.close();
      server.closeAllConnections();
      sandbox.remove();
    }
  });
});
