import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { z } from "zod";
import { notation } from "../../../../../components/logging/indexing/index-format.ts";
import { anyFormat } from "../../arbitraries.ts";
import { credentials, DESTINATIONS } from "../pipelines.ts";
import { render } from "./rendered.ts";

describe("Vector's outputs", () => {
  it("buffers on disk within the buffer's size, retries indefinitely, and stops reading when it is full", () => {
    for (const destination of DESTINATIONS) {
      const { output } = render({ destination, buffer: { size: "3Gi" } });
      assert.deepEqual(output.buffer, [{ type: "disk", max_size: 3 * 2 ** 30, when_full: "block" }]);
      if (output.type === "console" || output.type === "file") continue;
      assert.deepEqual(output.request, { retry_attempts: Number.MAX_SAFE_INTEGER, retry_max_duration_secs: 30 });
    }
  });

  it("sends what OpenSearch and Elasticsearch accept, with ids, and resends temporarily rejected documents", () => {
    for (const destination of [
      { kind: "opensearch", host: "h" },
      { kind: "elasticsearch", host: "h" },
    ]) {
      const { output, program } = render({ destination });
      assert.equal(output.type, "elasticsearch");
      assert.deepEqual(output.endpoints, ["https://h:9200"]);
      assert.equal(output.api_version, "v8");
      assert.equal(output.mode, "bulk");
      assert.equal(output.request_retry_partial, true);
      assert.equal(output.id_key, "_id");
      assert.match(program, /\._id = sha1\(/);
    }
    const { output } = render({ destination: { kind: "opensearch", inCluster: true } });
    assert.deepEqual(output.endpoints, ["http://opensearch.logging.svc.cluster.local:9200"]);
    assert.doesNotMatch(render().program, /_id/);
  });

  it("signs requests for the ARN's service and region; collections get no ids, which time series reject", () => {
    const signed = (arn: string) =>
      render({ destination: { kind: "opensearch", host: "h", port: 443, sigv4: { arn } } }).output;
    const domain = signed("arn:aws:es:eu-west-1:111122223333:domain/logs");
    assert.deepEqual(
      [domain.auth, domain.aws, domain.healthcheck, domain.api_version, domain.id_key],
      [{ strategy: "aws" }, { region: "eu-west-1" }, { enabled: false }, "v8", "_id"],
    );
    const collection = signed("arn:aws:aoss:eu-west-1:111122223333:collection/abc");
    assert.deepEqual(
      [collection.opensearch_service_type, collection.api_version, collection.id_key, collection.encoding],
      ["serverless", "auto", undefined, { except_fields: ["_id"] }],
    );
  });

  it("sends a token from its file, with any characters", () => {
    const token = { secretName: "writer", scheme: "ApiKey" };
    const { output, text } = render({ destination: { kind: "elasticsearch", host: "h", token } });
    assert.deepEqual(output.request, {
      retry_attempts: Number.MAX_SAFE_INTEGER,
      retry_max_duration_secs: 30,
      headers: { Authorization: "ApiKey SECRET[credentials.token]" },
    });
    assert.match(text, /Authorization: \|-\n +ApiKey SECRET/);
    const loki = render({ destination: { kind: "loki", url: "https://h", token: { secretName: "writer" } } });
    assert.deepEqual(loki.output.auth, { strategy: "bearer", token: "SECRET[credentials.token]" });
    assert.match(loki.text, /path: \/etc\/log-destination\/credentials/);
  });

  it("keeps what an HTTP server or S3 rejects for reasons other than content, and drops the rest", () => {
    const { retry_strategy: byHttp } = render({ destination: { kind: "http", url: "https://h/in" } }).output;
    const { status_codes: again } = z
      .strictObject({ type: z.literal("custom"), status_codes: z.array(z.int()) })
      .parse(byHttp);
    for (const status of [302, 401, 403, 404, 408, 425, 429, 500, 501, 503]) assert.ok(again.includes(status));
    for (const status of [200, 400, 406, 409, 411, 413, 415, 422]) assert.ok(!again.includes(status));
    assert.deepEqual(render({ destination: { kind: "s3" } }).output.retry_strategy, { type: "all" });
  });

  it("names the index by the settings, in any time zone", () => {
    const destination = { kind: "opensearch", host: "h" };
    const index = { prefix: "pods", separator: "_", datePattern: "xxxx.ww", timeZone: "Europe/Madrid", splitBy: "app" };
    const { output, constants } = render({ destination, index });
    assert.deepEqual(output.bulk, { action: "index", index: "pods_{{ %index }}" });
    const { split_by, separator, date_format, time_zone } = constants;
    assert.deepEqual([split_by, separator, date_format, time_zone], ["app", "_", "%G.%V", "Europe/Madrid"]);
    const sidecar = render({ destination, index }, "application");
    assert.deepEqual(sidecar.output.bulk, { action: "index", index: "pods_curl-ts_{{ %index }}" });
    assert.deepEqual([sidecar.constants.split, sidecar.constants.split_by], ["", undefined]);
  });

  it("supports every part of any index format", () => {
    fc.assert(
      fc.property(anyFormat, (index) => {
        const { output, program, constants } = render({ destination: { kind: "opensearch", host: "h" }, index });
        assert.deepEqual(output.bulk, { action: "index", index: `${index.prefix}${index.separator}{{ %index }}` });
        assert.equal(constants.date_format, notation(index.datePattern, "strftime"));
        assert.equal(constants.time_zone, index.timeZone);
        const splits = index.splitBy !== "none";
        assert.deepEqual([constants.split, constants.split_by], splits ? [undefined, index.splitBy] : ["", undefined]);
        assert.equal(program.includes("split = truncate("), splits);
      }),
    );
  });

  it("reads user and password from files, without YAML interpreting them", () => {
    const destination = { kind: "opensearch", host: "h", credentials, tls: { caSecretName: "ca" } };
    const { configuration, output, text, args } = render({ destination });
    assert.deepEqual(configuration.secret, {
      credentials: { type: "directory", path: "/etc/log-destination/credentials" },
    });
    const [user, password] = ["SECRET[credentials.username]", "SECRET[credentials.password]"];
    assert.deepEqual(output.auth, { strategy: "basic", user, password });
    const odd = text.replaceAll(password, " 'p\": #%{$x} ");
    assert.deepEqual(
      z.looseObject({ sinks: z.looseObject({ destination: z.looseObject({}) }) }).parse(parse(odd)).sinks.destination
        .auth,
      { strategy: "basic", user, password: " 'p\": #%{$x} " },
    );
    assert.ok(!args.join(" ").includes("env-var"));
    assert.ok(!text.includes("log-writer"));
    assert.deepEqual(output.tls, {
      verify_certificate: true,
      verify_hostname: true,
      ca_file: "/etc/log-destination/ca.crt",
    });
    assert.equal(render().configuration.secret, undefined);
  });

  it("verifies certificates unless disabled", () => {
    const of = (tls: object | false) => render({ destination: { kind: "opensearch", host: "h", tls } }).output.tls;
    assert.deepEqual(of({}), { verify_certificate: true, verify_hostname: true });
    assert.deepEqual(of({ verify: false }), { verify_certificate: false, verify_hostname: false });
    assert.equal(of(false), undefined);
  });

  it("writes to each of the other destinations as Fluent Bit does", () => {
    const to = (destination: object) => render({ destination }).output;
    assert.deepEqual([to({ kind: "stdout" }).target, to({ kind: "stdout" }).encoding], ["stdout", { codec: "json" }]);
    assert.equal(to({ kind: "file", path: "/var/log/all" }).path, "/var/log/all/pods.log");
    const cloudwatch = to({ kind: "cloudwatch" });
    assert.equal(cloudwatch.group_name, "/eks-dns-logging/dev/pods");
    assert.equal(cloudwatch.create_missing_group, false);
    assert.equal(to({ kind: "s3", prefix: "a" }).key_prefix, "a/%Y/%m/%d/%H/");
    assert.equal(to({ kind: "s3" }).bucket, "dev-logs-eu-central-1");
    const loki = to({ kind: "loki", url: "http://loki:3100", tenant: "one" });
    assert.equal(loki.endpoint, "http://loki:3100");
    assert.equal(loki.tenant_id, "one");
    assert.deepEqual(Object.keys(z.record(z.string(), z.string()).parse(loki.labels)), [
      "job",
      "namespace",
      "pod",
      "container",
      "stream",
      // Those of the team, where a line has one.
      "*",
    ]);
  });
});
