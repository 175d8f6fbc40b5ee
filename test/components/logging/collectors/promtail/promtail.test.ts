import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { promtail } from "../../../../../components/logging/collectors/promtail/index.ts";
import { pipelines } from "../pipelines.ts";

const Relabel = z.looseObject({
  source_labels: z.array(z.string()).optional(),
  regex: z.string().optional(),
  replacement: z.string().optional(),
  action: z.string().optional(),
});
const Configuration = z.looseObject({
  server: z.looseObject({ health_check_target: z.boolean() }),
  clients: z.tuple([z.record(z.string(), z.unknown())]),
  scrape_configs: z.tuple([
    z.looseObject({
      kubernetes_sd_configs: z.array(z.unknown()),
      relabel_configs: z.array(Relabel),
      pipeline_stages: z.array(z.record(z.string(), z.unknown())),
    }),
  ]),
});

const loki = { kind: "loki", url: "https://loki.example.com:3100" };

/** The pipeline of settings below `logging`. */
const pipelineOf = pipelines({ collector: "promtail", destination: loki });

function render(settings: object = {}) {
  const text = promtail.render(pipelineOf(settings)).files["promtail.yaml"] ?? "";
  const { clients, scrape_configs } = Configuration.parse(parse(text));
  const [{ relabel_configs, pipeline_stages }] = scrape_configs;
  const template = z.object({ template: z.string() });
  const record = pipeline_stages.flatMap((stage) => (stage.template ? [template.parse(stage.template).template] : []));
  return { text, client: clients[0], relabel: relabel_configs, stages: pipeline_stages, record: record.join() };
}

describe("Promtail", () => {
  it("sends to Loki, and retries indefinitely", () => {
    assert.deepEqual(render().client, {
      url: "https://loki.example.com:3100/loki/api/v1/push",
      tls_config: { insecure_skip_verify: false },
      backoff_config: { min_period: "500ms", max_period: "30s", max_retries: 0 },
    });
  });

  it("is ready on a node without files to read", () => {
    assert.equal(Configuration.parse(parse(render().text)).server.health_check_target, false);
  });

  it("reads tenant, CA certificate and credentials, secrets only from files", () => {
    const { client, text } = render({
      destination: {
        ...loki,
        tenant: "team-a",
        verify: false,
        caSecretName: "loki-ca",
        credentials: { secretName: "log-writer" },
      },
    });
    assert.equal(client.tenant_id, "team-a");
    assert.deepEqual(client.basic_auth, {
      username_file: "/etc/log-destination/credentials/username",
      password_file: "/etc/log-destination/credentials/password",
    });
    assert.deepEqual(client.tls_config, { insecure_skip_verify: true, ca_file: "/etc/log-destination/ca.crt" });
    assert.doesNotMatch(text, /log-writer/);
  });

  it("has no TLS options without TLS", () => {
    assert.equal(render({ destination: { kind: "loki", url: "http://loki:3100" } }).client.tls_config, undefined);
  });

  it("watches the pods of its node, whose name is in HOSTNAME", () => {
    assert.deepEqual(promtail.render(pipelineOf({})).environment, { HOSTNAME: "$(NODE_NAME)" });
  });

  it("excludes its own namespace and pods that opt out", () => {
    const dropped = render({ namespaces: { exclude: ["kube-system"] } }).relabel.filter(
      ({ action }) => action === "drop",
    );
    assert.deepEqual(dropped, [
      { source_labels: ["__meta_kubernetes_namespace"], regex: "kube-system|logging", action: "drop" },
      {
        source_labels: ["__meta_kubernetes_pod_annotation_fluentbit_io_exclude"],
        regex: "(?i)(?:true|on|yes)",
        action: "drop",
      },
    ]);
  });

  it("reads only the configured namespaces and labels", () => {
    const { relabel } = render({
      namespaces: { include: ["ts-team", "sa-team"] },
      labels: { "app.kubernetes.io/version": "1.2" },
    });
    assert.deepEqual(
      relabel.filter(({ action }) => action === "keep"),
      [
        { source_labels: ["__meta_kubernetes_namespace"], regex: "sa-team|ts-team", action: "keep" },
        {
          source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_version"],
          regex: "1\\.2",
          action: "keep",
        },
      ],
    );
  });

  it("reads each container's files under its own pod", () => {
    const paths = render().relabel.filter(({ target_label }) => /^__/.test(String(target_label)));
    assert.deepEqual(
      paths.map(({ source_labels, separator, replacement }) => [source_labels?.length, separator, replacement]),
      [
        [2, "_", undefined],
        [2, "_*/", "/var/log/pods/$1/*.log"],
      ],
    );
    // In a replacement a group's name goes on with every letter, digit and '_'.
    for (const { replacement = "" } of render().relabel) assert.doesNotMatch(replacement, /\$\d\w/);
  });

  it("adds fields and labels to the record only if enabled", () => {
    assert.match(render().record, /"fields":.*/);
    assert.match(render().record, /"labels":/);
    const plain = render({ parseJson: false, metadata: { labels: false } }).record;
    assert.doesNotMatch(plain, /"fields"|"labels"/);
    assert.doesNotMatch(plain, /\{\{\{/);
  });

  it("keeps a JSON line unchanged as its fields, so that no number is rounded, and omits a missing stream", () => {
    assert.match(render().record, /"fields":\{\{ fromJson \(toRawJson \.Entry\) \}\}/);
    assert.match(render().record, /\{\{ if \.stream \}\},"stream":\{\{ toRawJson \.stream \}\}\{\{ end \}\}/);
  });

  it("removes carriage returns at the end of lines, also within a trace", () => {
    const [runtime, end] = render().stages;
    assert.deepEqual(
      [Object.keys(runtime ?? {}), end],
      [["cri"], { replace: { expression: "(\\r)\\z", replace: "" } }],
    );
  });

  it("joins traces only with languages", () => {
    assert.ok(render().stages.some(({ multiline }) => multiline !== undefined));
    assert.ok(!render({ multiline: [] }).stages.some(({ multiline }) => multiline !== undefined));
  });

  it("reports that it has no index and no annotations", () => {
    const paths = (settings: object) => promtail.unsupported(pipelineOf(settings)).map(({ path }) => path.join("."));
    assert.deepEqual(paths({}), []);
    assert.deepEqual(paths({ index: { prefix: "pods" }, metadata: { annotations: true } }), [
      "index.prefix",
      "metadata.annotations",
    ]);
  });

  it("rejects every destination but Loki with a reason", () => {
    for (const [kind, support] of Object.entries(promtail.destinations))
      assert.equal(support, kind === "loki" ? true : "Promtail sends to Loki only");
    assert.throws(
      () => render({ destination: { kind: "stdout" } }),
      /^Error: destination stdout: Promtail sends to Loki/,
    );
  });
});
