import assert from "node:assert/strict";
import fc from "fast-check";
import { NODE } from "../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import { checkLogging } from "../../components/logging/validation.ts";
import { anyLogging } from "../components/logging/arbitraries.ts";
import { POD } from "../components/logging/collectors/pipelines.ts";
import { findProgram, readsJournal, whyMissing } from "../support/collectors/program.ts";
import { leaveOut } from "../support/leave-out.ts";
import { anyProcessing, complaint, destinationsFor, fitting, ofOnePod, READERS } from "./readers.ts";

/** Destinations that name what is theirs by the source, each in another way. */
const JOURNAL = {
  sources: ["pods", "kubelet", "auth"],
  processing: { redact: ["email"], fields: { site: "eu-1" } },
  index: { prefix: "app" },
  destinations: {
    archive: { kind: "s3", bucket: "acme-logs" },
    search: { kind: "elasticsearch", host: "search.example.com" },
    loki: { kind: "loki", url: "https://loki.example.com" },
  },
  routes: [{ to: ["archive"] }, { to: ["search"], sources: ["pods", "kubelet"] }, { to: ["loki"], sources: ["auth"] }],
};

/** Random settings for each destination and mode: a program needs up to a second to read them. */
const RUNS = 5;

for (const reader of READERS) {
  const { collector, program, word } = reader;
  const destinations = destinationsFor(collector);
  describe(`${collector.title} accepts its configuration`, () => {
    before(function () {
      if (findProgram(program) === undefined) leaveOut(this, whyMissing(program));
    });

    for (const mode of collector.modes) {
      for (const destination of destinations) {
        it(`with any settings: ${mode}, ${JSON.stringify(destination)}`, () => {
          const source = mode === "daemonset" ? NODE : ({ kind: "application", pod: POD } as const);
          const property = fc.property(anyLogging, anyProcessing, (logging, processing) => {
            const lines = mode === "sidecar" ? ofOnePod(processing) : processing;
            const settings = fitting({ ...logging, processing: lines, collector: collector.id, destination });
            // A setting without effect is told, and taken all the same.
            const errors = checkLogging(settings, "eks").filter(({ severity }) => severity !== "warning");
            assert.deepEqual(errors, []);
            assert.equal(complaint(reader, settings, source), "");
          });
          fc.assert(property, { numRuns: RUNS, endOnFailure: true });
        });
      }
    }

    if (collector.journal !== undefined)
      it("with the node's journal and several destinations", function () {
        if (!readsJournal(program)) leaveOut(this, `this ${collector.title} does not read the journal`);
        const settings = LoggingSettings.parse({ ...JOURNAL, collector: collector.id });
        const errors = checkLogging(settings, "eks").filter(({ severity }) => severity !== "warning");
        assert.deepEqual(errors, []);
        assert.equal(complaint(reader, settings), "");
      });

    it(`but not with a typo in ${word}`, () => {
      const settings = fitting({ collector: collector.id, destination: destinations[0] });
      const said = complaint(reader, settings, NODE, (text) => text.replaceAll(word, `x${word}`));
      assert.match(said, /^ended with [1-9]/);
    });
  });
}
