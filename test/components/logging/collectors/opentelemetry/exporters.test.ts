import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { opentelemetry } from "../../../../../components/logging/collectors/opentelemetry/index.ts";
import { anyFormat } from "../../arbitraries.ts";
import { credentials } from "../pipelines.ts";
import { elasticsearch, Options, render, unsupported } from "./rendered.ts";

/** From files: in a variable a "$" would begin another one. */
const BASIC_AUTH = {
  client_auth: {
    username_file: "/etc/log-destination/credentials/username",
    password_file: "/etc/log-destination/credentials/password",
  },
};

const Queue = z.looseObject({ batch: z.looseObject({ max_size: z.number() }) });

describe("the OpenTelemetry Collector's outputs", () => {
  it("sends bodies as documents to Elasticsearch, each with its own index and id", () => {
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

  it("gives up no request within a day, since Elasticsearch's exporter counts retries into its timeout", () => {
    const { exporter } = render();
    assert.equal(exporter.timeout, "24h");
    assert.deepEqual(exporter.retry, {
      enabled: true,
      max_retries: 1_000_000_000,
      initial_interval: "500ms",
      max_interval: "10s",
      // A redirect or a changed password concerns no document; 403 and 404 may.
      retry_on_status: [301, 302, 307, 308, 401, 408, 425, 429, 500, 502, 503, 504],
    });
  });

  it("has room in a batch for the longest record, since a longer one takes what follows it along", () => {
    const limits = (destination: object) => {
      const { exporter, statements, text } = render({ destination });
      const { sending_queue } = z.looseObject({ sending_queue: Queue }).parse(exporter);
      const parts = [...text.matchAll(/max_log_size: (\w+)/g)].map(([, size]) => size);
      const fields = statements.filter((statement) => statement.startsWith('delete_key(log.body, "fields")'));
      return [sending_queue.batch.max_size, parts, fields.map((statement) => statement.replace(/.* > /, ""))];
    };
    // Of a line, its parts together, which may exceed the limit by one of 16 KiB, and a stack trace.
    const parts = ["2MiB", "3MiB", "3MiB", "512KiB"];
    assert.deepEqual(limits(elasticsearch), [12_000_000, parts, []]);
    assert.deepEqual(limits({ kind: "s3" }), [25_000_000, parts, []]);
    assert.deepEqual(limits({ kind: "loki", url: "http://loki.test" }), [4_000_000, parts, ["1100000"]]);
    assert.deepEqual(limits({ kind: "cloudwatch" }), [4_000_000, parts, ["100000"]]);
    assert.deepEqual(
      render({ destination: { kind: "loki", url: "http://loki.test" }, parseJson: false }).statements.filter((one) =>
        one.startsWith("delete_key(log.body"),
      ),
      [],
    );
  });

  it("reads CA certificate and credentials from files", () => {
    const { exporter, extensions, service, text } = render({
      destination: { ...elasticsearch, credentials, tls: { verify: false, caSecretName: "search-ca" } },
    });
    assert.deepEqual(exporter.tls, { insecure_skip_verify: true, ca_file: "/etc/log-destination/ca.crt" });
    assert.deepEqual(exporter.auth, { authenticator: "basicauth/destination" });
    assert.deepEqual(extensions["basicauth/destination"], BASIC_AUTH);
    assert.ok(service.extensions.includes("basicauth/destination"));
    assert.doesNotMatch(text, /log-writer/);
    assert.equal(render({ destination: { ...elasticsearch, tls: false } }).exporter.tls, undefined);
  });

  it("sends a token from its file, after its scheme", () => {
    const token = { secretName: "writer", scheme: "ApiKey" };
    const { exporter, extensions, service } = render({ destination: { ...elasticsearch, token } });
    assert.deepEqual(exporter.auth, { authenticator: "bearertokenauth/destination" });
    assert.deepEqual(extensions["bearertokenauth/destination"], {
      scheme: "ApiKey",
      filename: "/etc/log-destination/credentials/token",
    });
    assert.ok(service.extensions.includes("bearertokenauth/destination"));
    const loki = { kind: "loki", url: "https://loki", token: { secretName: "writer" } };
    assert.deepEqual(Object(render({ destination: loki }).extensions["bearertokenauth/destination"]).scheme, "Bearer");
  });

  it("includes the line's time in an id, since offsets repeat after a rotation", () => {
    const { statements } = render();
    const id = statements.find((statement) => statement.includes('["elasticsearch.document_id"]')) ?? "";
    assert.match(
      id,
      /k8s\.pod\.uid.*k8s\.container\.name.*, log\.time_unix_nano, log\.attributes\["log\.file\.record_offset"\]/,
    );
  });

  it("sends to CloudWatch Logs, one stream per container", () => {
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

  it("moves the time of events that CloudWatch refuses, after the record has it", () => {
    const moved = (destination: object) =>
      render({ destination }).statements.filter((statement) => statement.startsWith("set(log.time, Now())"));
    const refused = 'where log.time < Now() - Duration("240h") or log.time > Now() + Duration("1h")';
    assert.deepEqual(moved({ kind: "cloudwatch" }), [`set(log.time, Now()) ${refused}`]);
    assert.deepEqual(moved({ kind: "s3" }), []);
    const { statements } = render({ destination: { kind: "cloudwatch" } });
    const record = statements.indexOf('set(log.body, log.cache["record"])');
    assert.ok(
      record >= 0 && record < statements.findIndex((statement) => statement.startsWith("set(log.time, Now())")),
    );
  });

  it("sends to S3 as lines", () => {
    const { name, exporter } = render({ destination: { kind: "s3", prefix: "pods" } });
    assert.equal(name, "awss3");
    assert.equal(exporter.marshaler, "body");
    const { s3_bucket, s3_prefix, compression } = Options.parse(exporter.s3uploader);
    assert.deepEqual([s3_bucket, s3_prefix, compression], ["dev-logs-eu-central-1", "pods", "gzip"]);
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
    assert.deepEqual(extensions["basicauth/destination"], BASIC_AUTH);
    assert.ok(service.extensions.includes("basicauth/destination"));
  });

  it("sends to the base URL of an OTLP server, also below a path", () => {
    const endpoint = (url: string) => render({ destination: { kind: "otlp", url } }).exporter.endpoint;
    assert.deepEqual(
      ["https://otel.example.com:4318/", "https://example.com/api/v2/otlp/", "https://example.com/a$b"].map(endpoint),
      ["https://otel.example.com:4318", "https://example.com/api/v2/otlp", "https://example.com/a$$b"],
    );
  });

  it("rejects other destinations with a reason", () => {
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

  it("keeps unsent lines on disk, up to half of the buffer, and retries indefinitely", () => {
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
    assert.deepEqual(
      Options.parse(render().exporter.retry).retry_on_status,
      [301, 302, 307, 308, 401, 408, 425, 429, 500, 502, 503, 504],
    );
  });

  it("supports the index names of every accepted format", () => {
    fc.assert(
      fc.property(anyFormat, fc.constantFrom(undefined, "application" as const), (index, source) => {
        fc.pre(unsupported({ index }).length === 0);
        const { statements } = render({ index }, source);
        const named = statements.find((statement) => statement.startsWith('set(log.attributes["elasticsearch.index"]'));
        const split = index.splitBy === "none" ? "" : ', resource.attributes["split"]';
        assert.ok(named?.includes(`Concat(["${index.prefix}"${split}, FormatTime(log.time, "`), named);
        assert.ok(named?.endsWith(`")], "${index.separator}"))`), named);
      }),
      { numRuns: 50 },
    );
  });
});
