import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { routeCondition } from "../../../components/logging/collectors/vector/line-program.ts";
import { destinationProgram, recordProgram } from "../../../components/logging/collectors/vector/records.ts";
import { logPipeline } from "../../../components/logging/pipeline.ts";
import { destinationsOfLine } from "../../../components/logging/routing/routes.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { ROUTED_LABELS, ROUTED_LINES, ROUTES } from "../../support/collectors/routed-lines.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("vector");
const SETTINGS = LoggingSettings.parse({
  collector: "vector",
  destinations: {
    http: { kind: "http", url: "http://h/in" },
    loki: { kind: "loki", url: "http://l" },
    search: { kind: "opensearch", host: "s", tls: false, index: { splitBy: "app", prefix: "pods" } },
  },
  routes: ROUTES,
});

/** Puts the metadata that names an index into the record, which is printed. */
const WITH_INDEX = '.at = %index\n. = {"text": encode_json(.)}\n';

/** Runs a program over records, by Vector itself. */
function run(program: string, records: readonly object[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "vector-routes-"));
  try {
    const files = { input: join(folder, "input.json"), program: join(folder, "program.vrl") };
    writeFileSync(files.input, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    writeFileSync(
      files.program,
      program.replaceAll("timestamp(.@timestamp) ?? now()", 'parse_timestamp!(.@timestamp, "%+")'),
    );
    const args = ["--quiet", "vrl", "--input", files.input, "--program", files.program, "--print-object"];
    return execFileSync(PROGRAM ?? "", args, { encoding: "utf8" })
      .split("\n")
      .filter((line) => line !== "");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("Vector with routes", () => {
  before(function () {
    if (PROGRAM !== undefined) return;
    leaveOut(this, whyMissing("vector"));
  });

  const pipeline = logPipeline(SETTINGS, { cluster: "", region: undefined });
  const records = ROUTED_LINES.map(({ text, known: { namespace, stream } }) => ({
    message: text,
    stream,
    "@timestamp": "2026-02-01T10:00:00Z",
    kubernetes: { namespace_name: namespace },
    pod_labels: ROUTED_LABELS,
  }));

  it("sends each line to the destinations of its routes, and nowhere else", () => {
    const conditions = pipeline.branches.map(
      ({ name, selections }) => `to_${name} = { ${routeCondition(selections) ?? "true"} }\n`,
    );
    const result = `. = {${pipeline.branches.map(({ name }) => `"${name}": to_${name}`).join(", ")}}\n`;
    const found = run(`${recordProgram(pipeline)}${conditions.join("")}${result}`, records);
    assert.equal(found.length, ROUTED_LINES.length);
    for (const [at, { text, known }] of ROUTED_LINES.entries()) {
      const to = Object.entries(JSON.parse(found[at] ?? "{}")).flatMap(([name, goes]) => (goes === true ? [name] : []));
      assert.deepEqual(to, destinationsOfLine(pipeline.branches, known), `${JSON.stringify(known)} ${text}`);
    }
  });

  it("gives each destination the record that it would get alone", () => {
    const lines = [
      ...records,
      { ...records[0], message: JSON.stringify({ "a.b": "x".repeat(33_000) }) },
      { ...records[0], message: '{"a.b":{"c.d":1}}' },
    ];
    for (const branch of pipeline.branches) {
      const { name = "" } = branch;
      const own = { index: undefined, buffer: undefined, wasDestination: undefined };
      const destination = { ...SETTINGS.destinations?.[name], ...own };
      const only = LoggingSettings.parse({
        collector: "vector",
        destination: JSON.parse(JSON.stringify(destination)),
        index: branch.index,
      });
      const alone = run(`${recordProgram(logPipeline(only, pipeline.context))}${WITH_INDEX}`, lines);
      // The metadata of a record goes from one transform to the next; here they are two programs.
      const all = '. = {"text": encode_json({"of": ., "labels": %labels, "origin": %origin})}\n';
      const shared = run(`${recordProgram(pipeline)}${all}`, lines);
      const taken =
        "taken = parse_json!(.text)\n%labels = taken.labels\n%origin = taken.origin\n. = object(taken.of) ?? {}\n";
      const several = run(
        `${taken}${destinationProgram(branch) ?? ""}${WITH_INDEX}`,
        shared.map((text) => JSON.parse(text)),
      );
      const texts = (printed: readonly string[]) => printed.map((each) => JSON.parse(JSON.parse(each).text));
      assert.equal(alone.length, lines.length);
      assert.deepEqual(texts(several), texts(alone), name);
    }
  });
});
