import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { indexPage } from "../../tools/docs/collector-pages.ts";
import { GENERATED_FILES } from "../../tools/docs/index.ts";
import { settingsReference } from "../../tools/docs/settings.ts";
import { PROJECT_FOLDER } from "./markdown.ts";

describe("the reference", () => {
  for (const { file, text } of GENERATED_FILES)
    it(`is what the code gives now, in ${file}: npm run docs`, () => {
      assert.equal(readFileSync(join(PROJECT_FOLDER, file), "utf8"), text());
    });

  it("names each key once, with its type", () => {
    const lines = settingsReference().split("\n");
    assert.ok(lines.some((line) => line.startsWith("- `corefile.options.cache.success.capacity` (integer): ")));
    assert.ok(lines.some((line) => line.startsWith("- `index.splitBy` (`none|team|namespace|app`): ")));
    const described = lines.filter((line) => line.startsWith("- `") && !line.includes(" Keys as in "));
    assert.ok(described.length > 200);
    // The keys of an object that stands in two places are listed once.
    assert.ok(!lines.some((line) => line.startsWith("- `corefile.options.stubDomains[].forward.policy`")));
  });

  it("shows the names that an index format gives, and the lines that it decides", () => {
    const page = indexPage();
    for (const name of ["logs-2026.12.30", "logs-2026.53", "logs-ts-2026.12.30", "k8s-ts-team-2026.12.30"])
      assert.ok(page.includes(`\`${name}\``), name);
    assert.ok(page.includes("| `{ timeZone: Europe/Madrid }` | `logs-2026.12.31` |"));
    assert.match(page, /logstash_prefix_separator: _\n/);
  });
});
