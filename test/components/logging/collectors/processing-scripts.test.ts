import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { runInNewContext } from "node:vm";
import { parse } from "yaml";
import { z } from "zod";
import { redactScript } from "../../../../components/logging/collectors/filebeat/configuration.ts";
import { filebeat } from "../../../../components/logging/collectors/filebeat/index.ts";
import type scripts from "../../../../components/logging/collectors/logagent/processing.cjs";
import type { LogPipeline } from "../../../../components/logging/pipeline.ts";
import { scriptRules } from "../../../../components/logging/processing/processing.ts";
import { REDACTION_KINDS } from "../../../../components/logging/processing/redaction.ts";
import { ODD_SECRETS } from "../../../support/collectors/json-secrets.ts";
import {
  CASES_OF_LINES,
  POD_LABELS,
  PROCESSING,
  type ProcessingCase,
} from "../../../support/collectors/processing-cases.ts";
import { OWN_REDACTION, plantedLines } from "../../../support/collectors/secrets.ts";
import { pipelines } from "./pipelines.ts";

const { createRedactor, createThinner }: typeof scripts = createRequire(import.meta.url)(
  "../../../../components/logging/collectors/logagent/processing.cjs",
);

/** What a script makes of a line; undefined for one that is dropped. */
type Script = (line: string, of: Pick<ProcessingCase, "namespace" | "stream">, number?: number) => string | undefined;

function logagentScript({ processing }: LogPipeline): Script {
  const { redact = [], thin = [] } = scriptRules(processing, "ecmascript") ?? {};
  const [redacted, isThinned] = [createRedactor(redact), createThinner(thin)];
  return (line, { namespace, stream }, thousandth = 0) => {
    const log = redacted(line);
    return isThinned({ log, namespace, stream, labels: POD_LABELS, fields: fieldsOf(log), thousandth })
      ? undefined
      : log;
  };
}

/** The first program of Filebeat, which redacts. */
function filebeatRedaction(pipeline: LogPipeline): (line: string) => unknown {
  const program: (event: object) => void = runInNewContext(`${redactScript(pipeline)} process;`);
  return (line) => {
    let message: unknown;
    program({
      Get: () => line,
      Put: (_key: string, value: unknown) => {
        message = value;
      },
    });
    return message;
  };
}

/** The programs of Filebeat, and what its own processors do between them. */
function filebeatScript(pipeline: LogPipeline): Script {
  const { processors } = parse(filebeat.render(pipeline).files["filebeat.yml"] ?? "");
  const programs = z
    .array(z.object({ script: z.object({ source: z.string() }).optional() }))
    .parse(processors)
    .flatMap(({ script }) => script ?? [])
    .map(({ source }): ((event: object) => void) => runInNewContext(`${source} process;`));
  const labels = Object.entries(POD_LABELS).map(([key, value]) => [key.replaceAll(".", "_"), value]);
  return (line, { namespace, stream }, number = 0) => {
    const values = new Map<string, unknown>([
      ["message", line],
      ["stream", stream],
      ["log.file.path", `/var/log/pods/${namespace}_p_1/c/0.log`],
      ["kubernetes", { labels: Object.fromEntries(labels) }],
      ["@metadata._id", number.toString(16).padStart(8, "0").padEnd(64, "f")],
    ]);
    const event = {
      Get: (key: string) => values.get(key) ?? null,
      Put: (key: string, value: unknown) => values.set(key, value),
      Delete: (key: string) => values.delete(key),
      Cancel: () => values.clear(),
    };
    for (const program of programs) {
      program(event);
      values.set("fields", fieldsOf(String(values.get("message"))));
    }
    return values.get("kubernetes") === undefined ? undefined : String(values.get("log"));
  };
}

function fieldsOf(log: string): unknown {
  return log.startsWith("{") ? JSON.parse(log) : undefined;
}

const pipelineOf = (processing: object, collector = "filebeat") =>
  pipelines({ collector, destination: { kind: "elasticsearch", host: "h" } })({ processing });

for (const [name, scriptOf] of Object.entries({ Logagent: logagentScript, Filebeat: filebeatScript })) {
  describe(`The script of ${name}`, () => {
    const script = scriptOf(pipelineOf(PROCESSING));

    for (const one of CASES_OF_LINES)
      it(`does as each collector: ${one.why}`, () => {
        const made = one.lines.flatMap((line) => script(line, one) ?? []);
        assert.deepEqual(made, one.wanted);
      });

    it("keeps each line of a joined record, and masks each, with and without a rule to redact", () => {
      const lines = "first of a@b.io\n  second of c@d.io\n\n  last";
      const of: Parameters<Script>[1] = { namespace: "shop", stream: "stdout" };
      assert.equal(script(lines, of), lines.replaceAll(/\w@\w\.io/g, "[REDACTED:email]"));
      assert.equal(scriptOf(pipelineOf({}))(lines, of), lines);
      const dropping = scriptOf(pipelineOf({ drop: [{ pattern: "second" }] }));
      assert.deepEqual([dropping(lines, of), dropping("first", of)], [undefined, "first"]);
    });

    it("keeps as many thousandths of a sample as the ratio says, and all lines of others", () => {
      const kept = (namespace: string) =>
        Array.from({ length: 1000 }, (_, at) => script("x", { namespace, stream: "stdout" }, at)).filter(
          (line) => line !== undefined,
        ).length;
      assert.deepEqual([kept("sampled"), kept("elsewhere")], [250, 1000]);
    });
  });
}

describe("The script of Logagent and Filebeat", () => {
  it("masks 3,000 planted secrets in 13,000 lines, and nothing else", () => {
    const pipeline = pipelineOf({ redact: [...REDACTION_KINDS, OWN_REDACTION] });
    const { redact = [] } = scriptRules(pipeline.processing, "ecmascript") ?? {};
    for (const redacted of [createRedactor(redact), filebeatRedaction(pipeline)]) {
      const missed = [...plantedLines(2), ...ODD_SECRETS].filter(({ text, masked }) => redacted(text) !== masked);
      assert.deepEqual(missed.slice(0, 3), []);
    }
  });

  it("drops lines that its engine cannot search, rather than send them unmasked", () => {
    const redact = createRedactor([{ pattern: "^(?:(?:a|b)|c)*d", replacement: ["x"], luhn: false }]);
    assert.equal(redact("a".repeat(2 ** 24)), "[REDACTED]");
  });
});

describe("Filebeat's processing", () => {
  it("has no character in its programs that is a line terminator in ECMAScript 5", () => {
    const separators = "a\u2028b\u2029c";
    const pipeline = pipelineOf({
      redact: [{ pattern: "x|\u2028", replacement: separators }],
      drop: [{ pattern: "\u2029" }],
    });
    const { processors } = parse(filebeat.render(pipeline).files["filebeat.yml"] ?? "");
    const sources = processors.flatMap(({ script }: { script?: { source: string } }) => script?.source ?? []);
    assert.equal(sources.length, 2);
    for (const source of sources) assert.doesNotMatch(source, /[\u2028\u2029]/);
    assert.equal(filebeatRedaction(pipeline)("x"), separators);
    assert.equal(filebeatScript(pipeline)("\u2028", { namespace: "shop", stream: "stdout" }), undefined);
  });

  const rendered = (processing: object, more: object = {}) => {
    const destination = { kind: "elasticsearch", host: "h" };
    const { files } = filebeat.render(pipelines({ collector: "filebeat", destination })({ processing, ...more }));
    return { main: parse(files["filebeat.yml"] ?? ""), inputs: parse(files["inputs.yml"] ?? "") };
  };

  it("redacts before it derives an id from the line and parses its JSON, and limits last", () => {
    const { main } = rendered({
      redact: ["email"],
      limit: [{ linesPerSecond: 9 }, { namespaces: ["a"], linesPerSecond: 3 }],
    });
    const names = main.processors.map((step: object) => Object.keys(step)[0]);
    assert.deepEqual(names.slice(0, 1), ["script"]);
    assert.ok(names.lastIndexOf("script") > names.indexOf("decode_json_fields"));
    const fields = ["kubernetes.namespace_name", "kubernetes.pod_name"];
    const limits = main.processors.filter((step: object) => "rate_limit" in step);
    assert.deepEqual(limits, [
      { rate_limit: { limit: "9/s", fields } },
      { rate_limit: { limit: "3/s", fields, when: { or: [{ equals: { "kubernetes.namespace_name": "a" } }] } } },
    ]);
    assert.ok(names.lastIndexOf("script") < names.indexOf("rate_limit"));
  });

  it("has separate inputs for each rule for first lines, and reads each file once", () => {
    const firstLines = [
      { namespaces: ["a", "b"], pattern: "^A" },
      { namespaces: ["b", "c"], pattern: "^B" },
    ];
    const { inputs } = rendered({ firstLines }, { multiline: [] });
    const found = inputs.map(({ id, paths, parsers, ...rest }: Record<string, unknown[]>) => [
      id,
      String(paths?.[0]),
      rest["prospector.scanner.exclude_files"],
      parsers?.flatMap((parser) =>
        typeof parser === "object" && parser !== null && "multiline" in parser ? [parser.multiline] : [],
      ),
    ]);
    const join = (pattern: string) => [
      { type: "pattern", pattern, negate: true, match: "after", max_lines: 1000, timeout: "1s" },
    ];
    const without = (...names: string[]) => names.map((name) => `^/var/log/pods/${name}_`);
    assert.deepEqual(found, [
      ["pods-first-0-stdout", "/var/log/pods/a_*/*/*.log", without("logging"), join("\\AA")],
      ["pods-first-0-stderr", "/var/log/pods/a_*/*/*.log", without("logging"), join("\\AA")],
      ["pods-first-1-stdout", "/var/log/pods/c_*/*/*.log", without("logging", "a", "b"), join("\\AB")],
      ["pods-first-1-stderr", "/var/log/pods/c_*/*/*.log", without("logging", "a", "b"), join("\\AB")],
      ["pods", "/var/log/pods/*_*/*/*.log", without("logging", "a", "b", "c"), []],
    ]);
  });
});
