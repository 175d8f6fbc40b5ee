import assert from "node:assert/strict";
import { REDACTION_KINDS } from "../../../components/logging/processing/redaction.ts";
import { pipelineOf } from "../../components/logging/collectors/fluentd/rendered.ts";
import { ODD_SECRETS } from "../../support/collectors/json-secrets.ts";
import { CASES_OF_LINES, POD_LABELS, PROCESSING } from "../../support/collectors/processing-cases.ts";
import { OWN_REDACTION, plantedLines } from "../../support/collectors/secrets.ts";
import { type FilterRecord, filteredByFluentd } from "./filter.ts";
import { needsRuby } from "./ruby.ts";

const destination = { kind: "opensearch", host: "h" };
const processed = (processing: object) => pipelineOf({ destination, processing });
const logs = (records: readonly FilterRecord[] = []) => records.map(({ log }) => log);

describe("Fluentd's filter of records", () => {
  before(needsRuby);

  it("treats lines as every collector does", () => {
    const pipeline = processed(PROCESSING);
    const given = CASES_OF_LINES.map(({ namespace, stream, lines }) => ({
      pipeline,
      namespace,
      labels: POD_LABELS,
      lines: lines.map((log) => ({ log, stream })),
    }));
    const found = filteredByFluentd(given);
    assert.deepEqual(
      CASES_OF_LINES.map(({ why }, at) => [why, logs(found[at])]),
      CASES_OF_LINES.map(({ why, wanted }) => [why, wanted]),
    );
  });

  it("masks 3,000 planted secrets in 13,000 lines, and nothing else", () => {
    const lines = [...plantedLines(5), ...ODD_SECRETS];
    const pipeline = processed({ redact: [...REDACTION_KINDS, OWN_REDACTION] });
    const [found] = filteredByFluentd([
      { pipeline, namespace: "shop", lines: lines.map(({ text }) => ({ log: text })) },
    ]);
    const masked = logs(found);
    assert.equal(masked.length, lines.length);
    const missed = lines.filter((line, at) => line.masked !== masked[at]);
    assert.deepEqual(missed.slice(0, 3), []);
  });

  it("keeps as many thousandths of a sample as the ratio says, by the microseconds of a line's time", () => {
    const pipeline = processed(PROCESSING);
    const lines = Array.from({ length: 2000 }, (_, at) => ({ log: `line ${at}`, nanoseconds: at * 1000 + 999 }));
    const [sampled, others] = filteredByFluentd([
      { pipeline, namespace: "sampled", lines },
      { pipeline, namespace: "elsewhere", lines },
    ]);
    assert.deepEqual(
      logs(sampled),
      [...lines.slice(0, 250), ...lines.slice(1000, 1250)].map(({ log }) => log),
    );
    assert.equal(others?.length, 2000);
  });

  it("masks JSON before its fields are parsed, and derives the id from the masked line", () => {
    const pipeline = processed({ redact: ["email"], fields: { env: "prod" } });
    const one = (log: string) => ({ pipeline, namespace: "shop", lines: [{ log }] });
    const mails = ["ada@example.com", "bob@example.com", "none"];
    const [first, other, third] = filteredByFluentd(mails.map((mail) => one(JSON.stringify({ mail })))).flat();
    assert.deepEqual([first?.fields, first?.env], [{ mail: "[REDACTED:email]" }, "prod"]);
    assert.equal(first?._document_id, other?._document_id);
    assert.notEqual(first?._document_id, third?._document_id);
  });

  it("masks each line of a joined record, and keeps all of them", () => {
    const log = "first of a@b.io\n  second of c@d.io\n\n  last é";
    const [masked, plain] = filteredByFluentd([
      { pipeline: processed({ redact: ["email"] }), namespace: "shop", lines: [{ log }] },
      { pipeline: processed({}), namespace: "shop", lines: [{ log }] },
    ]).flat();
    assert.equal(masked?.log, "first of [REDACTED:email]\n  second of [REDACTED:email]\n\n  last é");
    assert.equal(plain?.log, log);
  });

  it("keeps as many lines per pod and second as its limit says, of all its containers together", () => {
    const pipeline = processed({ limit: [{ linesPerSecond: 5 }, { namespaces: ["a"], linesPerSecond: 3 }] });
    const lines = [0, 1].flatMap((seconds) =>
      Array.from({ length: 6 }, (_, at) => ({ log: `${seconds} ${at}`, seconds })),
    );
    const found = filteredByFluentd([
      { pipeline, namespace: "a", lines },
      { pipeline, namespace: "a", lines },
      { pipeline, namespace: "b", lines },
      { pipeline, namespace: "b", pod: "q", lines },
    ]);
    assert.deepEqual(
      found.map(({ length }) => length),
      [6, 0, 10, 10],
    );
  });
});
