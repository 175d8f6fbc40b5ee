import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import sender from "../../../../../components/logging/collectors/logagent/send.cjs";
import { listen } from "../../../../support/listen.ts";

/** Actions and records in turn. */
const chunk = (...logs: string[]) =>
  logs.flatMap((log) => [`{"index":{"_index":"i","_id":"${log}"}}`, JSON.stringify({ log })]);

interface Request {
  readonly body: string;
  readonly authorization: string | undefined;
  readonly type: string | undefined;
}

describe("Logagent's sender", () => {
  let server: Server;
  let url = "";
  let requests: Request[] = [];
  let answer: (body: string) => { status: number; body?: object };

  beforeEach(async () => {
    requests = [];
    server = createServer(async (request, response) => {
      const body = await text(request);
      const { authorization, "content-type": type } = request.headers;
      requests.push({ body, authorization, type });
      const { status, body: json = {} } = answer(body);
      response.writeHead(status).end(JSON.stringify(json));
    });
    url = `http://127.0.0.1:${await listen(server)}/in`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const bulkAnswer = (...statuses: number[]) => ({
    status: 200,
    body: {
      errors: statuses.some((status) => status >= 400),
      items: statuses.map((status) => ({ index: { status, ...(status >= 400 ? { error: { reason: "why" } } : {}) } })),
    },
  });

  it("sends actions and records to a search engine", async () => {
    answer = () => bulkAnswer(201, 200);
    const outcome = await sender.createSender({ bulk: { url } })(chunk("a", "b"));
    assert.deepEqual(outcome, { again: [], refused: 0 });
    assert.deepEqual(requests, [
      { body: `${chunk("a", "b").join("\n")}\n`, authorization: undefined, type: "application/x-ndjson" },
    ]);
  });

  it("returns temporarily rejected records, and counts permanently rejected ones", async () => {
    answer = () => bulkAnswer(201, 429, 400, 503, 409);
    const outcome = await sender.createSender({ bulk: { url } })(chunk("a", "b", "c", "d", "e"));
    assert.deepEqual(outcome, { again: chunk("b", "d"), refused: 1, reason: '400 {"reason":"why"}' });
  });

  it("sends only records to any other server, with user and password", async () => {
    answer = () => ({ status: 204 });
    const before = [process.env.LOG_USER, process.env.LOG_PASSWORD];
    Object.assign(process.env, { LOG_USER: "user", LOG_PASSWORD: "pass:word" });
    try {
      await sender.createSender({ http: { url, credentials: true } })(chunk("a", "b"));
    } finally {
      delete process.env.LOG_USER;
      delete process.env.LOG_PASSWORD;
      if (before[0] !== undefined) Object.assign(process.env, { LOG_USER: before[0], LOG_PASSWORD: before[1] });
    }
    assert.deepEqual(
      requests.map(({ body, authorization }) => [body, authorization]),
      [['{"log":"a"}\n{"log":"b"}\n', `Basic ${Buffer.from("user:pass:word").toString("base64")}`]],
    );
  });

  it("isolates the record that a server rejects, and sends all others", async () => {
    answer = (body) => ({ status: body.includes("poison") ? 400 : 200 });
    const logs = Array.from({ length: 20 }, (_, at) => (at === 7 || at === 19 ? `poison${at}` : `line${at}`));
    const outcome = await sender.createSender({ http: { url } })(chunk(...logs));
    assert.deepEqual([outcome.again, outcome.refused], [[], 2]);
    assert.match(outcome.reason ?? "", /^400 /);
    const taken = requests.filter(({ body }) => !body.includes("poison")).flatMap(({ body }) => body.match(/line\d+/g));
    assert.deepEqual(taken.sort(), logs.filter((log) => log.startsWith("line")).sort());
  });

  it("keeps everything if the time, the address or the password is wrong", async () => {
    for (const status of [302, 401, 403, 404, 408, 429, 500, 503]) {
      answer = () => ({ status });
      await assert.rejects(sender.createSender({ http: { url } })(chunk("a")), new RegExp(`it answered ${status}`));
    }
    server.close();
    server.closeAllConnections();
    await assert.rejects(sender.createSender({ bulk: { url } })(chunk("a")), /ECONNREFUSED/);
  });

  it("returns the unsent half when the server disconnects in between", async () => {
    answer = (body) => ({ status: body.includes("poison") ? (body.includes("b") ? 400 : 413) : 503 });
    const outcome = await sender.createSender({ http: { url } })(chunk("poison", "b"));
    assert.deepEqual([outcome.again, outcome.refused], [chunk("b"), 1]);
  });

  it("appends to a file, one record per line", async () => {
    const folder = mkdtempSync(join(tmpdir(), "send-"));
    try {
      const send = sender.createSender({ file: { path: join(folder, "made") } });
      await send(chunk("a"));
      await send(chunk("b"));
      assert.equal(readFileSync(join(folder, "made", "pods.log"), "utf8"), '{"log":"a"}\n{"log":"b"}\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("requires a destination", () => {
    assert.throws(() => sender.createSender({}), /no destination/);
  });
});
