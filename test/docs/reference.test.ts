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

  it("shows each key once, with its default or type", () => {
    const lines = settingsReference().split("\n");
    const shown = (key: string) =>
      lines.filter((line) => line.trimStart().startsWith(`${key}: `)).map((line) => line.trim());
    assert.deepEqual(shown("splitBy"), [
      "splitBy: none                         # none|team|namespace|app: One index per team, namespace or app (label app.kubernetes.io/name, else",
    ]);
    assert.match(shown("capacity").join("\n"), /^capacity: 9984 +# Answers, .+ Or by profile and clusterSize\.$/);
    assert.match(shown("path").join("\n"), /^path: \/var\/log\/collected +# Another one must be in statePaths /);
    assert.match(shown("tlsServerName").join("\n"), /^tlsServerName: <string> +# Certificate name/);
    assert.match(shown("version")[0] ?? "", /^version: "1\.\d+" +# 1\.\d+\|.+: Kubernetes version/);
    assert.match(shown("requests.cpu").join("\n"), /^requests\.cpu: "2" +# Requested cores\.$/);
    assert.match(shown("replacement").join("\n"), /^replacement: "\[REDACTED\]" +# /);
    assert.match(shown("amount").join("\n"), /^amount: <integer>! +# Queries /);
    assert.match(shown("denial").join("\n"), /Keys as in corefile\.options\.cache\.success\.$/);
    assert.ok(lines.filter((line) => /^[ -]*[\w.]+:/.test(line)).length > 200);
    // The keys of an object that is in two places are listed once.
    assert.equal(shown("policy").length, 2, "of forward and of accessEntries");
  });

  it("shows the names that an index format gives, and the lines that it decides", () => {
    const page = indexPage();
    for (const name of ["logs-2026.12.30", "logs-2026.53", "logs-ts-2026.12.30", "k8s-ts-team-2026.12.30"])
      assert.ok(page.includes(`\`${name}\``), name);
    assert.ok(page.includes("| `{ timeZone: Europe/Madrid }` | `logs-2026.12.31` |"));
    assert.match(page, /logstash_prefix_separator: _\n/);
  });
});
