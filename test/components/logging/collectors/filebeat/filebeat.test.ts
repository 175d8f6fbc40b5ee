import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { DateTime } from "luxon";
import { parse } from "yaml";
import { z } from "zod";
import { recordScript } from "../../../../../components/logging/collectors/filebeat/configuration.ts";
import { filebeat } from "../../../../../components/logging/collectors/filebeat/index.ts";
import type { LogPipeline } from "../../../../../components/logging/pipeline.ts";
import { INDEX_NAMES_IN_UTC } from "../../../../support/collectors/index-names.ts";
import { pipelines } from "../pipelines.ts";

const elasticsearch = { kind: "elasticsearch", host: "search.example.com" };
const Options = z.record(z.string(), z.unknown());

/** The pipeline of settings below `logging`. */
const pipelineOf = pipelines({ collector: "filebeat", destination: elasticsearch });

function render(settings: object, source?: "application") {
  const { files } = filebeat.render(pipelineOf(settings, source));
  const [input = {}] = z.array(Options).parse(parse(files["inputs.yml"] ?? ""));
  return { files, input, main: Options.parse(parse(files["filebeat.yml"] ?? "")) };
}

/** Runs the script on an event, as Filebeat does, and gives its values afterwards; undefined for one that is dropped. */
function processed(
  pipeline: LogPipeline,
  event: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, unknown> | undefined {
  const values = new Map<string, unknown>([
    ["log.file.path", "/var/log/pods/ts-team_curl-ts_1/curl/0.log"],
    ["node_name", "node-1"],
    ...Object.entries(event),
  ]);
  let cancelled = false;
  const methods = {
    Get: (key: string) => values.get(key) ?? null,
    Put: (key: string, value: unknown) => values.set(key, value),
    Delete: (key: string) => values.delete(key),
    Cancel: () => {
      cancelled = true;
    },
  };
  runInNewContext(`${recordScript(pipeline)} process(event);`, { event: methods });
  return cancelled ? undefined : values;
}

/** The fields of a line of JSON, in JSON. */
function fieldsBy(pipeline: LogPipeline, line: string): string {
  return JSON.stringify(processed(pipeline, { message: line, fields: JSON.parse(line) })?.get("fields"));
}

/** Joda's notation in luxon's, where they differ. */
const luxonOf = (joda: string): string => joda.replace("xxxx", "kkkk").replace("ww", "WW");

/** What an object holds, without the prototypes of the script's context. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("Filebeat's configuration", () => {
  it("follows a file by its inode through a rotation, from its first byte, and never reads its own logs", () => {
    const { input } = render({ namespaces: { exclude: ["kube-system"] } });
    assert.deepEqual(input.paths, ["/var/log/pods/*_*/*/*.log", "/var/log/pods/*_*/*/*.log.20??????-??????"]);
    assert.deepEqual(input.file_identity, { native: null });
    assert.equal(input["prospector.scanner.fingerprint.enabled"], false);
    assert.equal(input["prospector.scanner.check_interval"], "1s");
    // A file that the kubelet deletes is read to its end.
    assert.equal(input["close.on_state_change.removed"], false);
    assert.deepEqual([input["backoff.init"], input["backoff.max"]], ["1s", "1s"]);
    assert.deepEqual(input["prospector.scanner.exclude_files"], [
      "^/var/log/pods/kube-system_",
      "^/var/log/pods/logging_",
    ]);
    assert.deepEqual(render({ namespaces: { include: ["ts-team"] } }).input.paths, [
      "/var/log/pods/ts-team_*/*/*.log",
      "/var/log/pods/ts-team_*/*/*.log.20??????-??????",
    ]);
  });

  it("buffers on disk, up to the buffer's size, and retries indefinitely", () => {
    const { main } = render({ buffer: { size: "1Gi" } });
    assert.deepEqual(main["queue.disk"], { max_size: "1073741824B", segment_size: "16MB" });
    const output = Options.parse(main["output.elasticsearch"]);
    assert.equal(output.max_retries, -1);
    assert.equal(main["timestamp.precision"], "nanosecond");
  });

  it("names the index itself, with its own template and without lifecycle management", () => {
    const { main, files } = render({
      index: { prefix: "lab", separator: "_", datePattern: "xxxx.ww", splitBy: "team" },
    });
    const output = Options.parse(main["output.elasticsearch"]);
    assert.equal(output.index, "lab_%{[@metadata.split]}_%{+xxxx.ww}");
    assert.equal(main["setup.ilm.enabled"], false);
    assert.deepEqual(main["setup.template"], {
      name: "eks-dns-logging-lab_",
      pattern: "lab_*",
      overwrite: false,
      json: { enabled: true, path: "/etc/filebeat/template.json", name: "eks-dns-logging-lab_" },
    });
    assert.match(files["template.json"] ?? "", /"lab_\*"/);
  });

  it("writes another template for another pattern, since it does not overwrite existing ones", () => {
    const names = ["-", "_", "."].map((separator) => {
      const { main } = render({ index: { separator } });
      return z.looseObject({ name: z.string() }).parse(main["setup.template"]).name;
    });
    assert.equal(new Set(names).size, 3);
  });

  it("reads user and password from variables, and verifies certificates with the configured CA", () => {
    const secure = { ...elasticsearch, credentials: { secretName: "w" }, tls: { caSecretName: "ca" } };
    const output = Options.parse(render({ destination: secure }).main["output.elasticsearch"]);
    assert.deepEqual(output.hosts, ["https://search.example.com:9200"]);
    assert.equal(output.username, `'\${LOG_USER}'`);
    assert.equal(output.password, `'\${LOG_PASSWORD}'`);
    assert.deepEqual(output.ssl, {
      verification_mode: "full",
      certificate_authorities: ["/etc/log-destination/ca.crt"],
    });
  });

  it("writes JSON lines to stdout and to files", () => {
    const codec = { "codec.json": { pretty: false, escape_html: false } };
    assert.deepEqual(render({ destination: { kind: "stdout" } }).main["output.console"], codec);
    const file = Options.parse(render({ destination: { kind: "file" } }).main["output.file"]);
    assert.equal(file.path, "/var/log/collected");
    assert.equal(file.filename, "pods");
  });

  it("reads each stream separately, so that no trace includes a line of the other", () => {
    const streams = (settings: object) =>
      z
        .array(z.looseObject({ id: z.string(), parsers: z.array(z.looseObject({ container: Options.optional() })) }))
        .parse(parse(render(settings).files["inputs.yml"] ?? ""))
        .map(({ id, parsers }) => [id, parsers[0]?.container?.stream]);
    assert.deepEqual(streams({}), [
      ["pods-stdout", "stdout"],
      ["pods-stderr", "stderr"],
    ]);
    assert.deepEqual(streams({ multiline: [] }), [["pods", "all"]]);
  });

  it("has no dots in field names for search engines", () => {
    assert.deepEqual(
      fieldsBy(pipelineOf({}), '{"a.b":{"c.d":[{"e.f":null}]},"text":"x.y"}'),
      '{"a_b":{"c_d":[{"e_f":null}]},"text":"x.y"}',
    );
    const escapes: readonly (readonly [line: string, fields: string])[] = [
      ['{"a\\u002Eb":1}', '{"a_b":1}'],
      ['{"a.\\"b":1}', '{"a_\\"b":1}'],
    ];
    for (const [line, fields] of escapes) assert.equal(fieldsBy(pipelineOf({}), line), fields);
    const file = pipelineOf({ destination: { kind: "file" } });
    assert.deepEqual(fieldsBy(file, '{"a.b":1}'), '{"a.b":1}');
  });

  it("knows its pod as a sidecar, and does not use the API", () => {
    const { input, files } = render({}, "application");
    assert.deepEqual(input.paths, ["/var/log/app/*.log"]);
    assert.equal(JSON.stringify(input.parsers).includes("container"), false);
    assert.doesNotMatch(files["filebeat.yml"] ?? "", /add_kubernetes_metadata/);
    const values = processed(pipelineOf({}, "application"), { message: "x" });
    assert.deepEqual(plain(values?.get("kubernetes")), {
      namespace_name: "ts-team",
      pod_name: "curl-ts",
      container_name: "responder",
      host: "node-1",
      labels: { "app_kubernetes_io/name": "curl-ts" },
    });
    assert.equal(values?.get("team"), "ts");
  });

  it("keeps a string that contains JSON a string", () => {
    const processors = z.array(Options).parse(render({}).main.processors);
    const decode = Options.parse(processors.find((processor) => "decode_json_fields" in processor)?.decode_json_fields);
    assert.equal(decode.max_depth, 1);
  });

  it("builds the record of a pod, with the names from its file's path", () => {
    const kubernetes = { labels: { app: "web" }, annotations: {} };
    const record = (settings: object, event: object) => {
      const values = processed(pipelineOf(settings), { message: "x", log: {}, ...event });
      return plain(["log", "team", "kubernetes", "node_name"].map((key) => values?.get(key) ?? null));
    };
    const names = { namespace_name: "ts-team", pod_name: "curl-ts", container_name: "curl", host: "node-1" };
    assert.deepEqual(record({}, { kubernetes }), ["x", "ts", { ...names, labels: { app: "web" } }, null]);
    assert.deepEqual(record({}, {}), ["x", "ts", names, null]);
    assert.deepEqual(record({ metadata: { labels: false } }, { kubernetes }), ["x", "ts", names, null]);
  });

  it("reads only pods with the required labels, and none that opts out", () => {
    const pipeline = pipelineOf({ labels: { "app.kubernetes.io/name": "web", tier: "front" } });
    const isRead = (labels: object, annotations: object = {}) =>
      processed(pipeline, { message: "x", kubernetes: { labels, annotations } }) !== undefined;
    const wanted = { "app_kubernetes_io/name": "web", tier: "front" };
    assert.equal(isRead(wanted), true);
    assert.equal(isRead({ ...wanted, tier: "back" }), false);
    assert.equal(isRead({ tier: "front" }), false);
    for (const value of ["true", "True", "on", "YES"])
      assert.equal(isRead(wanted, { "fluentbit_io/exclude": value }), false, value);
    for (const value of ["false", "", "not true", "1"])
      assert.equal(isRead(wanted, { "fluentbit_io/exclude": value }), true, value);
  });

  for (const { why, format, at, pod, name } of INDEX_NAMES_IN_UTC) {
    it(`gives the split value of an index: ${why}`, () => {
      const labels = Object.fromEntries(
        Object.entries(pod.labels).map(([key, value]) => [key.replaceAll(".", "_"), value]),
      );
      const values = processed(pipelineOf({ index: format }), {
        message: "x",
        kubernetes: { labels },
        "log.file.path": `/var/log/pods/${pod.namespace}_pod_1/c/0.log`,
      });
      const split = values?.get("@metadata.split");
      const index = z.string().parse(Options.parse(render({ index: format }).main["output.elasticsearch"]).index);
      // Filebeat itself puts in the split value and the date.
      const made = index
        .replace("%{[@metadata.split]}", String(split))
        .replace(/%\{\+(.*)\}/, (_, joda: string) => DateTime.fromJSDate(at, { zone: "UTC" }).toFormat(luxonOf(joda)));
      assert.equal(made, name);
    });
  }

  it("reports what it does not support", () => {
    assert.deepEqual(filebeat.unsupported(pipelineOf({})), []);
    const settings = {
      buffer: { size: "32Mi", whenFull: "drop-oldest" },
      metadata: { annotations: true },
      index: { timeZone: "Europe/Madrid" },
    };
    assert.deepEqual(
      filebeat.unsupported(pipelineOf(settings)).map(({ path, message }) => `${path.join(".")}: ${message}`),
      [
        "buffer.whenFull: must be block with Filebeat, whose queue drops nothing",
        "buffer.size: must be at least 64Mi with Filebeat",
        "metadata.annotations: must be false with Filebeat, which keeps only annotations that it is given by name",
        "index.timeZone: must be UTC with Filebeat, which dates indices in UTC",
      ],
    );
  });
});
