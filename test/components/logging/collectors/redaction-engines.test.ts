import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { fluentBit } from "../../../../components/logging/collectors/fluent-bit/index.ts";
import { opentelemetry } from "../../../../components/logging/collectors/opentelemetry/index.ts";
import { vector } from "../../../../components/logging/collectors/vector/index.ts";
import { REDACTION_KINDS } from "../../../../components/logging/processing/redaction.ts";
import { ODD_SECRETS } from "../../../support/collectors/json-secrets.ts";
import { OWN_REDACTION, plantedLines } from "../../../support/collectors/secrets.ts";
import { pipelines } from "./pipelines.ts";

const PROCESSING = { processing: { redact: [...REDACTION_KINDS, OWN_REDACTION] } };
const LINES = [...plantedLines(3), ...ODD_SECRETS];

/** A replacement of all matches, by the text of an engine for it. */
type Replace = (line: string) => string;

function replaceAll(regex: string, replacement: string): Replace {
  const compiled = new RegExp(regex.replaceAll("\\A", "^").replaceAll("\\z", "$"), "g");
  return (line) =>
    line.replace(compiled, (_all, ...groups: unknown[]) =>
      replacement.replaceAll(/\$\{(\d+)\}/g, (_name, number) => String(groups[Number(number) - 1] ?? "")),
    );
}

/** A condition of an operator: that a line has a text, or that an expression matches in it. */
function conditionOf(condition: string): (line: string) => boolean {
  const [, contains, value = ""] = /^body (contains|matches) (".*")$/.exec(condition) ?? [];
  const wanted: string = JSON.parse(value);
  const regex = new RegExp(wanted.replaceAll("\\A", "^").replaceAll("\\z", "$"));
  return (line) => (contains === "contains" ? line.includes(wanted) : regex.test(line));
}

function misses(redact: Replace): unknown[] {
  return LINES.filter(({ text, masked }) => redact(text) !== masked).slice(0, 3);
}

describe("Redaction as it is rendered", () => {
  it("runs in Fluent Bit after lines are joined and before their JSON is parsed, and limits run last", () => {
    const Filters = z.array(
      z.looseObject({ name: z.string(), alias: z.string().optional(), merge_log: z.string().optional() }),
    );
    const filters = (settings: object, source?: "application") => {
      const pipeline = pipelines({ destination: { kind: "opensearch", host: "h" } })(settings, source);
      return Filters.parse(parse(fluentBit.render(pipeline).files["fluent-bit.yaml"] ?? "").pipeline.filters);
    };
    for (const source of [undefined, "application"] as const) {
      const rendered = filters(PROCESSING, source);
      const at = rendered.findIndex(({ alias }) => alias === "redact");
      assert.ok(rendered.findLastIndex(({ name }) => name === "multiline") < at);
      assert.ok(at < rendered.findIndex(({ merge_log }) => merge_log === "on"));
    }
    const { redact } = PROCESSING.processing;
    const processing = { redact, drop: [{ levels: ["debug"] }], limit: [{ linesPerSecond: 9 }] };
    const order = filters({ processing }).flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
    assert.deepEqual(order, ["redact", "drop_records", "limit_0"]);
    const early = filters({ processing: { ...processing, drop: [{ pattern: "x" }] } });
    assert.deepEqual(
      early.flatMap(({ alias }) => (alias === undefined ? [] : [alias])),
      ["redact", "drop_lines", "limit_0"],
    );
  });

  it("masks planted secrets with OpenTelemetry's operators, one after another", () => {
    const Operators = z.array(
      z.object({
        type: z.string(),
        regex: z.string().optional(),
        replace_with: z.string().optional(),
        if: z.string().optional(),
      }),
    );
    const pipeline = pipelines({ collector: "opentelemetry", destination: { kind: "elasticsearch", host: "e" } })(
      PROCESSING,
    );
    const { receivers } = parse(opentelemetry.render(pipeline).files["config.yaml"] ?? "");
    const operators = Operators.parse(receivers.file_log.operators);
    const kinds = operators.map(({ type }) => type);
    assert.ok(kinds.lastIndexOf("regex_replace") < kinds.indexOf("json_parser"));
    const steps = operators
      .filter(({ type }) => type === "regex_replace")
      .map(({ regex = "", replace_with = "", if: condition }) => {
        // In the configuration `$$` is one `$`.
        const replace = replaceAll(regex, replace_with.replaceAll("$$", "$"));
        const needs = (condition?.split(" and ") ?? []).map(conditionOf);
        return (line: string) => (needs.every((holds) => holds(line)) ? replace(line) : line);
      });
    assert.deepEqual(
      misses((line) => steps.reduce((text, step) => step(text), line)),
      [],
    );
  });

  it("masks planted secrets in Vector's program, before JSON is parsed", () => {
    const pipeline = pipelines({ collector: "vector", destination: { kind: "http", url: "http://h.example.com" } })(
      PROCESSING,
    );
    const { transforms } = parse(vector.render(pipeline).files["vector.yaml"] ?? "");
    const program = z.string().parse(transforms.records.source);
    assert.ok(program.lastIndexOf("line = replace") < program.indexOf("parse_json(line)"));
    const statement =
      /^(?:if (?<condition>.*) \{\n {2})?line = replace(?:\(line, r'(?<plain>.*)', (?<text>".*")\)|_with\(line, r'(?<marked>.*)'\)[^}]*bare == ""[\s\S]*?\n\}|_with\(line, r'(?<card>.*)'\)[\s\S]*?\{ (?<masked>.*) \} else \{ found.string \})$/gm;
    const steps = [...program.matchAll(statement)].map(({ groups = {} }) => {
      const { condition = "", plain, text = '""', marked, card, masked = "" } = groups;
      const ascii = (regex: string) =>
        regex.replaceAll("(?-u:\\b)", "\\b").replaceAll("\\A", "^").replaceAll("\\z", "$");
      if (marked !== undefined) {
        const needs = [...condition.matchAll(/match\(line, r'([^']*)'\)/g)].map(
          ([, need = ""]) => new RegExp(ascii(need)),
        );
        assert.equal(needs.length, 2);
        const regex = new RegExp(ascii(marked), "g");
        return (line: string) =>
          needs.every((need) => need.test(line))
            ? line.replace(regex, (_all, inside: string | undefined, bare: string) => inside ?? `"${bare}"`)
            : line;
      }
      if (plain !== undefined) return replaceAll(ascii(plain), JSON.parse(text));
      const after: string = JSON.parse(masked.replace('(string(found.captures[0]) ?? "") + ', ""));
      const regex = new RegExp(ascii(card ?? ""), "g");
      return (line: string) =>
        line.replace(regex, (all, before: string, number: string) => (luhn(number) ? before + after : all));
    });
    assert.equal(steps.length, pipeline.processing.redact.length);
    assert.deepEqual(
      misses((line) => steps.reduce((text, step) => step(text), line)),
      [],
    );
  });
});

/** As the program counts. */
function luhn(number: string): boolean {
  const digits = number.replaceAll(/[^0-9]/g, "");
  const sum = [...digits].reduce((total, digit, at) => {
    const value = Number(digit) * ((digits.length - at - 1) % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
