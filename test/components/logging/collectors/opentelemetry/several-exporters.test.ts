import assert from "node:assert/strict";
import { parse } from "yaml";
import { opentelemetry } from "../../../../../components/logging/collectors/opentelemetry/index.ts";
import { logPipeline } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkPipeline } from "../../../../../components/logging/validation.ts";

const SETTINGS = {
  collector: "opentelemetry",
  destinations: {
    archive: { kind: "s3", bucket: "acme-logs", buffer: { size: "1Gi" } },
    loki: { kind: "loki", url: "https://loki.example.com", credentials: { secretName: "loki" }, caSecretName: "ca" },
    search: {
      kind: "elasticsearch",
      host: "search.example.com",
      credentials: { secretName: "s" },
      index: { splitBy: "team", prefix: "app" },
    },
  },
  routes: [
    { to: ["archive"] },
    { to: ["loki"], namespaces: ["a", "b"], streams: ["stderr"] },
    { to: ["loki"], labels: { "app.kubernetes.io/name": "shop" } },
    { to: ["search"], teams: ["ts"], levels: ["error"] },
  ],
};

function render(settings: object) {
  const parsed = LoggingSettings.parse(settings);
  assert.deepEqual(checkPipeline(parsed), []);
  const { files } = opentelemetry.render(logPipeline(parsed, { cluster: "dev", region: "eu-central-1" }));
  return parse(files["config.yaml"] ?? "");
}

describe("OpenTelemetry Collector with several destinations", () => {
  const config = render(SETTINGS);

  it("reads and builds the record once, and forks to a pipeline for each", () => {
    const { logs, ...branches } = config.service.pipelines;
    assert.deepEqual([logs.exporters, logs.processors], [["forward"], ["k8s_attributes", "filter", "transform"]]);
    assert.deepEqual(branches, {
      "logs/archive": { receivers: ["forward"], processors: ["transform/archive"], exporters: ["awss3/archive"] },
      "logs/loki": {
        receivers: ["forward"],
        processors: ["filter/loki", "transform/loki"],
        exporters: ["otlp_http/loki"],
      },
      "logs/search": {
        receivers: ["forward"],
        processors: ["filter/search", "transform/search"],
        exporters: ["elasticsearch/search"],
      },
    });
  });

  it("has a queue for each, and waits for none that is full", () => {
    const queues = Object.entries<{ sending_queue: Record<string, unknown> }>(config.exporters).map(
      ([name, { sending_queue }]) => [name, sending_queue.queue_size, sending_queue.block_on_overflow],
    );
    assert.deepEqual(queues, [
      ["awss3/archive", 2 ** 29, false],
      ["otlp_http/loki", 2 ** 31, false],
      ["elasticsearch/search", 2 ** 31, false],
    ]);
    // A batch that one queue refuses would come again to those that took it.
    assert.deepEqual(config.receivers.file_log.retry_on_failure, { enabled: false });
  });

  it("keeps user and CA certificate in a folder named after the destination", () => {
    assert.deepEqual(config.extensions["basicauth/destination-loki"].client_auth, {
      username_file: "/etc/log-destination/loki/credentials/username",
      password_file: "/etc/log-destination/loki/credentials/password",
    });
    assert.equal(config.exporters["otlp_http/loki"].auth.authenticator, "basicauth/destination-loki");
    assert.equal(config.exporters["elasticsearch/search"].auth.authenticator, "basicauth/destination-search");
    assert.equal(config.exporters["otlp_http/loki"].tls.ca_file, "/etc/log-destination/loki/ca.crt");
  });

  it("drops what matches no route", () => {
    const namespace = 'resource.attributes["k8s.namespace.name"]';
    const namespaces = `(${namespace} == "a" or ${namespace} == "b")`;
    const label = 'resource.attributes["label/app.kubernetes.io/name"] == "shop"';
    assert.deepEqual(config.processors["filter/loki"].log_conditions, [
      `not (((${namespaces} and log.body["stream"] == "stderr") or ${label}))`,
    ]);
    const [condition] = config.processors["filter/search"].log_conditions;
    assert.match(condition, /^not \(\(resource\.attributes\["k8s\.namespace\.name"\] == "ts-team" and /);
    assert.ok(condition.includes('IsMatch(log.body["fields"]["level"], "^(?i:error|err|(?-i:[sS])evere)$")'));
  });

  it("gives parts of a destination unique names, for any destination and team", () => {
    const loki = { kind: "loki", url: "https://loki.example.com" };
    const parsed = LoggingSettings.parse({
      collector: "opentelemetry",
      sources: ["pods", "kubelet"],
      destinations: {
        processing: loki,
        destination: loki,
        journal: { kind: "s3", bucket: "acme-logs", index: { splitBy: "team" } },
      },
      routes: [
        { to: ["processing"], namespaces: ["a"] },
        { to: ["destination"], namespaces: ["b"] },
        { to: ["journal"], teams: ["kubelet"] },
        { to: ["journal"], sources: ["kubelet"] },
      ],
      processing: { drop: [{ pattern: "noise" }] },
    });
    const context = { cluster: "dev", region: "eu-central-1", teams: [{ name: "kubelet" }] };
    const { files } = opentelemetry.render(logPipeline(parsed, context));
    const named = parse(files["config.yaml"] ?? "");
    const { logs, ...others } = named.service.pipelines;
    const dropped = named.processors[logs.processors.at(-1)];
    assert.deepEqual(dropped.log_conditions, ['IsMatch(log.body["log"], "noise")']);
    const used = Object.values<{ processors: string[] }>(others).flatMap(({ processors: names }) =>
      names.filter((name) => !logs.processors.includes(name)),
    );
    assert.equal(new Set(used).size, used.length, `twice: ${used.join(", ")}`);
    // One of pods for each destination and the team, one that reads the kubelet, and what sends that.
    assert.equal(Object.keys(others).length, 3 + 1 + 2);
  });

  it("is unchanged with one destination", () => {
    const one = render({
      collector: "opentelemetry",
      destination: { kind: "loki", url: "http://l:1" },
    });
    assert.deepEqual(Object.keys(one.processors), ["memory_limiter", "k8s_attributes", "filter", "transform"]);
    assert.deepEqual(Object.keys(one.service.pipelines), ["logs"]);
    assert.equal(one.connectors, undefined);
    assert.equal(one.exporters.otlp_http.sending_queue.block_on_overflow, true);
    assert.equal(one.receivers.file_log.retry_on_failure.enabled, true);
  });
});
