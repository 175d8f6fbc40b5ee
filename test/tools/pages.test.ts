import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { collectorsJson, collectorsTable, DESTINATION_KINDS } from "../../lab/collector-table.ts";
import { collectorsPage } from "../../tools/docs/collector-pages.ts";

describe("the page of the collectors", () => {
  it("says of every cell yes, or in words why not", () => {
    for (const { id, title, destinations } of collectorsJson()) {
      assert.deepEqual(Object.keys(destinations).sort(), [...DESTINATION_KINDS].sort(), id);
      for (const reason of Object.values(destinations))
        if (reason !== true) assert.ok(collectorsPage().includes(`: ${reason}\n`), `${title}: ${reason}`);
    }
  });

  it("lists each collector under each destination that it sends to, and no other", () => {
    const [, section = ""] = collectorsPage().split("\n## Destinations\n");
    const [list = ""] = section.split("\n## ");
    assert.ok(list.includes("\n- splunk, firehose: Fluent Bit, Vector\n"), list);
    const lines = list.split("\n").filter((line) => line.startsWith("- "));
    for (const { title, destinations } of collectorsJson())
      for (const [kind, support] of Object.entries(destinations)) {
        const senders = lines.flatMap((line) => {
          const [kinds = "", titles = ""] = line.slice(2).split(": ");
          return kinds.split(", ").includes(kind) ? titles.split(", ") : [];
        });
        assert.equal(senders.includes(title), support === true, `${title}: ${kind}`);
      }
  });

  it("says once what stack traces lack that are joined by indentation", () => {
    const page = collectorsPage();
    assert.equal(page.split("the last line of Python's").length, 2);
    const fluentd = "integers beyond 64 bits as text";
    assert.ok(page.includes(`- Parsing: stack traces by indentation; ${fluentd}\n`));
    assert.ok(page.includes("- Parsing: stack traces by indentation, without empty lines; '_' also"));
    assert.ok(collectorsJson().some(({ about }) => about.parsing.includes("except the last line of Python's")));
  });

  it("says to which destinations each collector sends tokens, headers and signatures", () => {
    for (const line of [
      "- Fluent Bit: `token` for http, loki, otlp, splunk; `headers` for http, loki, otlp; `sigv4` for opensearch",
      "- Promtail: `token` for loki",
    ])
      assert.ok(collectorsPage().split("\n").includes(line), line);
    assert.ok(!collectorsPage().includes("- Filebeat: `"));
  });
});

describe("the collectors as JSON", () => {
  it("say which read the node's journal", () => {
    const readers = collectorsJson().filter(({ sources }) => sources.journal === true);
    assert.deepEqual(
      readers.map(({ id }) => id),
      ["fluent-bit", "vector", "opentelemetry"],
    );
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
      ["promtail", "daemonset", "-", "-", "-", "-", "-", "-", "-", "-", "yes", "-", "-", "-", "-"],
    );
  });

  it("shows each collector's observed losses beside its cost per line, like the page", () => {
    const cells = stripVTControlCharacters(collectorsTable())
      .split("\n")
      .map((line) => line.split("│").map((cell) => cell.trim()));
    const fluentBit = cells.find((row) => row[1] === "fluent-bit" && row.length === 5);
    assert.deepEqual(fluentBit?.slice(1, 4), [
      "fluent-bit",
      "none at 30 MB/s for a minute, and at 40 MB/s for 15 s",
      "1 × Fluent Bit's",
    ]);
    const tail = cells.find((row) => row[1] === "tail" && row.length === 5);
    assert.deepEqual(tail?.slice(1, 4), ["tail", "not measured", "not measured"]);
    for (const { about } of collectorsJson())
      assert.ok(collectorsPage().includes(`- Lines lost in tests: ${about.losses}\n`));
  });
});
