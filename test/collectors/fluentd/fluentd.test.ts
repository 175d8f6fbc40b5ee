import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { seconds, settingsAt } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import type { Received } from "../../support/collectors/protocols.ts";
import type { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { testRecordsOfLines, testSelection } from "../behaviors.ts";
import { LEFT_OUT } from "../cluster-api.ts";
import { collected, KUBERNETES, line, POD, records, sortedLogs } from "../curl-pod.ts";
import { localFluentd } from "./local.ts";

const Json = z.record(z.string(), z.unknown());

const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));

/** What comes of lines that are there when the collector starts, until nothing comes any more. */
async function collect(
  settings: object | ((port: number) => object),
  write: (sandbox: Sandbox) => void,
  meanwhile: (sandbox: Sandbox) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Received[]> {
  const opensearch = (port: number) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false });
  return collected(
    fluentd.found(),
    (port) => ({ destination: opensearch(port), ...settingsAt(settings, port) }),
    write,
    async ({ sandbox, receiver }) => {
      // It takes seconds to start, more on a machine that has other work.
      while (!existsSync(join(sandbox.state, "positions"))) await seconds(0.2);
      await meanwhile(sandbox);
      await receiver.settled(Number.MAX_SAFE_INTEGER, 6);
    },
  );
}

/** Halves of a character, and whole ones. */
const HALVES = String.raw`{"\udc00":"\ud83d and more","p":"\ud83d\uDE00 \\ud800"}`;

describe("Records of Fluentd", () => {
  fluentd.use();

  testRecordsOfLines(collect, {
    lines: [line(6, "stdout F "), line(7, "stdout F ")],
    records: ["stdout ", "stdout "],
  });

  it("wait for the API server's answer about their pod", async () => {
    fluentd.found().api.fail(3);
    const kept = await collect({}, (sandbox) => {
      sandbox.write({ ...POD, pod: LEFT_OUT }, [line(1, "stdout F never")]);
      sandbox.write(POD, [line(1, "stdout F a")]);
    });
    assert.deepEqual(
      records(kept).map(({ log, kubernetes }) => [log, kubernetes]),
      [["a", KUBERNETES]],
    );
  });

  it("keep a carriage return that ends a part of a line, and none that ends the line", async () => {
    const kept = await collect({}, (sandbox) =>
      sandbox.write(POD, [
        line(1, "stdout P one\r"),
        line(2, "stdout P two\r\r"),
        line(3, "stdout F three\r"),
        "no line of a runtime\r",
        line(4, "stdout F four\r\r"),
      ]),
    );
    assert.deepEqual(sortedLogs(kept), ["four\r", "no line of a runtime", "one\rtwo\r\rthree"]);
  });

  testSelection(collect, [
    {},
    { splitBy: "team", prefix: "pods", separator: "_", datePattern: "dd_MM_yyyy" },
    { splitBy: "namespace", separator: ".", datePattern: "yyyy-MM" },
    { splitBy: "app", datePattern: "yyyyMMddHH", timeZone: "Asia/Kolkata" },
    { datePattern: "xxxx.ww", timeZone: "America/St_Johns" },
  ]);

  it("go to Elasticsearch with its own plugin, under the same names and ids", async () => {
    const line = ["2026-01-01T00:00:00Z stdout F b"];
    const both: (readonly Received[])[] = [];
    for (const kind of ["opensearch", "elasticsearch"]) {
      const settings = (port: number) => ({ destination: { kind, host: "127.0.0.1", port, tls: false } });
      both.push(await collect(settings, (sandbox) => sandbox.write(POD, line)));
    }
    assert.equal(both[0]?.[0]?.place, "logs-2026.01.01");
    assert.deepEqual(both[1], both[0]);
  });

  it("go to CloudWatch Logs, in their container's stream", async () => {
    const kept = await collect({ destination: { kind: "cloudwatch" } }, (sandbox) =>
      sandbox.write(POD, [line(1, "stdout F a"), line(2, `stdout F ${"x".repeat(2 ** 20)}`)]),
    );
    assert.deepEqual(
      kept.map(({ place, json }) => [place, json.length]),
      [
        ["/eks-dns-logging/test/pods ts-team.curl-ts.curl", kept[0]?.json.length],
        ["/eks-dns-logging/test/pods ts-team.curl-ts.curl", 256_000],
      ],
    );
    assert.deepEqual(Json.parse(JSON.parse(kept[0]?.json ?? "")), {
      "@timestamp": "2026-02-01T10:00:00.123456781Z",
      log: "a",
      stream: "stdout",
      kubernetes: KUBERNETES,
      team: "ts",
    });
  });

  it("go to S3, one record per line, in a folder for their hour", async () => {
    const kept = await collect({ destination: { kind: "s3" } }, (sandbox) =>
      sandbox.write(POD, [line(1, "stdout F a"), line(2, "stdout F b")]),
    );
    assert.deepEqual(
      records(kept).map(({ log, kubernetes }) => [log, kubernetes]),
      [
        ["a", KUBERNETES],
        ["b", KUBERNETES],
      ],
    );
    assert.match(
      kept[0]?.place ?? "",
      /^\/test-logs-eu-central-1\/logs\/2026\/02\/01\/10\/2026020110-[0-9a-f]{16}\.gz$/,
    );
  });

  it("go over HTTP, one record per line", async () => {
    const settings = (port: number) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/ingest?a=1` } });
    const kept = await collect(settings, (sandbox) =>
      sandbox.write(POD, [
        line(1, "stdout F a"),
        line(2, 'stdout F {"a.b":1e999,"c":123456789012345678901234567890}'),
        line(3, `stdout F ${HALVES}`),
      ]),
    );
    assert.deepEqual(
      records(kept).map(({ log, fields, kubernetes }) => [log, fields, kubernetes]),
      [
        ["a", undefined, KUBERNETES],
        [
          '{"a.b":1e999,"c":123456789012345678901234567890}',
          { "a.b": null, c: "123456789012345678901234567890" },
          KUBERNETES,
        ],
        // Each half of a character by itself is none; written as it is, it would keep all lines read with it from being sent.
        [HALVES, { "\ufffd": "\ufffd and more", p: "\u{1f600} \\ud800" }, KUBERNETES],
      ],
    );
  });

  it("go to files and to stdout, one record per line", async () => {
    let found = "";
    await collect(
      { destination: { kind: "file" } },
      (sandbox) => sandbox.write(POD, [line(1, "stdout F a")]),
      async (sandbox) => {
        await seconds(8);
        found = readFileSync(join(sandbox.folder, "collected", "pods.log"), "utf8");
      },
    );
    assert.deepEqual(Json.parse(JSON.parse(found)).kubernetes, KUBERNETES);
    await collect(
      { destination: { kind: "stdout" } },
      (sandbox) => sandbox.write(POD, [line(1, "stdout F a")]),
      async (sandbox) => {
        await seconds(8);
        found = readFileSync(sandbox.log, "utf8");
      },
    );
    const [json = "{}"] = /^\{.*"log":"a".*\}$/m.exec(found) ?? [];
    assert.deepEqual(Json.parse(JSON.parse(json)).kubernetes, KUBERNETES);
  });

  it("of a sidecar contain its pod", async () => {
    const kept = await collect({ mode: "sidecar" }, (sandbox) => {
      const folder = join(sandbox.folder, "app");
      mkdirSync(folder);
      writeFileSync(join(folder, "access.log"), 'one\n{"a":{"b.c":1}}\nno\n\tat there\n');
    });
    const kubernetes = { namespace_name: "none", pod_name: "none", container_name: "none", host: "node" };
    assert.deepEqual(
      records(kept).map(({ log, fields, kubernetes: where, stream }) => ({ log, fields, where, stream })),
      [
        { log: "one", fields: undefined },
        { log: '{"a":{"b.c":1}}', fields: { a: { b_c: 1 } } },
        { log: "no\n\tat there", fields: undefined },
      ].map((record) => ({ ...record, where: kubernetes, stream: undefined })),
    );
    assert.match(kept[0]?.place ?? "", /^logs-\d{4}\.\d\d\.\d\d$/);
  });
});
