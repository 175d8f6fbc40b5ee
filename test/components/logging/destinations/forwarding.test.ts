import assert from "node:assert/strict";
import { parse } from "yaml";
import type { Collector } from "../../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { logPipeline } from "../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { issuesIn } from "../../../support/issues.ts";

const token = { secretName: "writer" };
const OTLP = { kind: "otlp", url: "https://otel.example.com:4318", token };
const SPLUNK = { kind: "splunk", url: "https://splunk.example.com:8088", token };
const FIREHOSE = { kind: "firehose", stream: "logs" };

function rendered(id: keyof typeof COLLECTORS, destination: object): { file: string; secretFree: boolean } {
  const collector: Collector | undefined = COLLECTORS[id];
  assert.ok(collector);
  const settings = LoggingSettings.parse({ collector: id, destination });
  const { files } = collector.render(logPipeline(settings, { cluster: "dev", region: "eu-central-1" }));
  const [file = ""] = Object.values(files);
  return { file, secretFree: !file.includes("writer") };
}

describe("Destinations that forward lines", () => {
  for (const destination of [OTLP, { ...OTLP, protocol: "grpc" }, SPLUNK, FIREHOSE]) {
    it(`are taken by Fluent Bit: ${JSON.stringify(destination)}`, () => {
      assert.deepEqual(checkLogging(LoggingSettings.parse({ destination }), "eks"), []);
      const { file, secretFree } = rendered("fluent-bit", destination);
      assert.ok(secretFree);
      const [output] = parse(file).pipeline.outputs;
      const { name, tls, host, retry_limit } = output;
      assert.equal(retry_limit, "no_limits");
      if (name === "kinesis_firehose")
        assert.deepEqual([output.region, output.delivery_stream], ["eu-central-1", "logs"]);
      else assert.deepEqual([tls, host], ["on", new URL("url" in destination ? destination.url : "").hostname]);
      if (destination.kind === "otlp") assert.equal(output.grpc, "protocol" in destination ? "on" : undefined);
    });
  }

  it("are accepted by Vector, except OTLP, and by OpenTelemetry, except these two", () => {
    const sinkOf = (destination: object) => parse(rendered("vector", destination).file).sinks.destination;
    const splunk = sinkOf(SPLUNK);
    assert.deepEqual(
      [splunk.type, splunk.endpoint, splunk.default_token],
      ["splunk_hec_logs", "https://splunk.example.com:8088", "SECRET[credentials.token]"],
    );
    const firehose = sinkOf(FIREHOSE);
    assert.deepEqual(
      [firehose.type, firehose.stream_name, firehose.region, firehose.request_retry_partial],
      ["aws_kinesis_firehose", "logs", "eu-central-1", true],
    );
    const otlp = parse(rendered("opentelemetry", OTLP).file);
    assert.deepEqual(otlp.exporters.otlp_http.endpoint, "https://otel.example.com:4318");
    assert.deepEqual(otlp.exporters.otlp_http.auth, { authenticator: "bearertokenauth/destination" });
    const grpcOf = (url: string) =>
      parse(rendered("opentelemetry", { kind: "otlp", protocol: "grpc", url }).file).exporters.otlp_grpc;
    // The exporter starts with no address that lacks a port, and uses TLS unless it is turned off.
    for (const [url, endpoint, tls] of [
      ["https://otel.example.com:4317", "https://otel.example.com:4317", { insecure_skip_verify: false }],
      ["https://otel.example.com", "https://otel.example.com:443", { insecure_skip_verify: false }],
      ["http://otel.monitoring.svc:4317", "http://otel.monitoring.svc:4317", { insecure: true }],
      ["http://[2001:db8::1]", "http://[2001:db8::1]:80", { insecure: true }],
    ] as const) {
      assert.deepEqual([grpcOf(url).endpoint, grpcOf(url).tls], [endpoint, tls]);
    }
    const reasons = (collector: string, destination: object) =>
      checkLogging(LoggingSettings.parse({ collector, destination }), "eks").map(formatIssue);
    for (const [collector, destination, reason] of [
      ["vector", OTLP, /^destination\.kind: must be one of .* with Vector: OTLP from Vector is not tested here/],
      ["opentelemetry", SPLUNK, /^destination\.kind: .*its exporter for Splunk is not tested here/],
      ["opentelemetry", FIREHOSE, /^destination\.kind: .*no exporter for Firehose/],
      ["fluentd", SPLUNK, /^destination\.kind: .*no Fluentd image for Kubernetes has the plugin/],
      ["filebeat", OTLP, /^destination\.kind: .*Filebeat has no such output/],
      ["logagent", OTLP, /^destination\.kind: .*Logagent has no such output/],
      ["promtail", OTLP, /^destination\.kind: /],
    ] as const) {
      const found = reasons(collector, destination);
      assert.equal(found.filter((line) => reason.test(line)).length, 1, found.join("\n"));
      assert.equal(found.filter((line) => line.startsWith("destination")).length, 1, found.join("\n"));
    }
  });

  it("may be among several, each in its own place", () => {
    const issues = (destinations: object) =>
      checkLogging(LoggingSettings.parse({ destinations }), "eks").map(formatIssue);
    assert.deepEqual(issues({ traces: OTLP, audit: SPLUNK, archive: FIREHOSE }), []);
    assert.match(
      issues({ one: FIREHOSE, two: FIREHOSE }).join(),
      /^destinations\.two\.stream: must differ from that of/,
    );
    assert.match(issues({ one: SPLUNK, two: SPLUNK }).join(), /^destinations\.two\.url: must differ from that of/);
  });

  it("require an AWS identity for Firehose, which a non-EKS cluster lacks", () => {
    assert.match(
      checkLogging(LoggingSettings.parse({ destination: FIREHOSE }), "existing")
        .map(formatIssue)
        .join(),
      /^destination\.kind: must be one of .*since only cluster\.kind eks/,
    );
  });

  for (const [what, destination, expected] of [
    ["a path", { ...SPLUNK, url: "https://h/services/collector" }, /^url: must be a URL without a path/],
    ["a token in the clear", { ...SPLUNK, url: "http://h:8088" }, /^url: must be an https URL with a token/],
    [
      "a password, which Splunk's collector of events does not take",
      { ...SPLUNK, url: "https://me:secret@h:8088" },
      /^url: must be a URL without user and password, which Splunk does not accept: set token/,
    ],
    [
      "a password, which belongs elsewhere",
      { ...OTLP, url: "https://me:secret@h" },
      /^url: must be a URL without user and password, which belong in credentials/,
    ],
    ["no token", { kind: "splunk", url: "https://h" }, /^token: /],
    [
      "an ARN for a stream",
      { kind: "firehose", stream: "arn:aws:firehose:x" },
      /^stream: must be the name of a stream/,
    ],
  ] as const)
    it(`are refused with ${what}`, () => {
      const found = issuesIn(LoggingSettings.shape.destination, destination);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
});
