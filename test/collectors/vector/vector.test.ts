import assert from "node:assert/strict";
import { z } from "zod";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { assertHello, collectWith, httpPlaces, testDelivery, testRecords, writeHello } from "../behaviors.ts";
import { POD, records } from "../curl-pod.ts";
import { localVector, whyNoVector } from "./local.ts";

const vector = suiteCollector(localVector, whyNoVector);
const collect = collectWith(vector.found, { buffer: { whenFull: "block" } });

describe("Vector's record", () => {
  vector.use();
  testRecords(collect);

  it("is of one stream, if long lines of both arrive in parts, and without trailing carriage returns", async () => {
    const written = [
      "stdout P one ",
      "stderr P red ",
      "stdout P two ",
      "stderr F blue\r",
      "stdout F three",
      "stdout F a\rb\r",
    ];
    const found = await collect(
      {},
      (sandbox) =>
        sandbox.write(
          POD,
          written.map((line, at) => `2026-01-01T00:30:0${at}Z ${line}`),
        ),
      3,
    );
    const streams = records(found).map((body) => z.object({ log: z.string(), stream: z.string() }).parse(body));
    assert.deepEqual(
      streams.sort((one, other) => (one.log < other.log ? -1 : 1)),
      [
        { log: "a\rb", stream: "stdout" },
        { log: "one two three", stream: "stdout" },
        { log: "red blue", stream: "stderr" },
      ],
    );
  });
});

describe("Vector delivers to", () => {
  vector.use();

  // CloudWatch Logs takes nothing that is older than two weeks.
  const time = new Date().toISOString().replace("Z", "456789Z");
  const today = time.slice(0, 10);

  testDelivery(collect, time, {
    ...httpPlaces(today),
    cloudwatch: {
      destination: () => ({ kind: "cloudwatch" }),
      place: "/eks-dns-logging/test/pods ts-team.curl-ts.curl",
    },
    loki: {
      destination: (port) => ({ kind: "loki", url: `http://127.0.0.1:${port}` }),
      place: `{"container":"curl","job":"eks-dns-logging","namespace":"ts-team","pod":"curl-ts","stream":"stdout","team":"ts"}`,
    },
  });

  it("s3", async () => {
    const [record] = await collect({ destination: () => ({ kind: "s3" }) }, (sandbox) => writeHello(sandbox, time));
    assertHello(record?.json ?? "", time);
    const hour = `${today.replaceAll("-", "/")}/${time.slice(11, 13)}`;
    assert.ok(record?.place.startsWith(`/test-logs-eu-central-1/logs/${hour}/`), record?.place);
    assert.match(record?.place ?? "", /\.log\.gz/);
  });
});
