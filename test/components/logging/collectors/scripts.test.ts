import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadPrism } from "@ruby/prism";
import { type ecmaVersion, parse } from "acorn";
import { scriptSections } from "../../../../components/logging/collectors/collector.ts";
import { opentelemetry } from "../../../../components/logging/collectors/opentelemetry/index.ts";
import { vector } from "../../../../components/logging/collectors/vector/index.ts";
import { pipelines } from "./pipelines.ts";

const COLLECTORS = fileURLToPath(new URL("../../../../components/logging/collectors/", import.meta.url));

/** Scripts of a language: path below the collectors' folder and text. VRL and OTTL have no parser on npm: Vector and otelcol check theirs. */
function scripts(extension: string): [path: string, text: string][] {
  return readdirSync(COLLECTORS, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(extension))
    .map((path) => [path, readFileSync(`${COLLECTORS}${path}`, "utf8")]);
}

/** What a parser says of a JavaScript program as of an edition of the standard; undefined for nothing. */
function syntaxError(text: string, edition: ecmaVersion): string | undefined {
  try {
    parse(text, { ecmaVersion: edition, sourceType: "script" });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

describe("The collectors' scripts", () => {
  it("in Ruby are valid", async () => {
    const parseRuby = await loadPrism();
    const errors = (text: string) => parseRuby(text).errors.map(({ message }) => message);
    const files = scripts(".rb");
    assert.equal(files.length, 9);
    for (const [path, text] of files) assert.deepEqual(errors(text), [], path);
    assert.ok(errors("def a\n  [1\nend\n").length > 0);
  });

  it("of Filebeat are in ECMAScript 5, which its interpreter knows", () => {
    const files = scripts(".js");
    assert.equal(files.length, 1);
    for (const [path, text] of files) assert.equal(syntaxError(text, 5), undefined, path);
    for (const newer of ["const a = 1", "a => a", "`a`"]) assert.match(String(syntaxError(newer, 5)), /SyntaxError/);
  });

  const plugins = scripts(".cjs");

  it("of Logagent are in the JavaScript of Node.js 12, as in its image", () => {
    assert.ok(plugins.length > 5);
    for (const [path, text] of plugins) assert.equal(syntaxError(text, 2019), undefined, path);
    for (const newer of ["a ?? b", "a?.b", "class A { b = 1 }"])
      assert.match(String(syntaxError(newer, 2019)), /SyntaxError/);
  });

  it("of Logagent call no newer function, as far as syntax shows", () => {
    const later = /require\("node:|\.replaceAll\(|\.at\(|\.hasOwn\(|rmSync|structuredClone|\.findLast/;
    for (const [path, text] of plugins) assert.doesNotMatch(text, later, path);
  });
});

describe("scriptSections", () => {
  const sections = scriptSections(
    "# For readers.\n# section: one\n# why\na = 1\n\n  # why\n  b\n# section: two\nc # d\n",
  );

  it("returns the lines of a section without comments and blank lines", () => {
    assert.equal(sections("one"), "a = 1\n  b\n");
    assert.equal(sections("two"), "c # d\n");
  });

  it("throws for an unknown section", () => {
    assert.throws(() => sections("three"), /no section three/);
  });
});

describe("The collectors' YAML", () => {
  it("quotes text that YAML 1.1 parses as a number or a date, for such readers", () => {
    for (const tenant of ["1_000", "0b1", "2026-01-01"]) {
      const destination = { kind: "loki", url: "http://loki:3100", tenant };
      const text = (collector: typeof vector) =>
        Object.values(collector.render(pipelines({ collector: collector.id, destination })({})).files).join("");
      assert.ok(text(opentelemetry).includes(`X-Scope-OrgID: "${tenant}"`), tenant);
      assert.ok(text(vector).includes(`tenant_id: "${tenant}"`), tenant);
    }
  });
});
