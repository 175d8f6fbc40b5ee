import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { recordProgram } from "../../../components/logging/collectors/vector/records.ts";
import { type IndexFormat, indexName, teamOf } from "../../../components/logging/indexing/index-format.ts";
import { logPipeline } from "../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { anyFormat, anyTime } from "../../components/logging/arbitraries.ts";
import { INDEX_NAMES, type IndexNameVector } from "../../support/collectors/index-names.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("vector");
/** Namespaces and labels that Kubernetes takes. */
const anyPod = fc.record({
  namespace: fc.constantFrom("ts-team", "sa-team", "kube-system", "a", "x".repeat(63)),
  app: fc.constantFrom(undefined, "curl", "Web_1.x", "Z".repeat(63)),
});

/** What Vector calls the indices of these lines, by the very program that is rendered. */
function namesByVector(index: IndexFormat, lines: readonly object[], folder: string): string[] {
  const settings = LoggingSettings.parse({ destination: { kind: "opensearch", host: "h" }, index });
  const program = recordProgram(logPipeline(settings, { cluster: "", region: undefined }));
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
        assert.deepEqual(namesByVector(format, [lineOf(at, pod)], folder), [name]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it("are those of the model, for any format, date and pod", () => {
    const folder = mkdtempSync(join(tmpdir(), "vector-names-"));
    const cases = fc.array(fc.tuple(anyTime, anyPod), { minLength: 25, maxLength: 25 });
    try {
      fc.assert(
        fc.property(anyFormat, cases, (format, lines) => {
          const names = namesByVector(
            format,
            lines.map(([time, { namespace, app }]) =>
              lineOf(time, { namespace, labels: app === undefined ? {} : { "app.kubernetes.io/name": app } }),
            ),
            folder,
          );
          const expected = lines.map(([time, { namespace, app }]) =>
            indexName(format, time, { namespace, app, team: teamOf(namespace) }),
          );
          assert.deepEqual(names, expected);
        }),
        { numRuns: 40 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
