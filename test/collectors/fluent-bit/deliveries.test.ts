import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { hasOpenssl, startTlsReceiver } from "../tls-receiver.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

const TOKEN = "11111111-2222-3333-4444-555555555555";
const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };

interface Request {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What Fluent Bit sends of one JSON line, whose first request is refused for now. */
async function deliver(destination: (port: number) => object): Promise<{ requests: Request[]; said: string }> {
  const local = localFluentBit();
  assert.ok(local);
  const requests: Request[] = [];
  const receiver = await startTlsReceiver(async ({ url, headers }, raw) => {
    const body = headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    requests.push({ url, headers, body: body.toString("latin1") });
    return "";
  });
  const api = await Receiver.start({ labels: { app: "curl" } });
  const adapt: typeof local.adapt = (text, place) =>
    local
      .adapt(text, place)
      .replace(
        "name: kinesis_firehose\n",
        (found) =>
          `${found}      endpoint: 127.0.0.1\n      port: ${receiver.port}\n      tls.ca_file: ${receiver.authorities.right}\n`,
      );
  const sandbox = new Sandbox({ ...local, adapt }, { destination: destination(receiver.port) }, api.port);
  const collector = sandbox.start([], { user: "", password: TOKEN });
  try {
    sandbox.write(POD, [`2026-02-01T10:00:00.123456789Z stderr F {"level":"warn","text":"delivered"}`]);
    for (let wait = 0; wait < 60 && requests.length === 0; wait += 1) await seconds(0.25);
    return { requests, said: readFileSync(sandbox.log, { encoding: "utf8", flag: "a+" }) };
  } finally {
    await collector.stop("SIGKILL");
    receiver.stop();
    await api.stop();
    sandbox.remove();
  }
}

/** The record, as far as it is the same at each destination. */
const Delivered = z.looseObject({
  log: z.literal('{"level":"warn","text":"delivered"}'),
  stream: z.literal("stderr"),
  team: z.literal("ts"),
  fields: z.strictObject({ level: z.literal("warn"), text: z.literal("delivered") }),
  kubernetes: z.looseObject({
    namespace_name: z.literal("ts-team"),
    labels: z.strictObject({ app: z.literal("curl") }),
  }),
});

describe("Fluent Bit to forwarding destinations", () => {
  before(function () {
    skipWithoutFluentBit.call(this);
    if (!hasOpenssl()) leaveOut(this, "no openssl");
  });
  const url = (port: number) => `https://127.0.0.1:${port}`;
  const token = { secretName: "writer" };

  it("sends the record as an event to Splunk, with its token and the line's time", async () => {
    const { requests, said } = await deliver((port) => ({ kind: "splunk", url: url(port), verify: false, token }));
    const [first] = requests;
    assert.ok(first, said);
    assert.deepEqual([first.url, first.headers.authorization], ["/services/collector/event", `Splunk ${TOKEN}`]);
    const { time, sourcetype, event } = JSON.parse(first.body);
    assert.deepEqual([Number(time).toFixed(3), sourcetype], ["1769940000.123", "_json"]);
    Delivered.parse(event);
  });

  it("sends the record as the body by OTLP over HTTP, with a token", async () => {
    const { requests, said } = await deliver((port) => ({ kind: "otlp", url: url(port), verify: false, token }));
    const [first] = requests;
    assert.ok(first, said);
    assert.deepEqual(
      [first.url, first.headers.authorization, first.headers["content-type"]],
      ["/v1/logs", `Bearer ${TOKEN}`, "application/x-protobuf"],
    );
    // Keys and values as they stand in Protocol Buffers.
    for (const text of ["log", "stream", "stderr", "namespace_name", "ts-team", '{"level":"warn","text":"delivered"}'])
      assert.ok(first.body.includes(text), text);
  });

  it("sends the record as a line to Firehose", async () => {
    const { requests, said } = await deliver(() => ({ kind: "firehose", stream: "logs-stream" }));
    const [first] = requests;
    assert.ok(first, said);
    assert.equal(first.headers["x-amz-target"], "Firehose_20150804.PutRecordBatch");
    assert.match(String(first.headers.authorization), /Credential=test\/\d{8}\/eu-central-1\/firehose\/aws4_request/);
    const batch = JSON.parse(first.body);
    assert.equal(batch.DeliveryStreamName, "logs-stream");
    const line = Buffer.from(batch.Records[0].Data, "base64").toString();
    assert.ok(line.endsWith("}\n"), line);
    const record = Delivered.parse(JSON.parse(line));
    assert.equal(record["@timestamp"], "2026-02-01T10:00:00.123Z");
  });
});
