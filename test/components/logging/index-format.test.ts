import assert from "node:assert/strict";
import fc from "fast-check";
import { DateTime } from "luxon";
import {
  IndexFormat,
  indexName,
  MAX_INDEX_BYTES,
  notation,
  safeIndexPart,
} from "../../../components/logging/index-format.ts";
import { issuesIn } from "../../support/issues.ts";
import { anyFormat, anyTime } from "./arbitraries.ts";

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
  const name = (format: object, at: string, fields = {}) => indexName(IndexFormat.parse(format), new Date(at), fields);

  it("is prefix and day by default", () => {
    assert.equal(name({}, "2026-11-23T23:59:59.999Z"), "logs-2026.11.23");
  });

  it("begins a day where its time zone does", () => {
    assert.equal(name({ timeZone: "Europe/Madrid" }, "2026-11-23T23:30:00Z"), "logs-2026.11.24");
    assert.equal(
      name({ timeZone: "America/New_York", datePattern: "yyyy.MM.dd.HH" }, "2026-11-23T03:00:00Z"),
      "logs-2026.11.22.22",
    );
  });

  it("counts ISO weeks by ISO years, which differ from the calendar's around New Year", () => {
    const weekly = { datePattern: "xxxx.ww" };
    assert.equal(name(weekly, "2027-01-03T12:00:00Z"), "logs-2026.53");
    assert.equal(name(weekly, "2027-01-04T12:00:00Z"), "logs-2027.01");
    assert.equal(name(weekly, "2024-12-30T12:00:00Z"), "logs-2025.01");
  });

  it("puts the value between prefix and date where indices are split", () => {
    const fields = { team: "ts", namespace: "ts-team", app: "Web Shop" };
    const at = "2026-11-23T12:00:00Z";
    assert.equal(name({ splitBy: "team" }, at, fields), "logs-ts-2026.11.23");
    assert.equal(name({ splitBy: "namespace", separator: "_" }, at, fields), "logs_ts-team_2026.11.23");
    assert.equal(name({ splitBy: "app" }, at, fields), "logs-web-shop-2026.11.23");
    assert.equal(name({ splitBy: "team" }, at), "logs-none-2026.11.23");
  });

  it("is a name that OpenSearch and Elasticsearch take, whatever the format, time and values", () => {
    fc.assert(
      fc.property(anyFormat, anyTime, fc.string({ unit: "grapheme" }), (format, at, value) => {
        const index = indexName(format, at, { team: value, namespace: value, app: value });
        assert.match(index, /^[a-z0-9][a-z0-9._-]*$/);
        assert.ok(Buffer.byteLength(index) <= MAX_INDEX_BYTES, index);
      }),
      { numRuns: 1000 },
    );
  });

  it("is what strftime writes in UTC, for a thousand formats and times", () => {
    fc.assert(
      fc.property(anyFormat, anyTime, (format, at) => {
        const utc = { ...format, timeZone: "UTC", splitBy: "none" as const };
        const expected = `${utc.prefix}${utc.separator}${strftime(notation(utc.datePattern, "strftime"), at)}`;
        assert.equal(indexName(utc, at), expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("never goes back as time goes on, within a format that sorts by date", () => {
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
  it("keeps what is safe, lowers case and replaces the rest", () => {
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
