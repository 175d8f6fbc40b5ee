import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { logagent } from "../../../../../components/logging/collectors/logagent/index.ts";
import { logPipeline } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";

/** Names the programs of which TypeScript makes something else for an engine of 2019 than for a new one. Apart, for its 100 MB. */
const COMPARE = `
import ts from "typescript";
import { text } from "node:stream/consumers";
const written = (program, target) => ts.transpileModule(program, { compilerOptions: { target, allowJs: true }, fileName: "a.cjs" }).outputText;
const newer = Object.entries(JSON.parse(await text(process.stdin)))
  .filter(([, program]) => written(program, ts.ScriptTarget.ES2019) !== written(program, ts.ScriptTarget.ESNext))
  .map(([name]) => name);
process.stdout.write(JSON.stringify(newer));`;

function newerThan2019(programs: Readonly<Record<string, string>>): unknown {
  const args = ["--input-type=module", "--eval", COMPARE];
  return JSON.parse(execFileSync(process.execPath, args, { input: JSON.stringify(programs), encoding: "utf8" }));
}

describe("Logagent's plugins", () => {
  const { files } = logagent.render(logPipeline(LoggingSettings.parse({}), { cluster: "dev", region: undefined }));
  const programs = Object.fromEntries(Object.entries(files).filter(([name]) => name.endsWith(".cjs")));

  it("are in the JavaScript of Node.js 12, which its image has", () => {
    assert.ok(Object.keys(programs).length > 10);
    const found = newerThan2019({ ...programs, operator: "a ?? b", chain: "a?.b", field: "class A { b = 1 }" });
    assert.deepEqual(found, ["operator", "chain", "field"]);
  });

  it("call nothing that came later, as far as one would write it there", () => {
    const later = /require\("node:|\.replaceAll\(|\.at\(|\.hasOwn\(|rmSync|structuredClone|\.findLast/;
    for (const [name, text] of Object.entries(programs)) assert.doesNotMatch(text, later, name);
  });
});
