import assert from "node:assert/strict";
import { IndexFormat, indexName } from "../../../components/logging/indexing/index-format.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { collectWith, httpPlaces, TIME, testDelivery, testRecords } from "../behaviors.ts";
import { POD } from "../curl-pod.ts";
import { localLogagent } from "./local.ts";

const logagent = suiteCollector(localLogagent, () => whyMissing("logagent"));
const collect = collectWith(logagent.found);

describe("Logagent's record", () => {
  logagent.use();
  testRecords(collect, { zoned: "2026-01-01T02:30:00.123456789+02:00", hasIds: true });
});

describe("Logagent's index", () => {
  logagent.use();

  for (const format of [
    {},
    { splitBy: "team", separator: "_" },
    { splitBy: "namespace", datePattern: "xxxx.ww", timeZone: "America/Mexico_City" },
    { splitBy: "app", datePattern: "yyyy-MM-dd-HH", timeZone: "Asia/Kolkata" },
  ]) {
    it(`is named as the model does: ${JSON.stringify(format)}`, async () => {
      const times = ["2026-01-01T00:00:00.5Z", "2025-12-29T23:59:59.999999999Z", "2026-07-06T05:30:00Z"];
      const found = await collect(
        { index: format },
        (sandbox) =>
          sandbox.write(
            POD,
            times.map((time) => `${time} stdout F line at ${time}`),
          ),
        3,
      );
      const wanted = times.map((time) =>
        indexName(IndexFormat.parse(format), new Date(time), { team: "ts", namespace: "ts-team", app: "curl" }),
      );
      assert.deepEqual(found.map(({ place }) => place).sort(), wanted.sort());
    });
  }
});

describe("Logagent delivers to", () => {
  logagent.use();
  testDelivery(collect, TIME, httpPlaces("2026-01-01"));
});
