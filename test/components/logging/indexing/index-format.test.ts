import assert from "node:assert/strict";
import fc from "fast-check";
import { DateTime } from "luxon";
import {
  IndexFormat,
  indexName,
  MAX_INDEX_BYTES,
  notation,
  safeIndexPart,
  sharedTimes,
  todaysIndices,
} from "../../../../components/logging/indexing/index-format.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { INDEX_NAMES } from "../../../support/collectors/index-names.ts";
import { issuesIn } from "../../../support/issues.ts";
import { anyFormat, anyTime } from "../arbitraries.ts";

/** What strftime writes, by its own definitions and not by those of the library under test. */
function strftime(pattern: string, at: Date): string {
  const thursday = new Date(
    Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 4 - (at.getUTCDay() || 7)),
  );
  const dayOfYear = Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000);
  const two = (number: number) => String(number).padStart(2, "0");
  const values: Readonly<Record<string, string>> = {
    "%Y": String(at.getUTCFullYear()),
    "%m": two(at.getUTCMonth() + 1),
    "%d": two(at.getUTCDate()),
    "%H": two(at.getUTCHours()),
    "%G": String(thursday.getUTCFullYear()),
    "%V": two(Math.floor(dayOfYear / 7) + 1),
  };
  return pattern.replaceAll(/%[a-zA-Z]/g, (part) => values[part] ?? `unknown ${part}`);
}

describe("indexName", () => {
  for (const { why, format, at, fields, name } of INDEX_NAMES) {
    it(`is ${name}: ${why}`, () => {
      assert.equal(indexName(format, at, fields), name);
    });
  }

  it("replaces characters that are invalid in an index name", () => {
    const at = new Date("2026-11-23T12:00:00Z");
    assert.equal(indexName(IndexFormat.parse({ splitBy: "app" }), at, { app: "Web Shop" }), "logs-web-shop-2026.11.23");
  });

  it("is a name that OpenSearch and Elasticsearch accept, for any format, time and values", () => {
    fc.assert(
      fc.property(anyFormat, anyTime, fc.string({ unit: "grapheme" }), (format, at, value) => {
        const index = indexName(format, at, { team: value, namespace: value, app: value });
        assert.match(index, /^[a-z0-9][a-z0-9._-]*$/);
        assert.ok(Buffer.byteLength(index) <= MAX_INDEX_BYTES, index);
      }),
      { numRuns: 1000 },
    );
  });

  it("equals strftime's output in UTC, for a thousand formats and times", () => {
    fc.assert(
      fc.property(anyFormat, anyTime, (format, at) => {
        const utc = { ...format, timeZone: "UTC", splitBy: "none" as const };
        const expected = `${utc.prefix}${utc.separator}${strftime(notation(utc.datePattern, "strftime"), at)}`;
        assert.equal(indexName(utc, at), expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("never decreases over time, within a format that sorts by date", () => {
    fc.assert(
      fc.property(anyTime, anyTime, (one, other) => {
        const [earlier, later] = one < other ? [one, other] : [other, one];
        const daily = IndexFormat.parse({});
        assert.ok(indexName(daily, earlier) <= indexName(daily, later));
      }),
    );
  });
});

describe("safeIndexPart", () => {
  it("keeps safe characters, converts to lower case and replaces the rest", () => {
    assert.equal(safeIndexPart("ts-team"), "ts-team");
    assert.equal(safeIndexPart("My App/1"), "my-app-1");
    assert.equal(safeIndexPart(""), "none");
    assert.equal(safeIndexPart("x".repeat(80)), "x".repeat(63));
  });
});

describe("index settings", () => {
  const wrong: readonly [string, object, RegExp][] = [
    [
      "upper case",
      { prefix: "Logs" },
      /^prefix: must be a string of lower-case letters, digits, '\.', '-' and '_' that starts with/,
    ],
    [
      "a leading dash",
      { prefix: "-logs" },
      /^prefix: must be a string of lower-case letters, digits, '\.', '-' and '_' that starts with/,
    ],
    ["a leading underscore", { prefix: "_logs" }, /^prefix: /],
    ["a character that OpenSearch forbids", { prefix: "logs*" }, /^prefix: /],
    ["two dots alone", { prefix: ".." }, /^prefix: /],
    [
      "strftime's notation",
      { datePattern: "%Y.%m.%d" },
      /^datePattern: must be made of yyyy \(calendar year\), MM \(month, 01 to 12\), dd \(day of the/,
    ],
    ["minutes, which look like months", { datePattern: "yyyy.mm" }, /^datePattern: /],
    ["a part twice in a row, which is a month's name in some programs", { datePattern: "yyyy.MMMM" }, /^datePattern: /],
    [
      "a date that makes the name too long",
      { datePattern: "yyyy.MM.dd-".repeat(12) },
      /^datePattern: must have at most 127 characters$/,
    ],
    [
      "an ISO week with a calendar year",
      { datePattern: "yyyy.ww" },
      /^datePattern: must use xxxx and ww together and no other part, since an ISO week may/,
    ],
    [
      "an ISO year without a week",
      { datePattern: "xxxx.MM" },
      /^datePattern: must use xxxx and ww together and no other part, since an ISO week may/,
    ],
    [
      "a time zone that is none",
      { timeZone: "Madrid" },
      /^timeZone: must be UTC or the full name of an IANA time zone, such as Europe\/Madrid$/,
    ],
    [
      "an offset",
      { timeZone: "+02:00" },
      /^timeZone: must be UTC or the full name of an IANA time zone, such as Europe\/Madrid$/,
    ],
    ["a separator that is not safe", { separator: "/" }, /^separator: must be one of -, \., _$/],
    ["a split by something else", { splitBy: "node" }, /^splitBy: must be one of none, team, namespace, app$/],
  ];
  for (const [what, format, expected] of wrong) {
    it(`refuse ${what}`, () => {
      const found = issuesIn(IndexFormat, format);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }

  it("agree with luxon's own ISO format on weeks", () => {
    const at = DateTime.fromISO("2027-01-03T12:00:00Z", { zone: "utc" });
    assert.equal(`${at.weekYear}.${at.weekNumber}`, "2026.53");
  });
});

describe("todaysIndices", () => {
  const at = new Date("2026-11-23T12:00:00Z");
  const index = (splitBy: string) => LoggingSettings.parse({ index: { splitBy } }).index;

  it("is one name, or one for each team", () => {
    const teams = [{ name: "ts" }, { name: "sa" }];
    assert.deepEqual(todaysIndices(index("none"), teams, at), ["logs-2026.11.23"]);
    assert.deepEqual(todaysIndices(index("team"), teams, at), ["logs-sa-2026.11.23", "logs-ts-2026.11.23"]);
    assert.deepEqual(todaysIndices(index("namespace"), teams, at), [
      "logs-sa-team-2026.11.23",
      "logs-ts-team-2026.11.23",
    ]);
    assert.deepEqual(todaysIndices(index("app"), teams, at), ["logs-curl-2026.11.23"]);
  });
});

describe("sharedTimes", () => {
  it("detects dates that repeat, and missing dates", () => {
    const told = (datePattern: string) => sharedTimes(IndexFormat.parse({ datePattern }));
    assert.match(told("dd") ?? "", /^has dd without yyyy and MM, so lines of distant dates share an index$/);
    assert.match(told("yyyy.dd") ?? "", /^has dd without MM, /);
    assert.match(told("MM-HH") ?? "", /^has HH without yyyy and dd, /);
    assert.match(told(".") ?? "", /^has no date/);
    for (const good of ["yyyy", "yyyy.MM", "dd_MM_yyyy", "yyyyMMddHH", "xxxx.ww"]) assert.equal(told(good), undefined);
  });
});
