import assert from "node:assert/strict";
import ts from "typescript";
import { logagent } from "../../../../../components/logging/collectors/logagent.ts";
import { logPipeline } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";

/** What TypeScript makes of a program for an engine of that age. */
const written = (text: string, target: ts.ScriptTarget) =>
  ts.transpileModule(text, { compilerOptions: { target, allowJs: true }, fileName: "plugin.cjs" }).outputText;

describe("Logagent's plugins", () => {
  const { files } = logagent.render(logPipeline(LoggingSettings.parse({}), { cluster: "dev", region: undefined }));
  for (const [name, text] of Object.entries(files).filter(([name]) => name.endsWith(".cjs"))) {
    it(`are in the JavaScript of Node.js 12, which its image has: ${name}`, () => {
      assert.equal(written(text, ts.ScriptTarget.ES2019), written(text, ts.ScriptTarget.ESNext));
      // What came later to the library, as far as one would write it here.
      assert.doesNotMatch(text, /require\("node:|\.replaceAll\(|\.at\(|\.hasOwn\(|rmSync|structuredClone|\.findLast/);
    });
  }

  it("would be found out by an operator that came later", () => {
    assert.notEqual(written("a ?? b", ts.ScriptTarget.ES2019), written("a ?? b", ts.ScriptTarget.ESNext));
  });
});
