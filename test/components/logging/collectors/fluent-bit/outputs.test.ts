import assert from "node:assert/strict";
import { parse } from "yaml";
import { fluentBit } from "../../../../../components/logging/collectors/fluent-bit/index.ts";
import { credentials, DESTINATIONS } from "../pipelines.ts";
import { pipelineOf, render } from "./rendered.ts";

describe("Fluent Bit's outputs", () => {
  it("retries indefinitely within the buffer's size, but with a limit if rejections look like outages", () => {
    for (const destination of [
      { kind: "http", url: "http://h" },
      { kind: "loki", url: "http://h" },
      { kind: "cloudwatch" },
    ]) {
      assert.equal(render({ destination }).output.retry_limit, "no_limits");
    }
    // Its output takes "no_limits" for five.
    assert.equal(render({ destination: { kind: "s3" } }).output.retry_limit, 1_000_000);
    for (const kind of ["opensearch", "elasticsearch"]) {
      assert.equal(render({ destination: { kind, host: "h" } }).output.retry_limit, 50);
    }
    // A container that writes what is always refused has a chunk each second under way, and Fluent Bit has room for 16,384.
    const { configuration } = render({});
    const waits = Array.from(
      { length: 50 },
      (_, n) => 1 + (1 + Math.min(Number(configuration.service["scheduler.cap"]), 2 ** (n + 1))) / 2,
    );
    const seconds = waits.reduce((sum, wait) => sum + wait, 0);
    assert.ok(seconds > 3.4 * 3600 && seconds < 16_384, `${seconds} s`);
    assert.equal(configuration.service["storage.keep.rejected"], undefined);
  });

  it("drops the oldest or stops reading when the buffer is full", () => {
    const dropping = render({ buffer: { size: "3Gi" } });
    assert.equal(dropping.output["storage.total_limit_size"], 3 * 2 ** 30);
    assert.equal(dropping.input["storage.pause_on_chunks_overlimit"], undefined);
    assert.equal(dropping.configuration.service["storage.max_chunks_up"], 64);
    const blocking = render({ buffer: { size: "64Mi", whenFull: "block" } });
    assert.equal(blocking.output["storage.total_limit_size"], undefined);
    assert.equal(blocking.input["storage.pause_on_chunks_overlimit"], "on");
    assert.equal(blocking.configuration.service["storage.max_chunks_up"], 32);
    const large = render({ buffer: { size: "4Gi", whenFull: "block" } });
    assert.equal(large.configuration.service["storage.max_chunks_up"], 64);
  });

  it("keeps both buffers of S3 together within the buffer's size", () => {
    const { output } = render({ destination: { kind: "s3" }, buffer: { size: "2Gi" } });
    assert.deepEqual([output.store_dir_limit_size, output["storage.total_limit_size"]], [2 ** 30, 2 ** 30]);
  });

  it("writes whole files to S3, creates no log group, and leaves refused records to Firehose's own retries", () => {
    const of = (destination: object, ...options: readonly string[]) => {
      const { output } = render({ destination });
      return options.map((option) => output[option]);
    };
    assert.deepEqual(of({ kind: "s3" }, "use_put_object", "store_dir"), ["on", "/var/lib/fluent-bit/s3"]);
    assert.deepEqual(of({ kind: "cloudwatch" }, "auto_create_group"), ["off"]);
    assert.deepEqual(of({ kind: "firehose", stream: "lines" }, "delivery_stream", "auto_retry_requests"), [
      "lines",
      "on",
    ]);
    const url = "http://otel.example.com:4317";
    const protocol = ["grpc", "logs_uri", "compress"];
    assert.deepEqual(of({ kind: "otlp", url, protocol: "grpc" }, ...protocol), ["on", undefined, undefined]);
    assert.deepEqual(of({ kind: "otlp", url }, ...protocol), [undefined, "/v1/logs", "gzip"]);
    assert.deepEqual(of({ kind: "otlp", url: "http://otlp.example.com/otlp/" }, "uri", "logs_uri", "port"), [
      undefined,
      "/otlp/v1/logs",
      80,
    ]);
    // A chunk of 2 MB has fewer records, so that it is one request.
    for (const kind of ["http", "grpc"])
      assert.deepEqual(of({ kind: "otlp", url, protocol: kind }, "batch_size"), [100_000]);
    const loki = { kind: "loki", url: "http://loki.monitoring.svc:3100" };
    assert.deepEqual([of({ ...loki, tenant: "one" }, "tenant_id"), of(loki, "tenant_id")], [["one"], [undefined]]);
  });

  it("signs requests for the ARN's service and region; collections get no ids, which time series reject", () => {
    const signed = (arn: string, index = {}) =>
      render({ destination: { kind: "opensearch", host: "h", port: 443, sigv4: { arn } }, index }).output;
    const domain = signed("arn:aws:es:eu-west-1:111122223333:domain/logs");
    assert.deepEqual(
      [domain.aws_auth, domain.aws_region, domain.aws_service_name, domain.generate_id, domain.tls],
      ["on", "eu-west-1", "es", "on", "on"],
    );
    const collection = signed("arn:aws:aoss:eu-west-1:111122223333:collection/abc", { splitBy: "app" });
    assert.deepEqual(
      [collection.aws_auth, collection.aws_service_name, collection.generate_id, collection.id_key],
      ["on", "aoss", undefined, undefined],
    );
    assert.equal(render({ destination: { kind: "opensearch", host: "h" } }).output.aws_auth, undefined);
  });

  it("names the index by the settings, in strftime's notation", () => {
    const { output } = render({
      destination: { kind: "opensearch", host: "h" },
      index: { prefix: "pods", separator: "_", datePattern: "xxxx.ww" },
    });
    assert.equal(output.logstash_format, "on");
    assert.equal(output.logstash_prefix, "pods");
    assert.equal(output.logstash_prefix_separator, "_");
    assert.equal(output.logstash_dateformat, "%G.%V");
    assert.equal(output.logstash_prefix_key, undefined);
  });

  it("reads the value that indices are split by from the record, without a script if possible", () => {
    const split = (splitBy: string) =>
      render({ destination: { kind: "opensearch", host: "h" }, index: { splitBy, prefix: "a.b", separator: "_" } });
    const namespace = split("namespace");
    assert.equal(namespace.output.logstash_prefix_key, "$TAG[999]a.b_$kubernetes['namespace_name']");
    const team = split("team");
    assert.equal(team.output.logstash_prefix_key, "$TAG[999]a.b_$index_split");
    const parser = new RegExp(String(team.configuration.parsers.find(({ name }) => name === "team")?.regex));
    assert.deepEqual({ ...parser.exec("ts-team")?.groups }, { team: "ts", index_split: "ts" });
    assert.equal(parser.exec("team"), null);
    assert.equal(team.filter("modify")?.condition, "Key_does_not_exist index_split");
    assert.equal(team.filter("modify")?.add, "index_split none");
    for (const { files, output } of [namespace, team]) {
      assert.deepEqual(Object.keys(files), ["fluent-bit.yaml"]);
      assert.equal(output.generate_id, "on");
    }
  });

  it("finds an app with a script, and then sets its own ids, since Lua keeps no order of keys", () => {
    const { output, files, filter } = render({
      destination: { kind: "opensearch", host: "h" },
      index: { splitBy: "app" },
    });
    assert.equal(output.logstash_prefix_key, "$TAG[999]logs-$index_split");
    assert.deepEqual([output.id_key, output.generate_id], ["line_id", undefined]);
    assert.equal(filter("lua")?.call, "app_of_record");
    assert.deepEqual(Object.keys(files), ["fluent-bit.yaml", "index.lua"]);
  });

  it("sends what OpenSearch and Elasticsearch accept since their last major versions, without duplicates", () => {
    for (const destination of [
      { kind: "opensearch", host: "h" },
      { kind: "elasticsearch", host: "h" },
    ]) {
      const { output } = render({ destination });
      assert.equal(output.suppress_type_name, "on");
      assert.equal(output.replace_dots, "on");
      assert.equal(output.generate_id, "on");
      assert.equal(output.buffer_size, "16M");
      assert.equal(output.time_key_nanos, "on");
      // Compression takes the CPU that reading needs: measured, it lost lines at 40 MB/s.
      assert.equal(output.compress, undefined);
    }
  });

  it("requests an answer with each document's status and error, unless requests are signed", () => {
    const at = (destination: object) => String(render({ destination }).output.path ?? "");
    for (const kind of ["opensearch", "elasticsearch"]) {
      // As the output makes it.
      const url = new URL(`${at({ kind, host: "h" })}/_bulk`, "http://h");
      assert.equal(url.pathname, "/_bulk");
      const wanted = url.searchParams.get("filter_path")?.split(",");
      assert.deepEqual(wanted?.slice(0, 2), ["errors", "items.*.status"]);
    }
    for (const arn of [
      "arn:aws:es:eu-west-1:111122223333:domain/logs",
      "arn:aws:aoss:eu-west-1:111122223333:collection/07tjusf2h91cunochc",
    ])
      assert.equal(at({ kind: "opensearch", host: "h", sigv4: { arn } }), "");
  });

  it("sends to Elasticsearch with the output that loses no part of a bulk", () => {
    const at = (kind: string) => render({ destination: { kind, host: "h", credentials } }).output;
    assert.equal(at("elasticsearch").name, "opensearch");
    assert.deepEqual(at("elasticsearch"), at("opensearch"));
  });

  it("sends in one thread to each of several destinations, to leave cores for the others", () => {
    const destinations = {
      search: { kind: "opensearch", host: "h" },
      web: { kind: "http", url: "https://example.com" },
      events: { kind: "splunk", url: "https://example.com", token: { secretName: "splunk" } },
      archive: { kind: "s3", bucket: "acme-logs" },
    };
    const { files } = render({ destinations });
    const threads = Object.keys(destinations).map((name) => {
      const { pipeline, service } = parse(files[`sender-${name}.yaml`] ?? "");
      // The reader has waited for a second already.
      assert.equal(service.flush, 0.2);
      return pipeline.outputs.map((output: { name: string; workers?: number }) => [output.name, output.workers]);
    });
    // The output for S3 has one thread in any case.
    assert.deepEqual(threads, [[["opensearch", 1]], [["http", 1]], [["splunk", 1]], [["s3", undefined]]]);
    const only = render({ destination: destinations.search });
    assert.deepEqual([only.output.workers, only.configuration.service.flush], [2, 1]);
  });

  it("has a timeout for answers over the network", () => {
    for (const destination of DESTINATIONS) {
      const remote = destination.kind !== "stdout" && destination.kind !== "file";
      assert.equal(render({ destination }).output["net.io_timeout"], remote ? "90s" : undefined);
    }
  });

  it("removes the brackets of IPv6 addresses", () => {
    for (const kind of ["http", "loki"]) {
      const { output } = render({ destination: { kind, url: "http://[2001:db8::1]:3100" } });
      assert.deepEqual([output.host, output.port], ["2001:db8::1", 3100]);
    }
  });

  it("verifies certificates unless disabled, and reads user and password from the environment", () => {
    const { output, files } = render({
      destination: { kind: "opensearch", host: "h", credentials, tls: { caSecretName: "ca" } },
    });
    assert.equal(output.tls, "on");
    assert.equal(output["tls.verify"], "on");
    assert.equal(output["tls.ca_file"], "/etc/log-destination/ca.crt");
    assert.equal(output.http_passwd, `\${LOG_PASSWORD}`);
    assert.ok(!Object.values(files).join().includes("log-writer"));
    assert.equal(
      render({ destination: { kind: "opensearch", host: "h", tls: { verify: false } } }).output["tls.verify"],
      "off",
    );
    assert.equal(render({ destination: { kind: "elasticsearch", host: "h", tls: false } }).output.tls, undefined);
  });

  it("reports that it dates indices in UTC only", () => {
    const of = (settings: object) => fluentBit.unsupported(pipelineOf(settings));
    const index = { timeZone: "Europe/Madrid" };
    assert.deepEqual(of({ destination: { kind: "opensearch", host: "h" }, index }), [
      {
        path: ["index", "timeZone"],
        message: "must be UTC with Fluent Bit, which dates indices in UTC",
        value: "Europe/Madrid",
      },
    ]);
    assert.deepEqual(of({ index }), []);
  });

  it("rejects a URL that contains a variable", () => {
    const of = (destination: object) => fluentBit.unsupported(pipelineOf({ destination }));
    const asVariable = `without '\${' with Fluent Bit, which reads it as a variable`;
    const url = `https://h/in?key=\${LOG_PASSWORD}`;
    assert.deepEqual(of({ kind: "http", url }), [
      { path: ["destination", "url"], message: `must be a URL ${asVariable}`, value: url },
    ]);
    assert.deepEqual(of({ kind: "http", url: "https://h/in?cost=$5" }), []);
  });

  it("sends a long JSON line without fields to OpenSearch, which would reject them", () => {
    const conditions = (settings: object) =>
      render(settings).configuration.pipeline.filters.flatMap(({ name, condition, remove }) =>
        name === "modify" && remove !== undefined ? [`${condition} ${remove}`] : [],
      );
    const [condition = "", ...more] = conditions({ destination: { kind: "opensearch", host: "h" } });
    assert.deepEqual(more, []);
    const pattern = /^key_value_matches log \\A\(\?m:(.*)\) fields$/.exec(condition);
    const tooLong = new RegExp(`^(?:${pattern?.[1]})`, "su");
    // A literal at its end, which refuses a short line unseen.
    assert.match(condition, /\.\*\\\}\) fields$/);
    assert.equal(tooLong.test(`{"a":"${"x".repeat(31_992)}"}`), false);
    assert.equal(tooLong.test(`{"a":"${"x".repeat(31_993)}"}`), true);
    assert.equal(tooLong.test(`{"a":"${"\u20ac".repeat(7991)}"}`), false);
    assert.equal(tooLong.test(`{"a":"${"\u20ac".repeat(7993)}"}`), true);
    assert.equal(tooLong.test("x".repeat(40_000)), false);
    assert.match(String(render({ destination: { kind: "cloudwatch" } }).filter("modify")?.condition), /\.\{100000\}/);
    assert.deepEqual(conditions({ destination: { kind: "elasticsearch", host: "h" } }), []);
    assert.deepEqual(conditions({ destination: { kind: "opensearch", host: "h" }, parseJson: false }), []);
  });
});
