import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { fluentBit } from "../../../components/logging/collectors/fluent-bit.ts";
import { logPipeline } from "../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";

const Section = z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())]));
const Joining = z
  .object({ name: z.string(), parser: z.string().optional(), rules: z.array(Section).optional() })
  .loose();
const Configuration = z.strictObject({
  service: Section,
  parsers: z.array(Section),
  multiline_parsers: z.array(Joining).default([]),
  pipeline: z.strictObject({ inputs: z.array(Section), filters: z.array(Section), outputs: z.array(Section) }),
});
const Names = z.array(z.string());
const Options = z.object({
  service: Names,
  parsers: Names,
  multiline_parsers: Names,
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
  const named = (name: string) => configuration.pipeline.filters.filter((section) => section.name === name);
  const filter = (name: string) => named(name).at(-1);
  const joining = (name: string) => configuration.multiline_parsers.find((parser) => parser.name === name);
  return { files, configuration, input, output, named, filter, joining };
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
        for (const kind of ["parsers", "multiline_parsers"] as const) {
          for (const option of configuration[kind].flatMap((section) => Object.keys(section))) {
            assert.ok(documented[kind].includes(option), `${kind}: ${option}`);
          }
        }
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
  });

  it("reads what was rotated away while it was stopped, and watches it until the kubelet deletes it", () => {
    const { input } = render({});
    assert.equal(input.path, "/var/log/pods/*_*/*/*.log,/var/log/pods/*_*/*/*.log.20??????-??????");
    // Forgotten earlier, a rotated file would be taken for a new one and read again.
    assert.ok(Number(input.rotate_wait) >= 86_400);
  });

  it("takes namespace, pod and container from the file's place, and tells pods of one name apart by their UID", () => {
    const { input, configuration, named } = render({});
    const place = "/var/log/pods/ts-team_curl-ts_72bef1b5-8a16/responder/0.log";
    const tag = new RegExp(String(input.tag_regex)).exec(place);
    const container = { namespace: "ts-team", pod: "curl-ts", uid: "72bef1b5-8a16", container: "responder" };
    assert.deepEqual({ ...tag?.groups }, container);
    assert.equal(input.tag, "kube.<namespace>_<pod>_<uid>_<container>");
    const [fromTag, fromApi] = named("kubernetes").map(({ regex_parser }) => {
      const parser = configuration.parsers.find(({ name }) => name === regex_parser);
      return { ...new RegExp(String(parser?.regex)).exec("ts-team_curl-ts_72bef1b5-8a16_responder")?.groups };
    });
    const names = { namespace_name: "ts-team", pod_name: "curl-ts", container_name: "responder" };
    assert.deepEqual(fromTag, names);
    assert.deepEqual(fromApi, { ...names, docker_id: "72bef1b5-8a16" });
  });

  it("knows a pod by the tag before it asks the API server, which may not know it any more", () => {
    const [fromTag, fromApi] = render({}).named("kubernetes");
    assert.equal(fromTag?.use_tag_for_meta, "on");
    assert.equal(fromTag?.merge_log, "off");
    assert.equal(fromApi?.use_tag_for_meta, undefined);
    assert.equal(fromApi?.cache_use_docker_id, "on");
    // Before its probes give it up: 70 s.
    assert.ok(Number(fromApi?.dns_retries) * Number(fromApi?.dns_wait_time) < 30);
  });

  it("keeps the values of a line's JSON as they are", () => {
    assert.equal(render({}).filter("kubernetes")?.merge_log_trim, "off");
    assert.equal(render({ parseJson: false }).filter("kubernetes")?.merge_log, "off");
  });

  it("retries for ever within the buffer's size, but in bounds where a refusal looks like an outage", () => {
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

  it("gives what waits for S3 the buffer's size in both places together", () => {
    const { output } = render({ destination: { kind: "s3" }, buffer: { size: "2Gi" } });
    assert.deepEqual([output.store_dir_limit_size, output["storage.total_limit_size"]], [2 ** 30, 2 ** 30]);
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

  it("takes the value that indices are split by from the record, without a script where it can", () => {
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

  it("finds an app by a script, and then gives ids of its own, since Lua keeps no order among keys", () => {
    const { output, files, filter } = render({
      destination: { kind: "opensearch", host: "h" },
      index: { splitBy: "app" },
    });
    assert.equal(output.logstash_prefix_key, "$TAG[999]logs-$index_split");
    assert.deepEqual([output.id_key, output.generate_id], ["line_id", undefined]);
    assert.equal(filter("lua")?.call, "app_of_record");
    const script = files["index.lua"] ?? "";
    assert.match(script, /local value = labels\["app.kubernetes.io\/name"\] or labels\["app"\] or "none"/);
    assert.match(script, /record\["line_id"\] = time \.\. hash\(/);
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

  it("joins stack traces by one parser with the rules of each language, JavaScript's those of Java", () => {
    const starts = (multiline?: string[]) =>
      (render(multiline === undefined ? {} : { multiline }).joining("stack_trace")?.rules ?? [])
        .filter(({ state }) => String(state).startsWith("start_state"))
        .map(({ regex }) => regex);
    const java = [
      "/Exception[:\\r\\n]/",
      "/Error[:\\r\\n]/",
      "/Throwable[:\\r\\n]/",
      "/V8 errors stack trace[:\\r\\n]/",
    ];
    const python = ["/\\ATraceback \\(most recent call last\\):$/"];
    const go = ["/\\bpanic: /", "/http: panic serving/"];
    assert.deepEqual(starts(["node"]), java);
    assert.deepEqual(starts(), [...java, ...python, ...go]);
    assert.deepEqual(starts([]), []);
    assert.equal(render({ multiline: [] }).filter("multiline"), undefined);
    assert.equal(render({}).filter("multiline")?.["multiline.parser"], "stack_trace");
  });

  it("leads from each rule to one that is there, without which Fluent Bit does not start", () => {
    const rules = render({}).joining("stack_trace")?.rules ?? [];
    const states = new Set(rules.flatMap(({ state }) => String(state).split(",")));
    for (const { next_state } of rules) assert.ok(states.has(String(next_state)), String(next_state));
  });

  it("cuts no line, and takes one that is empty", () => {
    const { configuration, input, joining } = render({});
    assert.equal(configuration.service.multiline_buffer_limit, 0);
    assert.equal(input["multiline.parser"], "cri_parts");
    // Fluent Bit gives the parser of one to those after it that name none.
    assert.deepEqual(
      configuration.multiline_parsers.map(({ name }) => name),
      ["stack_trace", "cri_parts"],
    );
    const line = configuration.parsers.find(({ name }) => name === joining("cri_parts")?.parser);
    assert.equal(line?.skip_empty_values, "off");
    assert.equal(line?.time_keep, "on");
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

  it("leaves a long JSON line as it is on its way to OpenSearch, which would refuse its fields", () => {
    const conditions = (settings: object) =>
      render(settings).configuration.pipeline.filters.flatMap(({ name, condition, remove }) =>
        name === "modify" ? [`${condition} ${remove}`] : [],
      );
    const [condition = "", ...more] = conditions({ destination: { kind: "opensearch", host: "h" } });
    assert.deepEqual(more, []);
    const pattern = /^key_value_matches log \\A(\\\{\(\?m:(.*)\)) fields$/.exec(condition);
    const tooLong = new RegExp(`^\\{(?:${pattern?.[2]})`, "su");
    assert.equal(tooLong.test(`{"a":"${"x".repeat(31_992)}"}`), false);
    assert.equal(tooLong.test(`{"a":"${"x".repeat(31_993)}"}`), true);
    assert.equal(tooLong.test(`{"a":"${"\u20ac".repeat(7991)}"}`), false);
    assert.equal(tooLong.test(`{"a":"${"\u20ac".repeat(7993)}"}`), true);
    assert.equal(tooLong.test("x".repeat(40_000)), false);
    assert.deepEqual(conditions({ destination: { kind: "elasticsearch", host: "h" } }), []);
    assert.deepEqual(conditions({ destination: { kind: "opensearch", host: "h" }, parseJson: false }), []);
  });
});
