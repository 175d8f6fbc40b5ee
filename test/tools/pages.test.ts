import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { collectorsJson, collectorsTable, DESTINATION_KINDS } from "../../lab/collectors.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { COLLECTORS_FILE, collectorsPage } from "../../tools/docs/collectors-page.ts";
import { INDEX_FILE, indexPage } from "../../tools/docs/index-page.ts";

const file = (name: string) => readFile(join(PROJECT_ROOT, name), "utf8");

describe("the collectors' pages", () => {
  it("are those that the program makes now: npm run docs", async () => {
    assert.equal(await file(COLLECTORS_FILE), collectorsPage());
    assert.equal(await file(INDEX_FILE), indexPage());
  });

  it("say of every cell yes, or in words why not", () => {
    for (const { id, title, destinations } of collectorsJson()) {
      assert.deepEqual(Object.keys(destinations).sort(), [...DESTINATION_KINDS].sort(), id);
      for (const reason of Object.values(destinations))
        if (reason !== true) assert.ok(collectorsPage().includes(`: ${reason}\n`), `${title}: ${reason}`);
    }
  });

  it("show the names that a format gives, and the lines that it decides", () => {
    const page = indexPage();
    for (const name of [
      "logs-2026.12.30",
      "logs-2026.53",
      "logs-ts-2026.12.30",
      "k8s-ts-team-2026.12.30",
      "logs_curl_2026.12.30",
    ])
      assert.ok(page.includes(`\`${name}\``), name);
    assert.ok(page.includes("| `{ timeZone: Europe/Madrid }` | `logs-2026.12.31` |"));
    assert.match(page, /logstash_prefix_separator: _\n/);
  });
});

describe("the collectors' table", () => {
  it("has a line each, with what it can send to", () => {
    const lines = stripVTControlCharacters(collectorsTable()).split("\n");
    const promtail = lines.find((line) => line.includes("promtail"));
    assert.deepEqual(
      promtail
        ?.split("│")
        .map((cell) => cell.trim())
        .filter(Boolean),
      ["promtail", "daemonset", "-", "-", "-", "-", "-", "-", "-", "yes"],
    );
  });
});
