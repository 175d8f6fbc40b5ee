import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { fluentBit } from "../../../../components/logging/collectors/fluent-bit/index.ts";
import { thinningFilter } from "../../../../components/logging/collectors/opentelemetry/line-statements.ts";
import { limits, redactProgram, thinProgram } from "../../../../components/logging/collectors/vector/line-program.ts";
import { logPipeline } from "../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";

const PROCESSING = {
  drop: [{ pattern: "^GET /health" }, { namespaces: ["shop", "web"], streams: ["stderr"], labels: { tier: "a" } }],
  sample: [{ teams: ["ts"], ratio: 0.25 }],
  limit: [{ linesPerSecond: 30 }, { namespaces: ["shop"], linesPerSecond: 5 }],
};

function pipelineOf(collector: string, processing: object = PROCESSING) {
  const destination = { kind: "elasticsearch", host: "search.example.com" };
  return logPipeline(LoggingSettings.parse({ collector, destination, processing }), {
    cluster: "dev",
    region: undefined,
    teams: [{ name: "ts" }],
  });
}

/** What each collector is told to drop, as the real programs were seen to do it in test/collectors/processing.test.ts. */
describe("The steps that drop, sample and limit", () => {
  it("are conditions of the OpenTelemetry Collector's filter: each drops what meets all of a rule", () => {
    const hash = 'FNV(Concat([log.time_unix_nano, log.body["log"]], " "))';
    const rest = `${hash} - ${hash} / 1000 * 1000`;
    const from = (name: string) => `resource.attributes["k8s.namespace.name"] == "${name}"`;
    assert.deepEqual(thinningFilter(pipelineOf("opentelemetry").processing), {
      "filter/.processing": {
        error_mode: "ignore",
        log_conditions: [
          'IsMatch(log.body["log"], "\\\\AGET\\\\x20\\\\x2fhealth")',
          `((${from("shop")} or ${from("web")}) and resource.attributes["label/tier"] == "a" and log.body["stream"] == "stderr")`,
          // The rest of a negative number is negative.
          `${from("ts-team")} and (${rest} >= 250 or ${rest} <= -250)`,
        ],
      },
    });
    assert.deepEqual(thinningFilter(pipelineOf("opentelemetry", {}).processing), {});
  });

  it("are statements of Vector's transform that drop a record", () => {
    assert.deepEqual(thinProgram(pipelineOf("vector").processing).trim().split("\n"), [
      "if match(line, r'\\AGET\\x20\\x2fhealth') { abort }",
      'if includes(["shop","web"], .kubernetes.namespace_name) && labels."tier" == "a" && includes(["stderr"], .stream) { abort }',
      'if includes(["ts-team"], .kubernetes.namespace_name) && mod(to_unix_timestamp(time, unit: "microseconds"), 1000) >= 250 { abort }',
    ]);
    assert.equal(thinProgram(pipelineOf("vector", {}).processing), "");
  });

  it("write no replacement that VRL expands as a variable, or Vector as a secret", () => {
    const redact = ["{{x}}", "{{{y}}", "SECRET[a.b]"].map((replacement) => ({ pattern: "p", replacement }));
    const program = redactProgram(pipelineOf("vector", { redact }).processing);
    const texts = [...program.matchAll(/"\$\{1\}([^"]*)"\)$/gm)].map(([, text]) => text);
    assert.deepEqual(texts, [String.raw`\{{x}}`, String.raw`\{\{{y}}`, String.raw`SECRET\u{5b}a.b]`]);
  });

  it("are a chain of Vector's throttles, each of which counts by pod", () => {
    const throttle = {
      type: "throttle",
      key_field: "{{ kubernetes.namespace_name }}/{{ kubernetes.pod_name }}",
      window_secs: 1,
    };
    const elsewhere = { type: "vrl", source: '!includes(["shop"], .kubernetes.namespace_name)' };
    assert.deepEqual(limits(pipelineOf("vector").processing, "lines", "made"), {
      "limit-0": { ...throttle, inputs: ["lines"], threshold: 30 },
      made: { ...throttle, inputs: ["limit-0"], threshold: 5, exclude: elsewhere },
    });
  });

  it("keep as many thousandths of the lines with Fluent Bit as the ratio says", () => {
    for (const kept of [1, 7, 99, 100, 250, 333, 501, 990, 999]) {
      const pattern = dropped(kept / 1000);
      const times = Array.from(
        { length: 1000 },
        (_, at) => `2026-02-01T10:00:00.123${String(at).padStart(3, "0")}789Z`,
      );
      assert.equal(times.filter((time) => !pattern.test(time)).length, kept, `${pattern}`);
    }
  });
});

const Filters = z.object({ pipeline: z.object({ filters: z.array(z.looseObject({})) }) });

/** The times of lines that a sample of this ratio marks to be dropped. */
function dropped(ratio: number): RegExp {
  const { files } = fluentBit.render(pipelineOf("fluent-bit", { sample: [{ ratio }] }));
  const { filters } = Filters.parse(parse(files["fluent-bit.yaml"] ?? "")).pipeline;
  const [mark] = filters.filter(({ set }) => set === "dropped yes");
  const condition = /^key_value_matches time (.+)$/.exec(String(mark?.condition))?.[1];
  assert.ok(condition !== undefined, JSON.stringify(filters));
  return new RegExp(condition);
}
