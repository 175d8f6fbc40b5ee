import assert from "node:assert/strict";
import { isTimeZone } from "../../../../components/logging/indexing/index-format.ts";

describe("isTimeZone", () => {
  it("accepts every zone that this Node.js lists, and older names of the database", () => {
    const older = [
      "UTC",
      "GMT",
      "America/Argentina/ComodRivadavia",
      "America/Knox_IN",
      "America/Nuuk",
      "Asia/Ho_Chi_Minh",
      "Asia/Kathmandu",
      "Asia/Kolkata",
      "Australia/ACT",
      "Brazil/DeNoronha",
      "Chile/EasterIsland",
      "Etc/GMT+5",
      "Etc/GMT-14",
      "Etc/UTC",
      "Europe/Kyiv",
      "Mexico/BajaNorte",
      "US/East-Indiana",
    ];
    for (const zone of [...Intl.supportedValuesOf("timeZone"), ...older]) assert.ok(isTimeZone(zone), zone);
  });

  it("rejects what only JavaScript accepts: another case, and names specific to ICU", () => {
    const others = [
      ...["europe/madrid", "EUROPE/MADRID", "Europe/madrid", "America/Port_Of_Spain", "Asia/kolkata", "Asia/KOLKATA"],
      ...[
        "US/Pacific-New",
        "Canada/East-Saskatchewan",
        "utc",
        "JST",
        "PST",
        "ACT",
        "IST",
        "SystemV/PST8PDT",
        "Etc/utc",
      ],
    ];
    for (const zone of others) {
      assert.doesNotThrow(() => new Intl.DateTimeFormat("en", { timeZone: zone }), zone);
      assert.ok(!isTimeZone(zone), zone);
    }
  });

  it("rejects invalid names", () => {
    for (const zone of ["", "Madrid", "CEST", "+02:00", "Mars/Phobos", "Europe/Madrid ", "Etc/GMT+15"])
      assert.ok(!isTimeZone(zone), zone);
  });
});
