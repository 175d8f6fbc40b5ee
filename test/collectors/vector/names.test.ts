import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordProgram } from "../../../components/logging/collectors/vector/records.ts";
import type { IndexFormat } from "../../../components/logging/indexing/index-format.ts";
import { type LogPipeline, logPipeline } from "../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { INDEX_NAMES, type IndexNameVector } from "../../support/collectors/index-names.ts";
import { indexOf, NAME_CASES, namePipeline } from "../../support/collectors/name-cases.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("vector");

const settingsOf = (index: IndexFormat) => ({ destination: { kind: "opensearch", host: "h" }, index });

/** What Vector calls the indices of these lines, by the very program that is rendered. */
function namesByVector(pipeline: LogPipeline, lines: readonly object[], folder: string): string[] {
  const { index } = pipeline;
  const program = recordProgram(pipeline);
  const files = { input: join(folder, "input.json"), program: join(folder, "program.vrl") };
  writeFileSync(files.input, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  // The source gives a time and not a text.
  const text = program.replace("timestamp(.@timestamp) ?? now()", 'parse_timestamp!(.@timestamp, "%+")');
  writeFileSync(files.program, `${text}. = {"index": %index}\n`);
  const args = ["--quiet", "vrl", "--input", files.input, "--program", files.program, "--print-object"];
  return execFileSync(PROGRAM ?? "", args, { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => /"index": "([^"]*)"/.exec(line)?.[1] ?? [])
    .map((rest) => `${index.prefix}${index.separator}${rest}`);
}

/** A line as the source gives it. */
const lineOf = (at: Date, { namespace, labels }: IndexNameVector["pod"]): object => ({
  message: "x",
  "@timestamp": at.toISOString(),
  kubernetes: { namespace_name: namespace },
  pod_labels: labels,
});

describe("Vector's names of indices", () => {
  before(function () {
    if (PROGRAM !== undefined) return;
    leaveOut(this, whyMissing("vector"));
  });

  for (const { why, format, at, pod, name } of INDEX_NAMES) {
    it(`are ${name}: ${why}`, () => {
      const folder = mkdtempSync(join(tmpdir(), "vector-names-"));
      try {
        // Without teams of the stack's, of which one has a namespace of these.
        const settings = LoggingSettings.parse({ collector: "vector", ...settingsOf(format) });
        const pipeline = logPipeline(settings, { cluster: "", region: undefined });
        assert.deepEqual(namesByVector(pipeline, [lineOf(at, pod)], folder), [name]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it("are those of all collectors, for a thousand formats, teams and dates", () => {
    const folder = mkdtempSync(join(tmpdir(), "vector-names-"));
    try {
      for (const { format, lines } of NAME_CASES) {
        const names = namesByVector(
          namePipeline("vector", settingsOf(format)),
          lines.map((line) => lineOf(line.at, line)),
          folder,
        );
        assert.deepEqual(
          names,
          lines.map((line) => indexOf(format, line)),
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
