import assert from "node:assert/strict";
import { pipelineOf } from "../../components/logging/collectors/fluentd/rendered.ts";
import { INDEX_NAMES } from "../../support/collectors/index-names.ts";
import { indexOf, NAME_CASES, type NamedLine, namePipeline, streamOf } from "../../support/collectors/name-cases.ts";
import { filteredByFluentd, type Given } from "./filter.ts";
import { needsRuby } from "./ruby.ts";

const destination = { kind: "opensearch", host: "h" };
const at = (time: Date) => [{ log: "x", seconds: Math.floor(time.getTime() / 1000) }];

/** What the filter calls the index or the stream of a line each. */
function namesByFluentd(given: readonly Given[]): unknown[] {
  return filteredByFluentd(given).map(([record]) => record?._index);
}

function givenOf(line: NamedLine, pipeline: Given["pipeline"]): Given {
  const { namespace, pod, container, labels } = line;
  return { pipeline, namespace, pod, container, labels, lines: at(line.at) };
}

describe("Fluentd's names of indices", () => {
  before(needsRuby);

  it("are those of the test vectors", () => {
    const found = namesByFluentd(
      INDEX_NAMES.map(({ format, at: time, pod }) => ({
        pipeline: pipelineOf({ destination, index: format }),
        ...pod,
        lines: at(time),
      })),
    );
    assert.deepEqual(
      INDEX_NAMES.map(({ why }, number) => `${why}: ${found[number]}`),
      INDEX_NAMES.map(({ why, name }) => `${why}: ${name}`),
    );
  });

  it("are those of all collectors, for a thousand formats, teams and dates", () => {
    const given = NAME_CASES.flatMap(({ format, lines }) => {
      const pipeline = namePipeline("fluentd", { destination, index: format });
      return lines.map((line) => givenOf(line, pipeline));
    });
    const expected = NAME_CASES.flatMap(({ format, lines }) => lines.map((line) => indexOf(format, line)));
    assert.deepEqual(namesByFluentd(given), expected);
  });

  it("and streams in CloudWatch Logs are too", () => {
    const pipeline = namePipeline("fluentd", { destination: { kind: "cloudwatch" } });
    const lines = NAME_CASES.flatMap((each) => each.lines);
    assert.deepEqual(namesByFluentd(lines.map((line) => givenOf(line, pipeline))), lines.map(streamOf));
  });
});
