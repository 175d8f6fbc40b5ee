import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { z } from "zod";
import { opentelemetry } from "../../../../components/logging/collectors/opentelemetry.ts";
import { logPipeline, NODE } from "../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { anyFormat } from "../arbitraries.ts";

const Options = z.record(z.string(), z.unknown());
const Components = z.record(z.string(), Options);
const Statements = z.array(z.object({ context: z.string(), statements: z.array(z.string()) }));
const Configuration = z.strictObject({
  extensions: Components,
  receivers: Components,
  processors: Components,
  exporters: Components,
  service: z.looseObject({
    extensions: z.array(z.string()),
    pipelines: z.object({
      logs: z.object({
        receivers: z.array(z.string()),
        processors: z.array(z.string()),
        exporters: z.array(z.string()),
      }),
    }),
  }),
});

const elasticsearch = { kind: "elasticsearch", host: "search.example.com" };
const credentials = { secretName: "log-writer" };
const pod = { namespace: "ts-team", pod: "curl-ts", container: "curl", team: "ts", app: "curl" };

function pipelineOf(settings: object, sidecar = false) {
  const parsed = LoggingSettings.parse({ destination: elasticsearch, buffer: { whenFull: "block" }, ...settings });
  const context = { cluster: "dev", region: "eu-central-1", bucket: "dev-logs" };
  return logPipeline(parsed, context, sidecar ? { kind: "application", pod } : NODE);
}

function render(settings: object = {}, sidecar = false) {
  const text = opentelemetry.render(pipelineOf(settings, sidecar)).files["config.yaml"] ?? "";
  const configuration = Configuration.parse(parse(text));
  const [exporter = ["", {}]] = Object.entries(configuration.exporters);
  const statements = Statements.parse(configuration.processors.transform?.log_statements);
  return {
    text,
    ...configuration,
    name: exporter[0],
    exporter: exporter[1],
    statements: statements.flatMap((group) => group.statements),
    files: configuration.receivers.file_log ?? {},
  };
}

const unsupported = (settings: object) =>
  opentelemetry.unsupported(pipelineOf(settings)).map(({ path, message }) => `${path.join(".")}: ${message}`);

describe("OpenTelemetry Collector", () => {
  it("sends bodies as documents to Elasticsearch, each under an index and an id of its own", () => {
    const { name, exporter, statements } = render();
    assert.equal(name, "elasticsearch");
    assert.equal(exporter.endpoint, "https://search.example.com:9200");
    assert.deepEqual(exporter.mapping, { allowed_modes: ["bodymap"] });
    assert.deepEqual(exporter.logs_dynamic_id, { enabled: true });
    assert.equal(exporter.logs_index, undefined);
    assert.ok(
      statements.includes(
        'set(log.attributes["elasticsearch.index"], Concat(["logs", FormatTime(log.time, "%Y.%m.%d")], "-"))',
      ),
    );
    assert.ok(statements.some((statement) => statement.startsWith('set(log.attributes["elasticsearch.document_id"]')));
  });

  it("takes authority and credentials, and these by name alone", () => {
    const { exporter, text } = render({
      destination: { ...elasticsearch, credentials, tls: { verify: false, caSecretName: "search-ca" } },
    });
    assert.deepEqual(exporter.tls, { insecure_skip_verify: true, ca_file: "/etc/log-destination/ca.crt" });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the collector's own notation.
    assert.deepEqual([exporter.user, exporter.password], ["${env:LOG_USER}", "${env:LOG_PASSWORD}"]);
    assert.doesNotMatch(text, /log-writer/);
    assert.equal(render({ destination: { ...elasticsearch, tls: false } }).exporter.tls, undefined);
  });

  it("makes an id of the line's own time too, since a file has the same offsets again after a rotation", () => {
    const { statements } = render();
    const id = statements.find((statement) => statement.includes('["elasticsearch.document_id"]')) ?? "";
    assert.match(
      id,
      /k8s\.pod\.uid.*k8s\.container\.name.*, log\.time_unix_nano, log\.attributes\["log\.file\.record_offset"\]/,
    );
  });

  it("sends to CloudWatch Logs as a stream a container", () => {
    const { name, exporter, statements } = render({ destination: { kind: "cloudwatch", logGroup: "/pods" } });
    assert.equal(name, "awscloudwatchlogs");
    assert.deepEqual(
      [exporter.region, exporter.log_group_name, exporter.log_stream_name, exporter.raw_log],
      ["eu-central-1", "/pods", "{PodName}", true],
    );
    assert.equal(statements.at(-1), 'keep_keys(resource.attributes, ["pod"])');
    assert.ok(
      !statements.some((statement) => statement.includes("elasticsearch.index") && statement.startsWith("set")),
    );
  });

  it("sends to S3 as lines", () => {
    const { name, exporter } = render({ destination: { kind: "s3", prefix: "pods" } });
    assert.equal(name, "awss3");
    assert.equal(exporter.marshaler, "body");
    const { s3_bucket, s3_prefix, compression } = Options.parse(exporter.s3uploader);
    assert.deepEqual([s3_bucket, s3_prefix, compression], ["dev-logs", "pods", "gzip"]);
  });

  it("sends to Loki by OTLP, with tenant and credentials", () => {
    const url = "https://loki.example.com:3100";
    const { name, exporter, extensions, service } = render({
      destination: { kind: "loki", url, tenant: "team-a", credentials, caSecretName: "loki-ca" },
    });
    assert.equal(name, "otlp_http");
    assert.equal(exporter.endpoint, `${url}/otlp`);
    assert.deepEqual(exporter.headers, { "X-Scope-OrgID": "team-a" });
    assert.deepEqual(exporter.auth, { authenticator: "basicauth/destination" });
    assert.deepEqual(exporter.tls, { insecure_skip_verify: false, ca_file: "/etc/log-destination/ca.crt" });
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the collector's own notation.
    assert.deepEqual(extensions["basicauth/destination"], {
      client_auth: { username: "${env:LOG_USER}", password: "${env:LOG_PASSWORD}" },
    });
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the collector's own notation.
    assert.ok(service.extensions.includes("basicauth/destination"));
  });

  it("takes no tenant for a variable", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the collector's own notation.
    const destination = { kind: "loki", url: "http://loki:3100", tenant: "${env:LOG_PASSWORD}" };
    assert.deepEqual(render({ destination }).exporter.headers, { "X-Scope-OrgID": "$${env:LOG_PASSWORD}" });
  });

  it("refuses other destinations in words", () => {
    const destinations = [
      { kind: "stdout" },
      { kind: "file" },
      { kind: "http", url: "http://logs.test" },
      { kind: "opensearch", inCluster: true },
    ];
    for (const destination of destinations) {
      const reason = Object.entries(opentelemetry.destinations).find(([kind]) => kind === destination.kind)?.[1];
      assert.match(String(reason), /OpenTelemetry/);
      assert.throws(() => render({ destination }), { message: `destination ${destination.kind}: ${reason}` });
    }
  });

  it("keeps what is unsent on disk, up to half of the buffer, and tries without end", () => {
    for (const destination of [{ kind: "cloudwatch" }, { kind: "s3" }, { kind: "loki", url: "http://loki:3100" }]) {
      const { exporter, extensions } = render({ destination, buffer: { size: "1Gi", whenFull: "block" } });
      const queue = Options.parse(exporter.sending_queue);
      assert.deepEqual(
        [queue.queue_size, queue.sizer, queue.block_on_overflow, queue.storage],
        [2 ** 29, "bytes", true, "file_storage/queue"],
      );
      assert.equal(extensions["file_storage/queue"]?.directory, "/var/lib/otelcol/queue");
      assert.equal(Options.parse(exporter.retry_on_failure).max_elapsed_time, 0);
    }
    assert.deepEqual(Options.parse(render().exporter.retry).retry_on_status, [429, 500, 502, 503, 504]);
  });

  it("reads pods' files and rotated ones, and never its own", () => {
    const { files } = render({ namespaces: { include: ["ts-team"], exclude: ["kube-system"] } });
    assert.deepEqual(files.include, [
      "/var/log/pods/ts-team_*/*/*.log",
      "/var/log/pods/ts-team_*/*/*.log.20??????-??????",
    ]);
    assert.deepEqual(files.exclude, [
      "/var/log/pods/kube-system_*/*/*.log",
      "/var/log/pods/kube-system_*/*/*.log.20??????-??????",
      "/var/log/pods/logging_*/*/*.log",
      "/var/log/pods/logging_*/*/*.log.20??????-??????",
    ]);
  });

  it("drops by namespace, annotation and label what comes by OTLP too", () => {
    const { processors } = render({ namespaces: { include: ["a", "b"] }, labels: { app: "curl" } });
    assert.deepEqual(processors.filter?.log_conditions, [
      'resource.attributes["k8s.namespace.name"] == "logging"',
      'resource.attributes["k8s.namespace.name"] != "a" and resource.attributes["k8s.namespace.name"] != "b"',
      'resource.attributes["opt-out"] == "true"',
      'resource.attributes["label/app"] != "curl"',
    ]);
  });

  it("takes OTLP on a node, on the ports that it names", () => {
    assert.deepEqual(render().receivers.otlp, {
      protocols: { grpc: { endpoint: "0.0.0.0:4317" }, http: { endpoint: "0.0.0.0:4318" } },
    });
    assert.deepEqual(opentelemetry.ports, { metrics: 8888, "otlp-grpc": 4317, "otlp-http": 4318 });
  });

  it("asks no API beside an application, and knows its pod", () => {
    const { receivers, processors, statements, files } = render({ index: { splitBy: "app" } }, true);
    assert.deepEqual(Object.keys(receivers), ["file_log"]);
    assert.deepEqual(files.include, ["/var/log/app/*.log", "/var/log/app/*.log.1"]);
    assert.deepEqual(Object.keys(processors), ["memory_limiter", "transform"]);
    for (const [name, value] of [
      ["k8s.namespace.name", "ts-team"],
      ["k8s.pod.name", "curl-ts"],
      ["k8s.container.name", "curl"],
      ["team", "ts"],
      ["label/app.kubernetes.io/name", "curl"],
    ])
      assert.ok(statements.includes(`set(resource.attributes["${name}"], "${value}")`), name);
    assert.ok(!statements.some((statement) => statement.includes('set(log.attributes["elasticsearch.document_id"]')));
  });

  it("joins and parses only where it is to", () => {
    const types = (settings: object) =>
      z
        .array(z.looseObject({ type: z.string() }))
        .parse(render(settings).files.operators)
        .map(({ type }) => type);
    assert.deepEqual(types({}), ["container", "container", "add", "recombine", "json_parser"]);
    assert.deepEqual(types({ multiline: [], parseJson: false }), ["container", "container"]);
  });

  it("says what it cannot do", () => {
    assert.deepEqual(unsupported({}), []);
    assert.deepEqual(
      unsupported({
        buffer: { size: "32Mi" },
        index: { timeZone: "Europe/Madrid", datePattern: "xxxx.ww" },
      }),
      [
        "buffer.whenFull: block for the OpenTelemetry Collector, which can drop the newest lines but not the oldest",
        "buffer.size: at least 64Mi for the OpenTelemetry Collector, whose queue holds half of it",
        "index.timeZone: UTC, since the OpenTelemetry Collector begins a day there",
        "index.datePattern: a pattern without xxxx and ww, which the OpenTelemetry Collector does not know",
      ],
    );
  });

  it("names an index of every format that it takes", () => {
    fc.assert(
      fc.property(anyFormat, fc.boolean(), (index, sidecar) => {
        fc.pre(unsupported({ index }).length === 0);
        const { statements } = render({ index }, sidecar);
        const named = statements.find((statement) => statement.startsWith('set(log.attributes["elasticsearch.index"]'));
        const split = index.splitBy === "none" ? "" : ', resource.attributes["split"]';
        assert.ok(named?.includes(`Concat(["${index.prefix}"${split}, FormatTime(log.time, "`), named);
        assert.ok(named?.endsWith(`")], "${index.separator}"))`), named);
      }),
      { numRuns: 50 },
    );
  });

  it("has every component that a pipeline names, and names every one that it has", () => {
    for (const sidecar of [false, true]) {
      const { receivers, processors, exporters, extensions, service } = render({}, sidecar);
      assert.deepEqual(service.pipelines.logs.receivers, Object.keys(receivers));
      assert.deepEqual(service.pipelines.logs.processors, Object.keys(processors));
      assert.deepEqual(service.pipelines.logs.exporters, Object.keys(exporters));
      assert.deepEqual(service.extensions, Object.keys(extensions));
    }
  });
});
