import assert from "node:assert/strict";
import { credentials } from "../pipelines.ts";
import { DESTINATIONS, render } from "./rendered.ts";

describe("Fluentd's outputs", () => {
  it("buffer on disk within the buffer's size, and retry indefinitely", () => {
    for (const destination of DESTINATIONS) {
      const { buffer } = render({ destination, buffer: { size: "3Gi" } });
      assert.equal(buffer?.options["@type"], "pod_file");
      assert.equal(buffer?.options.path, "/var/lib/fluentd/buffer");
      assert.equal(buffer?.options.total_limit_size, String(3 * 2 ** 30));
      assert.deepEqual([buffer?.options.file_permission, buffer?.options.dir_permission], ["0600", "0700"]);
      assert.equal(buffer?.options.retry_forever, "true");
      assert.equal(buffer?.options.retry_max_interval, "30s");
      assert.equal(buffer?.options.overflow_action, "drop_oldest_chunk");
    }
    assert.equal(render({ buffer: { whenFull: "block" } }).buffer?.options.overflow_action, "block");
    // Its volume holds the read positions too.
    const { buffer } = render({ buffer: { size: "3Gi" } }, "application");
    assert.equal(buffer?.options.total_limit_size, String(3 * 2 ** 30 - 32 * 2 ** 20));
  });

  it("send to OpenSearch and Elasticsearch with ids, and resend temporarily rejected documents", () => {
    const search = render({ destination: { kind: "opensearch", inCluster: true } }).output?.options ?? {};
    assert.equal(search.host, "opensearch.logging.svc.cluster.local");
    assert.equal(search.scheme, "http");
    const secure = { host: "search.example.com", credentials, tls: { caSecretName: "ca" } };
    for (const kind of ["opensearch", "elasticsearch"]) {
      const { output, text } = render({ destination: { kind, ...secure } });
      const { options = {} } = output ?? {};
      assert.equal(options["@type"], kind);
      assert.equal(options.id_key, "_document_id");
      assert.equal(options.remove_keys, "_document_id");
      assert.equal(options.unrecoverable_error_types, '["out_of_memory_error"]');
      assert.equal(options.retry_tag, "again");
      assert.match(options.custom_headers ?? "", /'Basic ' \+ \[ENV\['LOG_USER'\] \+ ':' \+ ENV\['LOG_PASSWORD'\]\]/);
      assert.deepEqual(
        [options.scheme, options.ssl_verify, options.ca_file],
        ["https", "true", "/etc/log-destination/ca.crt"],
      );
      assert.ok(!text.includes("log-writer"));
    }
  });

  it("send search engines chunks that stay below 10 MiB as JSON, which may take half as many bytes more", () => {
    for (const kind of ["opensearch", "elasticsearch"]) {
      const { options = {} } = render({ destination: { kind, host: "h" } }).buffer ?? {};
      const largest = Number(options.chunk_limit_size) * Number(options.chunk_full_threshold);
      assert.ok(1.5 * largest < 10 * 2 ** 20, `${largest} bytes`);
      // A record of the longest line, with its fields, must still find room.
      assert.ok(Number(options.chunk_limit_size) > 2 * 3 * 2 ** 20);
    }
  });

  it("start without the search engine", () => {
    const options = (kind: string) => render({ destination: { kind, host: "h" } }).output?.options ?? {};
    assert.equal(options("opensearch").verify_os_version_at_startup, "false");
    assert.equal(options("elasticsearch").verify_es_version_at_startup, "false");
  });

  it("post JSON lines, and retry only temporary errors", () => {
    const url = "https://logs.example.com/ingest";
    const { output } = render({ destination: { kind: "http", url, credentials, verify: false } });
    assert.equal(output?.options.endpoint, url);
    assert.equal(output?.options.content_type, "application/x-ndjson");
    assert.equal(output?.options.retryable_response_codes, "301,302,307,308,401,408,425,429,500,502,503,504");
    assert.equal(output?.options.tls_verify_mode, "none");
    assert.deepEqual(
      output?.sections.find(({ name }) => name === "auth"),
      {
        name: "auth",
        of: "",
        options: { method: "basic", username: "#{ENV['LOG_USER']}", password: "#{ENV['LOG_PASSWORD']}" },
        sections: [],
      },
    );
  });

  it("write to the container's stream in CloudWatch Logs, and truncate lines over its limit", () => {
    const { output, record } = render({ destination: { kind: "cloudwatch" } });
    assert.equal(output?.options.log_group_name, "/eks-dns-logging/dev/pods");
    assert.equal(output?.options.log_stream_name_key, "_index");
    assert.equal(output?.options.region, "eu-central-1");
    assert.ok(Number(output?.options.max_message_length) * 4 + 26 <= 2 ** 20);
    assert.equal(output?.options.put_log_events_disable_retry_limit, "true");
    assert.equal(record.stream, "true");
    assert.equal(render().record.stream, undefined);
  });

  it("write objects without reading the bucket, under keys that a retry repeats", () => {
    const { output, buffer } = render({ destination: { kind: "s3", prefix: "a" } });
    assert.equal(output?.options.s3_bucket, "dev-logs-eu-central-1");
    assert.equal(output?.options.path, "a/%Y/%m/%d/%H/");
    for (const asks of ["check_apikey_on_start", "check_bucket", "auto_create_bucket", "check_object"])
      assert.equal(output?.options[asks], "false");
    assert.match(output?.options.s3_object_key_format ?? "", /%\{hex_random\}/);
    assert.deepEqual([buffer?.of, buffer?.options.timekey, buffer?.options.timekey_use_utc], ["time", "1h", "true"]);
    // Two at once are compressed in /tmp, which has 64Mi.
    assert.ok(Number(buffer?.options.chunk_limit_size) * 2 < 64 * 2 ** 20);
  });
});
