import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { fluentBit } from "../../../components/logging/collectors/fluent-bit.ts";
import { logPipeline } from "../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";

const Section = z.record(z.string(), z.union([z.string(), z.number()]));
const Configuration = z.strictObject({
  service: Section,
  parsers: z.array(Section),
  pipeline: z.strictObject({ inputs: z.array(Section), filters: z.array(Section), outputs: z.array(Section) }),
});
const Names = z.array(z.string());
const Options = z.object({
  service: Names,
  inputs: z.record(z.string(), Names),
  filters: z.record(z.string(), Names),
  outputs: z.record(z.string(), Names),
});
/** Every option that Fluent Bit documents for the plugins that are rendered. */
const documented = Options.parse(
  JSON.parse(readFileSync(new URL("./fluent-bit-options.json", import.meta.url), "utf8")),
);

function render(settings: object) {
  const pipeline = logPipeline(LoggingSettings.parse(settings), {
    cluster: "dev",
    region: "eu-central-1",
    bucket: "dev-logs",
  });
  const { files } = fluentBit.render(pipeline);
  const configuration = Configuration.parse(parse(files["fluent-bit.yaml"] ?? ""));
  const [input = {}] = configuration.pipeline.inputs;
  const [output = {}] = configuration.pipeline.outputs;
  const filter = (name: string) => configuration.pipeline.filters.find((section) => section.name === name);
  return { files, configuration, input, output, filter };
}

const credentials = { secretName: "log-writer" };
const DESTINATIONS: readonly object[] = [
  { kind: "stdout" },
  { kind: "file" },
  { kind: "http", url: "https://logs.example.com:8443/ingest?a=1", credentials },
  { kind: "opensearch", host: "search.example.com", credentials, tls: { caSecretName: "search-ca" } },
  { kind: "opensearch", inCluster: true },
  { kind: "elasticsearch", host: "10.0.0.5", tls: false },
  { kind: "cloudwatch" },
  { kind: "s3" },
  { kind: "loki", url: "http://loki.monitoring.svc:3100", tenant: "one" },
];

describe("Fluent Bit's configuration", () => {
  for (const destination of DESTINATIONS) {
    for (const splitBy of ["none", "team", "namespace", "app"]) {
      it(`has no option that Fluent Bit does not document: ${JSON.stringify(destination)}, split by ${splitBy}`, () => {
        const { configuration } = render({ destination, index: { splitBy }, labels: { app: "web" } });
        const check = (kind: "inputs" | "filters" | "outputs") => {
          for (const { name, ...options } of configuration.pipeline[kind]) {
            for (const option of Object.keys(options)) {
              assert.ok(documented[kind][String(name)]?.includes(option), `${kind} ${name}: ${option}`);
            }
          }
        };
        for (const option of Object.keys(configuration.service)) assert.ok(documented.service.includes(option), option);
        check("inputs");
        check("filters");
        check("outputs");
      });
    }
  }

  it("buffers on disk, keeps its places and sees a new file within a second", () => {
    const { input, configuration } = render({});
    assert.equal(input["storage.type"], "filesystem");
    assert.equal(input.db, "/var/lib/fluent-bit/positions.db");
    assert.equal(configuration.service["storage.path"], "/var/lib/fluent-bit/buffer");
    assert.equal(input.refresh_interval, 1);
    assert.equal(input.read_from_head, "on");
    assert.equal(input.buffer_chunk_size, "256k");
    assert.equal(input.threaded, "off");
    assert.equal(input["multiline.parser"], "cri");
  });

  it("reads what was rotated away while it was stopped, and watches it until the kubelet deletes it", () => {
    const { input } = render({});
    assert.equal(input.path, "/var/log/pods/*_*/*/*.log,/var/log/pods/*_*/*/*.log.20??????-??????");
    // Forgotten earlier, a rotated file would be taken for a new one and read again.
    assert.ok(Number(input.rotate_wait) >= 86_400);
  });

  it("takes namespace, pod and container from the file's place", () => {
    const { input, configuration, filter } = render({});
    const tag = new RegExp(String(input.tag_regex)).exec("/var/log/pods/ts-team_curl-ts_72bef1b5-8a16/responder/0.log");
    assert.deepEqual({ ...tag?.groups }, { namespace: "ts-team", pod: "curl-ts", container: "responder" });
    const parser = configuration.parsers.find(({ name }) => name === filter("kubernetes")?.regex_parser);
    const made = new RegExp(String(parser?.regex)).exec("ts-team_curl-ts_responder");
    assert.deepEqual(
      { ...made?.groups },
      { namespace_name: "ts-team", pod_name: "curl-ts", container_name: "responder" },
    );
    assert.equal(input.tag, "kube.<namespace>_<pod>_<container>");
  });

  it("retries for ever within the buffer's size, but in bounds where a refusal looks like an outage", () => {
    for (const destination of [
      { kind: "http", url: "http://h" },
      { kind: "loki", url: "http://h" },
      { kind: "cloudwatch" },
    ]) {
      assert.equal(render({ destination }).output.retry_limit, "no_limits");
    }
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

  it("never reads its own namespace", () => {
    const own = "/var/log/pods/logging_*/*/*.log,/var/log/pods/logging_*/*/*.log.20??????-??????";
    assert.equal(render({}).input.exclude_path, own);
    const { input } = render({ namespaces: { include: ["ts-team", "sa-team"], exclude: ["kube-system"] } });
    assert.deepEqual(String(input.path).split(","), [
      "/var/log/pods/sa-team_*/*/*.log",
      "/var/log/pods/sa-team_*/*/*.log.20??????-??????",
      "/var/log/pods/ts-team_*/*/*.log",
      "/var/log/pods/ts-team_*/*/*.log.20??????-??????",
    ]);
    assert.ok(String(input.exclude_path).startsWith("/var/log/pods/kube-system_*/*/*.log,"));
    assert.ok(String(input.exclude_path).endsWith(own));
  });

  it("names the index as the settings say, in strftime's notation", () => {
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

  it("takes the prefix from a key that a script writes where indices are split", () => {
    const { output, files, filter } = render({
      destination: { kind: "opensearch", host: "h" },
      index: { splitBy: "app" },
    });
    assert.equal(output.logstash_prefix_key, "$index_prefix");
    assert.equal(filter("lua")?.call, "index_prefix");
    assert.match(
      files["index.lua"] ?? "",
      /local value = labels\["app.kubernetes.io\/name"\] or labels\["app"\] or "none"/,
    );
    assert.match(files["index.lua"] ?? "", /record\["index_prefix"\] = "logs-" \.\. value/);
  });

  it("sends what OpenSearch and Elasticsearch take since their last major versions, and nothing twice", () => {
    for (const destination of [
      { kind: "opensearch", host: "h" },
      { kind: "elasticsearch", host: "h" },
    ]) {
      const { output } = render({ destination });
      assert.equal(output.suppress_type_name, "on");
      assert.equal(output.replace_dots, "on");
      assert.equal(output.generate_id, "on");
      assert.equal(output.buffer_size, "4M");
      assert.equal(output.time_key_nanos, "on");
      // Compression takes the CPU that reading needs: measured, it lost lines at 40 MB/s.
      assert.equal(output.compress, undefined);
    }
  });

  it("verifies certificates unless told not to, and takes user and password from the environment", () => {
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

  it("joins stack traces by the languages' own rules, and JavaScript's by Java's", () => {
    assert.equal(render({}).filter("multiline")?.["multiline.parser"], "go,java,python");
    assert.equal(render({ multiline: ["node"] }).filter("multiline")?.["multiline.parser"], "java");
    assert.equal(render({ multiline: [] }).filter("multiline"), undefined);
  });

  it("reads pods from the API server, and so needs no right on nodes/proxy", () => {
    assert.equal(render({}).filter("kubernetes")?.use_kubelet, undefined);
    assert.deepEqual(fluentBit.apiRules, [
      { apiGroups: [""], resources: ["namespaces", "pods"], verbs: ["get", "list", "watch"] },
    ]);
  });

  it("takes labels to choose pods by letter, not as a pattern", () => {
    assert.equal(render({ labels: { app: "a.b" } }).filter("grep")?.regex, "$kubernetes['labels']['app'] ^a\\.b$");
  });

  it("says that it begins a day in UTC alone", () => {
    const of = (settings: object) =>
      fluentBit.unsupported(logPipeline(LoggingSettings.parse(settings), { cluster: "", region: undefined }));
    const index = { timeZone: "Europe/Madrid" };
    assert.deepEqual(of({ destination: { kind: "opensearch", host: "h" }, index }), [
      { path: ["index", "timeZone"], message: "UTC, since Fluent Bit begins a day there", value: "Europe/Madrid" },
    ]);
    assert.deepEqual(of({ index }), []);
  });
});
