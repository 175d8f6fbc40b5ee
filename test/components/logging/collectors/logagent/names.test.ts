import assert from "node:assert/strict";
import fc from "fast-check";
import { DateTime, IANAZone } from "luxon";
import names from "../../../../../components/logging/collectors/logagent/record.cjs";
import { indexName, timeZoneOffsets } from "../../../../../components/logging/indexing/index-format.ts";
import { INDEX_NAMES } from "../../../../support/collectors/index-names.ts";
import { anyFormat, anyTime } from "../../arbitraries.ts";

const anyValue = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: "grapheme" }),
  fc.stringMatching(/^[A-Za-z0-9_./-]{1,80}$/),
);

describe("Logagent's names of indices", () => {
  for (const { why, format, at, fields, name } of INDEX_NAMES) {
    it(`are ${name}: ${why}`, () => {
      const nameOf = names.createNames({ ...format, offsets: timeZoneOffsets(format.timeZone) });
      assert.equal(nameOf(at.toISOString(), fields), name);
    });
  }

  it("are those of the model, for a thousand formats, times and values", () => {
    fc.assert(
      fc.property(anyFormat, fc.array(anyTime, { minLength: 1, maxLength: 4 }), anyValue, (format, times, value) => {
        const nameOf = names.createNames({ ...format, offsets: timeZoneOffsets(format.timeZone) });
        const fields = { team: value, namespace: value, app: value };
        for (const time of times)
          assert.equal(nameOf(time.toISOString().replace("Z", "456789Z"), fields), indexName(format, time, fields));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("timeZoneOffsets", () => {
  it("is empty for UTC", () => {
    assert.deepEqual(timeZoneOffsets("UTC"), []);
  });

  it("has each change of a zone, to the second", () => {
    const offsets = timeZoneOffsets("Europe/Madrid");
    const summer = DateTime.fromISO("2026-03-29T01:00:00Z").toSeconds();
    const winter = DateTime.fromISO("2026-10-25T01:00:00Z").toSeconds();
    assert.deepEqual(
      offsets.filter(([from]) => from === summer || from === winter),
      [
        [summer, 7200],
        [winter, 3600],
      ],
    );
  });

  it("matches the zone at any time, even after recent legal changes", () => {
    const zones = ["America/Mexico_City", "Africa/Cairo", "Asia/Almaty", "Africa/Casablanca", "Antarctica/Troll"];
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyTime, (name, time) => {
        const at = time.getTime() / 1000;
        const offset = timeZoneOffsets(name).findLast(([from]) => from <= at)?.[1] ?? 0;
        assert.equal(offset, IANAZone.create(name).offset(time.getTime()) * 60);
      }),
      { numRuns: 2000 },
    );
  });
});
