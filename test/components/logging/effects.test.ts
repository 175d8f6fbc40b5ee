import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Collector } from "../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { logPipeline, NODE } from "../../../components/logging/pipeline.ts";
import { PROCESSING_STEPS } from "../../../components/logging/processing/settings.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { checkLogging } from "../../../components/logging/validation.ts";
import { DESTINATIONS, POD } from "./collectors/pipelines.ts";

/** A value other than the default of every setting that a collector's own configuration may show. */
const VALUES: Readonly<Record<string, object>> = {
  "index.prefix": { index: { prefix: "pods" } },
  "index.separator": { index: { separator: "_" } },
  "index.datePattern": { index: { datePattern: "yyyy.MM" } },
  "index.timeZone": { index: { timeZone: "Europe/Madrid" } },
  "index.splitBy": { index: { splitBy: "team", prefix: "pods" } },
  "namespaces.include": { namespaces: { include: ["ts-team"] } },
  "namespaces.exclude": { namespaces: { exclude: ["kube-system"] } },
  labels: { labels: { tier: "web" } },
  multiline: { multiline: [] },
  parseJson: { parseJson: false },
  "metadata.labels": { metadata: { labels: false } },
  "metadata.annotations": { metadata: { annotations: true } },
  "buffer.size": { buffer: { size: "1Gi" } },
};

/** Settings that act elsewhere than in a collector's configuration, or choose it, or are refused where they have no effect. */
const ELSEWHERE = new Set([
  "collector",
  "mode",
  "namespace",
  "destination",
  "destinations",
  "routes",
  "sidecar.destinationCidrs",
  "sidecar.destinationPort",
  "sources",
  "buffer.whenFull",
  "resources.cpu",
  "resources.memory",
  "resources.memoryLimit",
  "image",
  // Without the source events, a warning of its own.
  "events.image",
  // What a collector cannot do of these is refused.
  "metadata.cluster",
  // Refused without metadata.cluster.
  "metadata.accountId",
  ...PROCESSING_STEPS.map((step) => `processing.${step}`),
]);

const JsonObject = z.looseObject({ properties: z.record(z.string(), z.unknown()) });

/** Paths of a schema's settings. */
function leaves(schema: unknown, path = ""): string[] {
  const { data } = JsonObject.safeParse(schema);
  if (data === undefined) return [path];
  return Object.entries(data.properties).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

function rendered(collector: Collector, settings: LoggingSettings): object {
  const source = settings.mode === "daemonset" ? NODE : ({ kind: "application", pod: POD } as const);
  return collector.render(
    logPipeline(settings, { cluster: "dev", region: "eu-central-1", teams: [{ name: "ts" }] }, source),
  );
}

describe("A setting without effect", () => {
  it("is tested for all settings", () => {
    const schema = z.toJSONSchema(LoggingSettings, { io: "input", unrepresentable: "any" });
    assert.deepEqual(leaves(schema).sort(), [...Object.keys(VALUES), ...ELSEWHERE].sort());
  });

  for (const collector of Object.values(COLLECTORS)) {
    for (const mode of collector.modes) {
      it(`is reported, and no other: ${collector.title}, ${mode}, every destination`, () => {
        for (const destination of DESTINATIONS) {
          const always = { collector: collector.id, mode, destination, sidecar: {} };
          const usual = LoggingSettings.parse(always);
          // What this collector cannot do at all is refused elsewhere.
          const isRefused = checkLogging(usual, "eks").some(
            ({ path, severity }) => severity !== "warning" && path[0] !== "sidecar" && path[0] !== "index",
          );
          if (isRefused) continue;
          const before = rendered(collector, usual);
          for (const [path, value] of Object.entries(VALUES)) {
            const settings = LoggingSettings.parse({ ...always, ...value });
            const found = checkLogging(settings, "eks");
            if (found.some(({ severity }) => severity !== "warning")) continue;
            const hasEffect = !isDeepStrictEqual(rendered(collector, settings), before);
            const isReported = found.some((issue) => issue.path.join(".") === path);
            assert.equal(isReported, !hasEffect, `${path} with ${JSON.stringify(destination)}`);
          }
        }
      });
    }
  }

  for (const collector of Object.values(COLLECTORS)) {
    for (const mode of collector.modes) {
      it(`is buffer.whenFull where both values do the same: ${collector.title}, ${mode}, every destination`, () => {
        for (const destination of DESTINATIONS) {
          const issuesOf = (settings: LoggingSettings) =>
            checkLogging(settings, "eks").filter(({ path }) => path[0] !== "sidecar" && path[0] !== "index");
          const [drop, block] = (["drop-oldest", "block"] as const).map((whenFull) =>
            LoggingSettings.parse({ collector: collector.id, mode, destination, buffer: { whenFull, size: "1Gi" } }),
          );
          assert.ok(drop && block);
          const found = [drop, block].map(issuesOf);
          // What the collector cannot do is refused elsewhere.
          if (found.flat().some(({ severity }) => severity !== "warning")) continue;
          const same = isDeepStrictEqual(rendered(collector, drop), rendered(collector, block));
          for (const issues of found)
            assert.equal(
              issues.some(({ path }) => path.join(".") === "buffer.whenFull"),
              same,
              JSON.stringify(destination),
            );
        }
      });
    }
  }

  it("is reported with its value", () => {
    const settings = LoggingSettings.parse({ destination: { kind: "http", url: "http://h/x", verify: false } });
    assert.deepEqual(
      checkLogging(settings, "eks").map(({ value }) => value),
      [false],
    );
  });

  it("is reported with its reason", () => {
    const warnings = (settings: object) =>
      checkLogging(LoggingSettings.parse(settings), "eks").map(
        ({ path, message, severity }) => `${severity} ${path.join(".")}: ${message}`,
      );
    for (const kind of ["cloudwatch", "s3", "stdout", "file"]) {
      assert.deepEqual(warnings({ destination: { kind }, index: { splitBy: "namespace" } }), [
        `warning index.splitBy: has no effect with destination ${kind}, which has no indices`,
      ]);
    }
    assert.deepEqual(warnings({ destination: { kind: "http", url: "http://h/x", verify: false } }), [
      "warning destination.verify: has no effect with collector Fluent Bit, mode daemonset and destination http",
    ]);
    assert.deepEqual(warnings({ collector: "tail", mode: "sidecar", parseJson: false, multiline: [] }), [
      "warning multiline: has no effect with collector tail, mode sidecar and destination stdout",
      "warning parseJson: has no effect with collector tail, mode sidecar and destination stdout",
    ]);
    assert.deepEqual(warnings({ collector: "tail", mode: "sidecar", buffer: { whenFull: "block" } }), [
      "warning buffer.whenFull: has no effect with collector tail, mode sidecar and destination stdout",
    ]);
    assert.deepEqual(warnings({ namespaces: { include: ["shop"], exclude: ["kube-system"] } }), [
      "warning namespaces.exclude: has no effect with include, since only its namespaces are read",
    ]);
    const kafka = { kind: "kafka", brokers: ["kafka.example.com:9092"], topic: "logs" };
    const lines = "loses lines when Fluent Bit is killed: up to 16 MB that no broker has acknowledged wait in memory";
    assert.deepEqual(warnings({ destination: { ...kafka, mechanism: "PLAIN" } }), [
      `warning destination.kind: ${lines}`,
      "warning destination.mechanism: has no effect with collector Fluent Bit, mode daemonset and destination kafka",
    ]);
    assert.deepEqual(warnings({ destination: { ...kafka, mechanism: "PLAIN", credentials: { secretName: "k" } } }), [
      `warning destination.kind: ${lines}`,
    ]);
    const destinations = { a: { ...kafka, mechanism: "PLAIN" }, b: { kind: "http", url: "http://h/x", verify: false } };
    assert.deepEqual(warnings({ destinations }), [
      `warning destinations.a.kind: ${lines}`,
      "warning destinations.a.mechanism: has no effect with collector Fluent Bit, mode daemonset and destination kafka",
      "warning destinations.b.verify: has no effect with collector Fluent Bit, mode daemonset and destination http",
    ]);
    // TLS by default, written out.
    for (const tls of [true, {}, { verify: true }])
      assert.deepEqual(warnings({ destination: { kind: "opensearch", host: "search.example.com", tls } }), []);
    // A list in another order is the default.
    assert.deepEqual(warnings({ multiline: ["node", "go", "python", "java"] }), []);
  });
});
