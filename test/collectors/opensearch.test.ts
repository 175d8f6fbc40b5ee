import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { IndexFormat, indexName } from "../../components/logging/indexing/index-format.ts";
import { everyIndexTemplate, indexTemplate, TEMPLATE_NAME } from "../../components/logging/indexing/index-template.ts";
import { MAX_FIELDS_BYTES } from "../../components/logging/pipeline.ts";
import { anyFormat, anyTime } from "../components/logging/arbitraries.ts";
import { leaveOut } from "../support/leave-out.ts";

/** An OpenSearch that may be written to, such as `http://127.0.0.1:9200`. */
const url = process.env.OPENSEARCH_URL;
const PREFIX = "lab-test";
const Status = z.looseObject({ status: z.number(), error: z.looseObject({ reason: z.string() }).optional() });
const Bulk = z.object({ items: z.array(z.record(z.string(), Status)) });
const Hits = z.object({ hits: z.object({ hits: z.array(z.looseObject({ _id: z.string() })) }) });

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": path.includes("_bulk") ? "application/x-ndjson" : "application/json" };
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: text }) });
  return { status: response.status, text: await response.text() };
}

/** Sends documents in one request; what became of each, in order. */
async function index(name: string, documents: Readonly<Record<string, object>>): Promise<string[]> {
  const lines = Object.entries(documents).flatMap(([id, document]) => [
    JSON.stringify({ create: { _index: name, _id: id } }),
    JSON.stringify(document),
  ]);
  const { text } = await ask("POST", "/_bulk?refresh=true", `${lines.join("\n")}\n`);
  return Bulk.parse(JSON.parse(text)).items.map(({ create }) =>
    `${create?.status} ${create?.error?.reason ?? ""}`.trim(),
  );
}

const template = (format: object) => indexTemplate(IndexFormat.parse(format), "opensearch");

describe("A real OpenSearch", () => {
  before(async function () {
    if (url !== undefined) {
      const { status, text } = await ask("PUT", `/_index_template/${TEMPLATE_NAME}`, template({ prefix: PREFIX }));
      assert.equal(status, 200, text);
      return;
    }
    leaveOut(this, "no OpenSearch in OPENSEARCH_URL");
  });

  after(async () => {
    if (url === undefined) return;
    await ask("DELETE", `/${PREFIX}*`);
    await ask("DELETE", `/_index_template/${TEMPLATE_NAME}`);
  });

  it("accepts the template again, and one of a longer prefix beside it", async () => {
    assert.equal((await ask("PUT", `/_index_template/${TEMPLATE_NAME}`, template({ prefix: PREFIX }))).status, 200);
    const other = template({ prefix: `${PREFIX}-other` });
    assert.equal((await ask("PUT", `/_index_template/${TEMPLATE_NAME}-other`, other)).status, 200);
    assert.equal((await ask("DELETE", `/_index_template/${TEMPLATE_NAME}-other`)).status, 200);
  });

  it("accepts the template for all names, with lower priority than that of a format", async () => {
    const name = `${TEMPLATE_NAME}-every`;
    const every = await ask("PUT", `/_index_template/${name}`, everyIndexTemplate());
    const simulated = await ask("POST", `/_index_template/_simulate_index/${PREFIX}-2026.11.25`);
    await ask("DELETE", `/_index_template/${name}`);
    assert.equal(every.status, 200, every.text);
    assert.match(simulated.text, new RegExp(`"overlapping":\\[.*"${name}"`));
  });

  it("stores labels and JSON fields of any shape side by side", async () => {
    const deep = (depth: number): object => (depth === 0 ? { end: 1 } : { deeper: deep(depth - 1) });
    const shapes: readonly unknown[] = [
      { a: 1, b: { c: "x" }, d: [1, { e: 2 }] },
      { a: "text", b: "no object", d: null },
      { a: { b: [[1], [{ c: true }]] }, "": 1, ".": 2, "a.": 3, ".a": 4, "..": 5 },
      Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`key${at}`, at])),
      deep(200),
      { long: "x".repeat(MAX_FIELDS_BYTES - 12) },
      {},
    ];
    const documents = Object.fromEntries(
      shapes.map((fields, at) => [
        `shape-${at}`,
        {
          "@timestamp": "2026-11-25T01:02:03.123456789Z",
          log: JSON.stringify(fields),
          kubernetes: { labels: at % 2 === 0 ? { app: "a", "app_kubernetes_io/name": "b" } : { app: { deep: 1 } } },
          fields,
        },
      ]),
    );
    assert.deepEqual(
      await index(`${PREFIX}-shapes`, documents),
      shapes.map(() => "201"),
    );
  });

  it("rejects a document with a longer value, which is why the collectors keep long lines as text", async () => {
    const fields = { long: "x".repeat(32_767) };
    const [found] = await index(`${PREFIX}-long`, { long: { log: "x", fields } });
    assert.match(found ?? "", /^400 .*immense term/);
    const log = JSON.stringify(fields);
    assert.deepEqual(await index(`${PREFIX}-long`, { line: { log } }), ["201"]);
  });

  it("keeps one document per id, and sorts to the nanosecond", async () => {
    const at = (nanoseconds: string) => ({ "@timestamp": `2026-11-25T01:02:03.${nanoseconds}Z`, log: nanoseconds });
    const first = await index(`${PREFIX}-time`, { b: at("123456790"), a: at("123456789"), c: at("123456791") });
    assert.deepEqual(first, ["201", "201", "201"]);
    assert.match((await index(`${PREFIX}-time`, { a: at("123456789") })).join(), /^409 /);
    const { text } = await ask("POST", `/${PREFIX}-time/_search`, { sort: [{ "@timestamp": "asc" }] });
    assert.deepEqual(
      Hits.parse(JSON.parse(text)).hits.hits.map(({ _id }) => _id),
      ["a", "b", "c"],
    );
  });

  it("accepts every name that the settings allow", async () => {
    const value = fc.string({ unit: "grapheme", maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(anyFormat, anyTime, value, async (format, time, text) => {
        const name = indexName(format, time, { team: text, namespace: text, app: text });
        const { status, text: answer } = await ask("PUT", `/${encodeURIComponent(name)}`, {
          settings: { number_of_replicas: 0 },
        });
        await ask("DELETE", `/${encodeURIComponent(name)}`);
        // One of an earlier round may be the same.
        assert.ok(status === 200 || answer.includes("resource_already_exists"), `${name}: ${answer}`);
      }),
      { numRuns: 60 },
    );
  });

  const refused = [
    "Logs",
    "-logs",
    "_logs",
    "+logs",
    "a b",
    "a,b",
    "a#b",
    "a:b",
    "a*",
    "a?",
    "a|b",
    'a"b',
    "a<b",
    "a\\b",
  ];
  for (const prefix of refused) {
    it(`refuses what the settings refuse: ${prefix}`, async () => {
      assert.equal(IndexFormat.safeParse({ prefix }).success, false);
      const { status, text } = await ask("PUT", `/${encodeURIComponent(`${prefix}-2026.11.25`)}`);
      assert.equal(status, 400, text);
    });
  }
});
