import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IndexFormat, indexName } from "../../../components/logging/indexing/index-format.ts";
import { seconds } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import type { Received } from "../../support/collectors/protocols.ts";
import type { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { testRecordsOfLines, testSelection } from "../behaviors.ts";
import { LEFT_OUT } from "../cluster-api.ts";
import { collected, KUBERNETES, line, POD, records } from "../curl-pod.ts";
import { ELASTICSEARCH, LOKI, localOpenTelemetry } from "./local.ts";

const otelcol = suiteCollector(localOpenTelemetry, () => whyMissing("otelcol"));

/** What comes of lines that are there when the collector starts, until nothing comes any more. */
async function collect(
  settings: object,
  write: (sandbox: Sandbox) => void,
  meanwhile: (sandbox: Sandbox) => Promise<void> = () => Promise.resolve(),
  local = otelcol,
): Promise<readonly Received[]> {
  const all = { destination: ELASTICSEARCH, buffer: { whenFull: "block" }, ...settings };
  return collected(local.found(), all, write, async ({ sandbox, receiver }) => {
    await meanwhile(sandbox);
    await receiver.settled(1, 5);
  });
}

describe("Records of the OpenTelemetry Collector", () => {
  otelcol.use();

  testRecordsOfLines(collect, {
    lines: [line(1, "stderr F meanwhile"), line(7, "stdout F "), line(7, "stdout F ")],
    records: ["stderr meanwhile", "stdout ", "stdout "],
  });

  testSelection(collect, [
    {},
    { splitBy: "team", prefix: "pods", separator: "_", datePattern: "dd_MM_yyyy" },
    { splitBy: "namespace", separator: ".", datePattern: "yyyy-MM" },
    { splitBy: "app", datePattern: "yyyyMMddHH" },
  ]);

  it("go to CloudWatch Logs, in their container's stream", async () => {
    const now = new Date().toISOString().replace(/\.\d+/, ".123456789");
    const [old, ahead] = ["2026-01-01T00:00:00.123456789Z", "2120-01-01T00:00:00.123456789Z"];
    const kept = await collect({ destination: { kind: "cloudwatch" } }, (sandbox) =>
      sandbox.write(POD, [`${old} stdout F old`, `${now} stdout F a`, `${ahead} stdout F ahead`]),
    );
    const place = "/eks-dns-logging/test/pods ts-team.curl-ts.curl";
    assert.deepEqual(new Set(kept.map((found) => found.place)), new Set([place]));
    // Each once, although PutLogEvents takes no event that is older than 14 days or two hours ahead.
    const common = { stream: "stdout", kubernetes: KUBERNETES, team: "ts" };
    assert.deepEqual(
      records(kept).sort((one, other) => String(one["@timestamp"]).localeCompare(String(other["@timestamp"]))),
      [
        { "@timestamp": old, log: "old", ...common },
        { "@timestamp": now, log: "a", ...common },
        { "@timestamp": ahead, log: "ahead", ...common },
      ],
    );
  });

  it("go to S3, one record per line", async () => {
    const kept = await collect({ destination: { kind: "s3" } }, (sandbox) =>
      sandbox.write(POD, [line(1, "stdout F a"), line(2, "stdout F b")]),
    );
    assert.match(
      kept[0]?.place ?? "",
      /^\/test-logs-eu-central-1\/logs\/\d{4}\/\d\d\/\d\d\/\d\d\/logs_[-0-9a-f]{36}\.txt\.gz/,
    );
    assert.deepEqual(
      records(kept).map(({ log, kubernetes }) => [log, kubernetes]),
      [
        ["a", KUBERNETES],
        ["b", KUBERNETES],
      ],
    );
  });

  it("go to Loki by OTLP, with its labels", async () => {
    const kept = await collect({ destination: LOKI }, (sandbox) => sandbox.write(POD, [line(1, "stdout F a")]));
    assert.equal(kept[0]?.place, "/otlp/v1/logs");
    const { json = "", at, resource = "" } = kept[0] ?? {};
    const attributes = [...resource.matchAll(/"key":"((?:k8s|service)[^"]*)","value":\{"stringValue":"([^"]*)"/g)];
    assert.deepEqual(Object.fromEntries(attributes.map(([, key, value]) => [key, value])), {
      "k8s.namespace.name": "ts-team",
      "k8s.pod.name": "curl-ts",
      "k8s.container.name": "curl",
      "service.name": "eks-dns-logging",
      "service.namespace": "ts",
    });
    assert.equal(at, "1769940000123456781");
    assert.match(json, /"key":"log","value":\{"stringValue":"a"\}/);
  });

  it("have no invalid UTF-8", async () => {
    const [before, after] = [Buffer.from(line(1, "stdout F latin ")), Buffer.from(" end")];
    // Two bytes of three: whoever reads them as text sees one U+FFFD, and not one for each.
    const bytes = Buffer.concat([before, Buffer.from([0xe6, 0x96]), after]);
    const kept = await collect({ destination: LOKI }, (sandbox) => sandbox.write(POD, [bytes]));
    assert.match(kept[0]?.json ?? "", /"latin \ufffd\ufffd end"/);
  });

  it("have their pod in no runtime's format too, and are not from one that opts out", async () => {
    const odd = ["no line of a runtime", "yesterday stdout F text"];
    const kept = await collect({}, (sandbox) => {
      for (const pod of [POD.pod, LEFT_OUT]) sandbox.write({ ...POD, pod }, odd);
      sandbox.write({ ...POD, pod: "other" }, [" indented"]);
    });
    const { labels, ...names } = KUBERNETES;
    const found = records(kept).map(({ "@timestamp": _, ...record }) => record);
    const record = (log: string, pod = POD.pod) => ({
      log,
      kubernetes: { ...names, pod_name: pod, labels },
      team: "ts",
    });
    assert.deepEqual(
      found.sort((one, other) => String(one.log).localeCompare(String(other.log))),
      [record(" indented", "other"), ...odd.map((log) => record(log))],
    );
  });

  it("come from an application by OTLP", async () => {
    const kept = await collect(
      {},
      () => {},
      async (sandbox) => {
        await seconds(3);
        const endpoint = /Starting HTTP server".*?"endpoint":"([^"]+)"/.exec(readFileSync(sandbox.log, "utf8"))?.[1];
        const attributes = [{ key: "user", value: { stringValue: "a" } }];
        const timeUnixNano = "1769940000123456789";
        const resource = {
          attributes: Object.entries({ "k8s.namespace.name": "ts-team", "k8s.pod.name": "curl-ts" }).map(
            ([key, value]) => ({ key, value: { stringValue: value } }),
          ),
        };
        const logRecords = [
          { timeUnixNano, body: { stringValue: "sent" }, attributes },
          { timeUnixNano, body: { intValue: "5" } },
        ];
        const body = JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
        const headers = { "content-type": "application/json" };
        const response = await fetch(`http://${endpoint}/v1/logs`, { method: "POST", headers, body });
        assert.equal(response.status, 200);
      },
    );
    const kubernetes = { host: "node", namespace_name: "ts-team", pod_name: "curl-ts" };
    const common = { "@timestamp": "2026-02-01T10:00:00.123456789Z", kubernetes, team: "ts" };
    assert.deepEqual(records(kept), [
      { log: "sent", fields: { user: "a" }, ...common },
      { log: "5", ...common },
    ]);
    assert.equal(kept[0]?.place, "logs-2026.02.01");
  });

  it("come from an application's own files", async () => {
    const start = new Date().toISOString();
    const kept = await collect({ mode: "sidecar", index: { splitBy: "namespace" } }, ({ folder }) => {
      mkdirSync(join(folder, "app"));
      writeFileSync(join(folder, "app", "app.log"), 'first\n  going on\n{"a":1}\n');
    });
    const kubernetes = { host: "node", namespace_name: "none", pod_name: "none", container_name: "none" };
    assert.deepEqual(
      records(kept).map(({ "@timestamp": time, ...record }) => [String(time) > start, record]),
      [
        [true, { log: "first\n  going on", kubernetes }],
        [true, { log: '{"a":1}', fields: { a: 1 }, kubernetes }],
      ],
    );
    assert.equal(kept[0]?.place, indexName(IndexFormat.parse({ splitBy: "namespace" }), new Date(), {}));
  });
});

describe("Labels from the OpenTelemetry Collector", () => {
  const odd = suiteCollector(
    () => localOpenTelemetry({ "a.b": "dot", a_b: "none", "c.d/e": "dot", "c_d/e": "none", "f.g": "alone" }),
    () => whyMissing("otelcol"),
  );
  odd.use();

  it("are those without a dot where a name with one would replace them, in each pod", async () => {
    const pods = ["one", "two", "three", "four", "five", "six"];
    const write = (sandbox: Sandbox) => {
      for (const pod of pods) sandbox.write({ ...POD, pod }, [line(1, `stdout F ${pod}`)]);
    };
    const kept = await collect({}, write, undefined, odd);
    const labels = { a_b: "none", "c_d/e": "none", f_g: "alone" };
    assert.deepEqual(
      records(kept).map(({ kubernetes }) => Object(kubernetes).labels),
      pods.map(() => labels),
    );
  });
});
