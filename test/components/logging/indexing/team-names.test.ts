import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { parse } from "yaml";
import { recordScript } from "../../../../components/logging/collectors/filebeat/configuration.ts";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { IndexFormat, todaysIndices } from "../../../../components/logging/indexing/index-format.ts";
import { logPipeline } from "../../../../components/logging/pipeline.ts";
import { teamNames } from "../../../../components/logging/routing/routes.ts";
import { type CollectorId, LoggingSettings } from "../../../../components/logging/settings.ts";

/** `sa-team` belongs to another team than its name says, and `constructor` is a name that each object of JavaScript knows. */
const TEAMS = [
  { name: "ts" },
  { name: "payments", namespaces: [{ name: "pay-web" }, { name: "pay-api" }, { name: "payments-team" }] },
  { name: "ops", namespaces: [{ name: "sa-team" }] },
];
const EXPECTED = { "pay-api": "payments", "pay-web": "payments", "sa-team": "ops" };

function pipelineOf(collector: CollectorId, settings: object = {}) {
  const parsed = LoggingSettings.parse({ collector, ...settings });
  return logPipeline(parsed, { cluster: "dev", region: "eu-central-1", teams: TEAMS });
}

/** The first file of a collector's configuration. */
function fileOf(collector: CollectorId, settings: object = {}): string {
  const [text = ""] = Object.values(COLLECTORS[collector]?.render(pipelineOf(collector, settings)).files ?? {});
  return text;
}

const LOKI = { destination: { kind: "loki", url: "http://loki.monitoring.svc:3100" } };

describe("The team of a record", () => {
  it("is that of the namespace in the settings, if its name does not contain it", () => {
    assert.deepEqual(teamNames(TEAMS), EXPECTED);
    assert.deepEqual(teamNames([{ name: "ts" }]), {});
    assert.deepEqual(teamNames(), {});
  });

  it("has today's index of each of its namespaces", () => {
    const format = IndexFormat.parse({ splitBy: "namespace" });
    assert.deepEqual(todaysIndices(format, TEAMS.slice(0, 2), new Date("2026-11-28T12:00:00Z")), [
      "logs-pay-api-2026.11.28",
      "logs-pay-web-2026.11.28",
      "logs-payments-team-2026.11.28",
      "logs-ts-team-2026.11.28",
    ]);
  });

  it("is set by Fluent Bit by tag, overriding the name, also in the key that indices are split by", () => {
    const destination = { kind: "opensearch", host: "search.example.com" };
    const { filters } = parse(fileOf("fluent-bit", { destination, index: { splitBy: "team" } })).pipeline;
    const parser = filters.findIndex((each: Record<string, unknown>) => each.parser === "team");
    assert.deepEqual(filters.slice(parser + 1, parser + 3), [
      { name: "modify", match_regex: "^kube\\.(sa-team)_", set: ["team ops", "index_split ops"] },
      { name: "modify", match_regex: "^kube\\.(pay-api|pay-web)_", set: ["team payments", "index_split payments"] },
    ]);
    assert.deepEqual(parse(fileOf("fluent-bit")).pipeline.filters[parser + 1].set, ["team ops"]);
  });

  it("is set by Vector, the OpenTelemetry Collector, Fluentd and Promtail", () => {
    const { source } = parse(fileOf("vector")).transforms.records;
    assert.ok(source.includes(`teams = ${JSON.stringify(EXPECTED)}\n`), source);
    assert.ok(source.includes('if owner != "" { .team = owner }\n'), source);
    const otlp = { destination: { kind: "otlp", url: "https://otel.example.com:4318" } };
    const { statements } = parse(fileOf("opentelemetry", otlp)).processors.transform.log_statements[0];
    assert.deepEqual(
      statements.filter((each: string) => each.includes('["team"], "')).slice(1),
      Object.entries(EXPECTED).map(
        ([namespace, team]) =>
          `set(resource.attributes["team"], "${team}") where resource.attributes["k8s.namespace.name"] == "${namespace}"`,
      ),
    );
    assert.ok(fileOf("fluentd").includes(`teams '${JSON.stringify(EXPECTED)}'`), fileOf("fluentd"));
    const relabeling = parse(fileOf("promtail", LOKI)).scrape_configs[0].relabel_configs;
    assert.deepEqual(
      relabeling.filter((each: Record<string, unknown>) => each.target_label === "team").slice(1),
      Object.entries(EXPECTED).map(([regex, replacement]) => ({
        source_labels: ["__meta_kubernetes_namespace"],
        regex,
        replacement,
        target_label: "team",
      })),
    );
  });

  it("is set by Filebeat's script", () => {
    const { teamOf } = runInNewContext(`${recordScript(pipelineOf("filebeat"))}; ({ teamOf: teamOf })`);
    assert.deepEqual(
      ["pay-api", "sa-team", "ts-team", "kube-system", "constructor"].map((namespace) => teamOf(namespace)),
      ["payments", "ops", "ts", "", ""],
    );
  });

  it("is an option of Logagent's plugin", () => {
    assert.deepEqual(parse(fileOf("logagent")).input.logs.node.teams, Object.entries(EXPECTED));
  });
});
