import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "yaml";
import { z } from "zod";
import { vector } from "../../../../components/logging/collectors/vector.ts";
import { notation } from "../../../../components/logging/index-format.ts";
import { type ApplicationPod, logPipeline } from "../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { anyFormat } from "../arbitraries.ts";

const Component = z.looseObject({ type: z.string() });
type Component = z.infer<typeof Component>;
const Components = z.record(z.string(), Component);
const Configuration = z.looseObject({ sources: Components, transforms: Components, sinks: Components });
const Names = z.array(z.string());
const ByType = z.record(z.string(), Names);
/** Every option of the components that are rendered, from `vector generate-schema` of the version that is pinned. */
const documented = z
  .strictObject({ global: Names, sources: ByType, transforms: ByType, sinks: ByType })
  .parse(JSON.parse(readFileSync(new URL("./vector-options.json", import.meta.url), "utf8")));

const POD: ApplicationPod = {
  namespace: "ts-team",
  pod: "curl-ts",
  container: "responder",
  team: "ts",
  app: "curl-ts",
};
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
  { kind: "loki", url: "https://loki.example.com", tenant: "one", verify: false, credentials },
];

function pipelineOf(settings: object, source?: "application") {
  return logPipeline(
    LoggingSettings.parse({ collector: "vector", ...settings }),
    { cluster: "dev", region: "eu-central-1", bucket: "dev-logs" },
    ...(source === undefined ? [] : [{ kind: source, pod: POD }]),
  );
}

function render(settings: object = {}, source?: "application") {
  const { files, args, environment } = vector.render(pipelineOf(settings, source));
  const text = files["vector.yaml"] ?? "";
  const configuration = Configuration.parse(parse(text));
  const part = (parts: Record<string, Component>, name: string): Component => parts[name] ?? { type: "missing" };
  return {
    text,
    args,
    environment,
    configuration,
    logs: part(configuration.sources, "logs"),
    traces: configuration.transforms.traces,
    records: part(configuration.transforms, "records"),
    program: String(configuration.transforms.records?.source),
    output: part(configuration.sinks, "destination"),
  };
}

/** Paths of all options: `request.retry_attempts`. A list of objects is as its objects. */
function optionsOf(value: unknown, before = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => optionsOf(item, before));
  if (typeof value !== "object" || value === null) return [before];
  return Object.entries(value).flatMap(([key, inner]) => optionsOf(inner, before === "" ? key : `${before}.${key}`));
}

describe("Vector's configuration", () => {
  for (const source of [undefined, "application"] as const) {
    for (const destination of DESTINATIONS) {
      it(`has no option that Vector does not know: ${source ?? "node"}, ${JSON.stringify(destination)}`, () => {
        const settings = {
          destination,
          labels: { app: "web" },
          namespaces: { include: ["a"] },
          index: { splitBy: "app" },
        };
        const { configuration } = render(settings, source);
        for (const kind of ["sources", "transforms", "sinks"] as const) {
          for (const { ...component } of Object.values(configuration[kind])) {
            const known = documented[kind][component.type] ?? [];
            for (const option of optionsOf(component)) {
              const any = option.replace(/\.[^.]+$/, ".*");
              assert.ok(known.includes(option) || known.includes(any), `${kind} ${component.type}: ${option}`);
            }
          }
        }
        const { sources: _sources, transforms: _transforms, sinks: _sinks, ...rest } = configuration;
        for (const option of optionsOf(rest)) assert.ok(documented.global.includes(option), option);
      });
    }
  }

  it("reads the pods' files from their beginning and sees a new one within a second", () => {
    const { logs, environment, args } = render();
    assert.equal(logs.type, "kubernetes_logs");
    assert.equal(logs.read_from, "beginning");
    assert.equal(logs.glob_minimum_cooldown_ms, 1000);
    assert.equal(logs.oldest_first, false);
    assert.equal(logs.auto_partial_merge, true);
    assert.deepEqual(environment, { VECTOR_SELF_NODE_NAME: "$(NODE_NAME)" });
    assert.deepEqual(args, [
      "--config",
      "/etc/vector/vector.yaml",
      "--graceful-shutdown-limit-secs",
      "5",
      "--chunk-size-events",
      "20",
    ]);
  });

  it("never reads its own namespace, and of the others those that are asked for", () => {
    assert.equal(render().logs.extra_field_selector, "metadata.namespace!=logging");
    const { logs } = render({
      namespaces: { include: ["ts-team", "sa-team"], exclude: ["kube-system"] },
      labels: { tier: "x", "app.kubernetes.io/name": "web" },
    });
    assert.equal(logs.extra_field_selector, "metadata.namespace!=kube-system,metadata.namespace!=logging");
    assert.deepEqual(logs.include_paths_glob_patterns, ["/var/log/pods/sa-team_*/*/*", "/var/log/pods/ts-team_*/*/*"]);
    assert.equal(logs.extra_label_selector, "app.kubernetes.io/name=web,tier=x");
  });

  it("leaves out a pod by its annotation, also where annotations are not kept", () => {
    assert.match(render().program, /if \.pod_annotations\."fluentbit\.io\/exclude" == "true" \{ abort \}/);
    assert.doesNotMatch(render().program, /kubernetes\.annotations/);
    assert.match(
      render({ metadata: { annotations: true } }).program,
      /kubernetes\.annotations = map_keys\(annotations/,
    );
    assert.doesNotMatch(render({ metadata: { labels: false } }).program, /kubernetes\.labels/);
  });

  it("asks the API for what it watches and no more", () => {
    assert.deepEqual(vector.apiRules, [
      { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["get", "list", "watch"] },
    ]);
    assert.equal(render().logs.insert_namespace_fields, false);
    assert.equal(render().logs.use_apiserver_cache, true);
  });

  it("joins what continues a trace to the line before, for each file and stream", () => {
    const { traces, records } = render();
    assert.deepEqual(traces?.group_by, ["file", "stream"]);
    assert.deepEqual(traces?.merge_strategies, { message: "concat_newline", "@timestamp": "discard" });
    assert.equal(traces?.expire_after_ms, 1000);
    assert.deepEqual(records.inputs, ["traces"]);
    const without = render({ multiline: [] });
    assert.equal(without.traces, undefined);
    assert.deepEqual(without.records.inputs, ["logs"]);
  });

  it("parses a line of JSON unless told not to", () => {
    assert.match(render().program, /\.fields = parsed /);
    assert.doesNotMatch(render({ parseJson: false }).program, /fields|parse_json/);
    // A dot in a name is a path there.
    const { program } = render({ destination: { kind: "opensearch", inCluster: true } });
    assert.match(program, /\.fields = map_keys\(object!\(parsed\), recursive: true\)/);
  });

  it("waits on disk within the buffer's size, retries without end, and stops reading when it is full", () => {
    for (const destination of DESTINATIONS) {
      const { output } = render({ destination, buffer: { size: "3Gi" } });
      assert.deepEqual(output.buffer, [{ type: "disk", max_size: 3 * 2 ** 30, when_full: "block" }]);
      if (output.type === "console" || output.type === "file") continue;
      assert.deepEqual(output.request, { retry_attempts: Number.MAX_SAFE_INTEGER, retry_max_duration_secs: 30 });
    }
  });

  it("sends what OpenSearch and Elasticsearch take, with ids, and again what is refused for now", () => {
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

  it("names the index as the settings say, in any time zone", () => {
    const destination = { kind: "opensearch", host: "h" };
    const index = { prefix: "pods", separator: "_", datePattern: "xxxx.ww", timeZone: "Europe/Madrid", splitBy: "app" };
    const { output, program } = render({ destination, index });
    assert.deepEqual(output.bulk, { action: "index", index: "pods_{{ %index }}" });
    assert.match(
      program,
      /split = string\(labels\."app\.kubernetes\.io\/name"\) \?\? string\(labels\.app\) \?\? "none"/,
    );
    assert.match(
      program,
      /%index = split \+ "_" \+ format_timestamp!\(time, format: "%G\.%V", timezone: "Europe\/Madrid"\)/,
    );
    const sidecar = render({ destination, index }, "application");
    assert.deepEqual(sidecar.output.bulk, { action: "index", index: "pods_curl-ts_{{ %index }}" });
    assert.match(sidecar.program, /%index = format_timestamp!/);
  });

  it("keeps every part of any index format", () => {
    fc.assert(
      fc.property(anyFormat, (index) => {
        const { output, program } = render({ destination: { kind: "opensearch", host: "h" }, index });
        assert.deepEqual(output.bulk, { action: "index", index: `${index.prefix}${index.separator}{{ %index }}` });
        assert.ok(
          program.includes(`format: "${notation(index.datePattern, "strftime")}", timezone: "${index.timeZone}"`),
        );
        assert.equal(program.includes("split = "), index.splitBy !== "none");
      }),
    );
  });

  it("takes user and password from the environment, as text that has no meaning in YAML", () => {
    const destination = { kind: "opensearch", host: "h", credentials, tls: { caSecretName: "ca" } };
    const { output, text, args } = render({ destination });
    assert.deepEqual(output.auth, { strategy: "basic", user: `\${LOG_USER}`, password: `\${LOG_PASSWORD}` });
    assert.match(text, /password: \|-\n +\$\{LOG_PASSWORD\}\n/);
    assert.ok(args.includes("--dangerously-allow-env-var-interpolation"));
    assert.ok(!text.includes("log-writer"));
    assert.deepEqual(output.tls, {
      verify_certificate: true,
      verify_hostname: true,
      ca_file: "/etc/log-destination/ca.crt",
    });
  });

  it("writes every other dollar sign twice where variables are put in", () => {
    const url = "https://logs.example.com/ingest?a=$1";
    assert.equal(
      render({ destination: { kind: "http", url, credentials } }).output.uri,
      "https://logs.example.com/ingest?a=$$1",
    );
    assert.equal(render({ destination: { kind: "http", url } }).output.uri, url);
  });

  it("verifies certificates unless told not to", () => {
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
    assert.equal(to({ kind: "s3" }).bucket, "dev-logs");
    const loki = to({ kind: "loki", url: "http://loki:3100", tenant: "one" });
    assert.equal(loki.endpoint, "http://loki:3100");
    assert.equal(loki.tenant_id, "one");
    assert.deepEqual(Object.keys(z.record(z.string(), z.string()).parse(loki.labels)), [
      "job",
      "namespace",
      "pod",
      "container",
      "stream",
    ]);
  });

  it("as a sidecar reads the application's files, acknowledged, and knows its pod without asking", () => {
    const { logs, traces, program, output, environment } = render(
      { carrier: "sidecar", destination: { kind: "opensearch", host: "h" } },
      "application",
    );
    assert.equal(logs.type, "file");
    assert.deepEqual(logs.include, ["/var/log/app/*.log"]);
    assert.deepEqual(logs.fingerprint, { strategy: "device_and_inode" });
    assert.equal(logs.max_line_bytes, 2 * 2 ** 20);
    assert.deepEqual(traces?.group_by, ["file"]);
    assert.deepEqual(output.acknowledgements, { enabled: true });
    assert.equal(environment, undefined);
    // Its volume holds the read positions too.
    assert.deepEqual(output.buffer, [{ type: "disk", max_size: 4 * 2 ** 30 - 32 * 2 ** 20, when_full: "block" }]);
    assert.match(
      program,
      /kubernetes = \{"namespace_name":"ts-team","pod_name":"curl-ts","container_name":"responder","labels":\{"app_kubernetes_io\/name":"curl-ts"\}\}/,
    );
    assert.match(program, /\.team = "ts"/);
    assert.doesNotMatch(program, /stream/);
  });

  it("says what it cannot do", () => {
    assert.deepEqual(vector.unsupported(pipelineOf({ buffer: { whenFull: "block" } })), []);
    assert.deepEqual(vector.unsupported(pipelineOf({ buffer: { size: "200Mi" } })), [
      {
        path: ["buffer", "whenFull"],
        message: "block for Vector, which can drop the newest lines but not the oldest",
        value: "drop-oldest",
      },
      {
        path: ["buffer", "size"],
        message: "at least 257Mi for Vector, whose buffer has files of 128Mi",
        value: "200Mi",
      },
    ]);
    const url = "https://logs.example.com/a%2Fb";
    assert.deepEqual(
      vector.unsupported(pipelineOf({ buffer: { whenFull: "block" }, destination: { kind: "http", url } })),
      [
        {
          path: ["destination", "url"],
          message: "a URL without '%' and '{{' for Vector, which takes them for a date or a field",
          value: url,
        },
      ],
    );
    const small = (size: string) =>
      vector.unsupported(pipelineOf({ buffer: { whenFull: "block", size } }, "application")).map(({ path }) => path);
    assert.deepEqual(small("288Mi"), [["buffer", "size"]]);
    assert.deepEqual(small("289Mi"), []);
  });
});
