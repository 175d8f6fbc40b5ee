import assert from "node:assert/strict";
import { parse } from "yaml";
import { opentelemetry } from "../../../../../components/logging/collectors/opentelemetry/index.ts";
import { logPipeline } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkPipeline } from "../../../../../components/logging/validation.ts";
import { elasticsearch } from "./rendered.ts";

function render(settings: object) {
  const parsed = LoggingSettings.parse({ collector: "opentelemetry", index: { prefix: "app" }, ...settings });
  assert.deepEqual(checkPipeline(parsed), []);
  const { files } = opentelemetry.render(logPipeline(parsed, { cluster: "dev", region: "eu-central-1" }));
  return parse(files["config.yaml"] ?? "");
}

/** What the collector puts the node's name in for. */
const NODE = "$" + "{env:NODE_NAME}";

/** All statements of a transform processor. */
const statements = (processor: { log_statements: { statements: string[] }[] }) =>
  processor.log_statements.flatMap((group) => group.statements);

describe("OpenTelemetry Collector and the node's journal", () => {
  const one = render({ sources: ["pods", "auth", "kubelet"], destination: elasticsearch });

  it("reads each part from its beginning and stores its position on disk, across restarts of the node", () => {
    const { "journald/auth": auth, "journald/kubelet": kubelet } = one.receivers;
    assert.deepEqual(auth.matches, [{ SYSLOG_FACILITY: "4" }, { SYSLOG_FACILITY: "10" }]);
    assert.deepEqual(kubelet, {
      journalctl_path: "/usr/bin/journalctl",
      directory: "/var/log/journal",
      start_at: "beginning",
      matches: [{ _SYSTEMD_UNIT: "kubelet.service" }],
      priority: "debug",
      merge: true,
      all: true,
      convert_message_bytes: true,
      storage: "file_storage/positions",
      retry_on_failure: { enabled: true, initial_interval: "500ms", max_interval: "10s", max_elapsed_time: 0 },
    });
  });

  it("sends it through pipelines without pod metadata, with its own index names and ids", () => {
    assert.deepEqual(one.service.pipelines["logs/.journal.kubelet"], {
      receivers: ["journald/kubelet"],
      processors: ["memory_limiter", "transform/.journal.kubelet"],
      exporters: ["elasticsearch"],
    });
    assert.deepEqual(one.service.pipelines.logs.receivers, ["file_log", "otlp"]);
    const all = statements(one.processors["transform/.journal.kubelet"]);
    const index = 'Concat(["app-node-kubelet", FormatTime(log.time, "%Y.%m.%d")], "-")';
    assert.ok(all.includes(`set(log.attributes["elasticsearch.index"], ${index})`));
    assert.ok(all.includes('set(log.attributes["elasticsearch.document_id"], log.attributes["cursor"])'));
    assert.ok(all.includes('set(log.body["source"], "kubelet")'));
    assert.equal(one.connectors, undefined);
    const none = render({ destination: elasticsearch });
    assert.doesNotMatch(JSON.stringify(none), /journal/);
  });

  it("is redacted, and has the fields of the settings", () => {
    const processing = { redact: ["email"], fields: { stage: "prod" } };
    const config = render({ sources: ["pods", "kernel"], destination: elasticsearch, processing });
    const all = statements(config.processors["transform/.journal.kernel"]);
    assert.equal(all.filter((statement) => statement.startsWith('replace_pattern(log.body["log"]')).length, 1);
    assert.ok(all.includes('set(log.body["stage"], "prod")'));
  });

  it("has its own stream and attributes elsewhere", () => {
    const of = (destination: object) => {
      const config = render({ sources: ["pods", "kernel"], destination });
      return statements(config.processors["transform/.journal.kernel"]);
    };
    assert.equal(of({ kind: "cloudwatch" }).at(-1), `set(resource.attributes["pod"], "${NODE}.kernel")`);
    const isMoved = (statement: string) => statement.startsWith("set(log.time, Now()) where log.time < Now()");
    assert.deepEqual(
      ["cloudwatch", "s3"].map((kind) => of({ kind }).filter(isMoved).length),
      [1, 0],
    );
    const loki = of({ kind: "loki", url: "https://loki" });
    assert.ok(loki.includes('set(resource.attributes["service.namespace"], "kernel")'));
    assert.ok(loki.includes(`set(resource.attributes["service.instance.id"], "${NODE}")`));
  });

  it("has its own exporters in S3, whose queues together fit the buffer", () => {
    const settings = {
      destination: { kind: "s3", bucket: "b-1" },
      index: { splitBy: "team" },
      sources: ["pods", "auth"],
    };
    const parsed = LoggingSettings.parse({ collector: "opentelemetry", buffer: { size: "400Mi" }, ...settings });
    const context = { cluster: "dev", region: "eu-central-1", teams: [{ name: "ts" }] };
    const { exporters, service } = parse(opentelemetry.render(logPipeline(parsed, context)).files["config.yaml"] ?? "");
    const prefixes = Object.entries<{ s3uploader: { s3_prefix: string } }>(exporters).map(([name, options]) => [
      name,
      options.s3uploader.s3_prefix,
    ]);
    assert.deepEqual(prefixes, [
      ["awss3/destination.ts", "logs/ts"],
      ["awss3/destination", "logs"],
      ["awss3/journal.auth", "logs/node/auth"],
    ]);
    const sizes = Object.values<{ sending_queue: { queue_size: number } }>(exporters);
    const total = sizes.reduce((sum, { sending_queue }) => sum + sending_queue.queue_size, 0);
    assert.ok(total <= 200 * 2 ** 20, String(total));
    assert.deepEqual(service.pipelines["logs/.journal.auth"].exporters, ["awss3/journal.auth"]);
  });

  describe("with several destinations", () => {
    const config = render({
      sources: ["pods", "kernel", "auth"],
      destinations: {
        archive: { kind: "s3", bucket: "acme-logs" },
        search: elasticsearch,
        siem: { kind: "loki", url: "https://loki" },
      },
      routes: [
        { to: ["archive"] },
        { to: ["search"], sources: ["pods"], namespaces: ["shop"] },
        { to: ["siem"], sources: ["auth", "kernel"] },
        { to: ["search"], sources: ["kernel"] },
      ],
    });

    it("is read once, and passed to the destinations of its routes", () => {
      const { pipelines } = config.service;
      const ends = Object.entries<{ receivers: string[]; exporters: string[] }>(pipelines).filter(
        ([, { receivers }]) => receivers[0] === "forward/.journal.kernel",
      );
      assert.deepEqual(
        ends.map(([name, { exporters }]) => [name, exporters]),
        [
          ["logs/.journal.kernel.archive", ["awss3/journal.kernel.archive"]],
          ["logs/.journal.kernel.search", ["elasticsearch/search"]],
          ["logs/.journal.kernel.siem", ["otlp_http/siem"]],
        ],
      );
      assert.deepEqual(pipelines["logs/.journal.auth"].exporters, ["forward/.journal.auth"]);
      assert.equal(pipelines["logs/.journal.auth.search"], undefined);
      assert.deepEqual(config.connectors, { forward: {}, "forward/.journal.kernel": {}, "forward/.journal.auth": {} });
    });

    it("sends no pod lines where only it goes", () => {
      assert.equal(config.service.pipelines["logs/siem"], undefined);
      assert.deepEqual(config.service.pipelines["logs/search"].exporters, ["elasticsearch/search"]);
    });
  });
});
