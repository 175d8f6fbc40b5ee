import fc from "fast-check";
import { IndexFormat } from "../../../components/logging/index-format.ts";

/** Formats that the settings take. */
export const anyFormat: fc.Arbitrary<IndexFormat> = fc
  .record({
    prefix: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/),
    separator: fc.constantFrom("-", ".", "_"),
    datePattern: fc.constantFrom(
      "yyyy.MM.dd",
      "yyyy-MM-dd",
      "yyyy.MM",
      "yyyy",
      "yyyy.MM.dd.HH",
      "xxxx.ww",
      "xxxx-ww",
      "dd_MM_yyyy",
    ),
    timeZone: fc.constantFrom("UTC", "Europe/Madrid", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati"),
    splitBy: fc.constantFrom("none", "team", "namespace", "app"),
  })
  .map((format) => IndexFormat.parse(format));

/** Times to the second, from 1970 to 2100, with the days around New Year as often as the others. */
export const anyTime = fc
  .oneof(
    fc.integer({ min: 0, max: 4_102_444_800 }),
    fc
      .tuple(fc.integer({ min: 1971, max: 2099 }), fc.integer({ min: -4 * 86_400, max: 4 * 86_400 }))
      .map(([year, offset]) => Date.UTC(year, 0, 1) / 1000 + offset),
  )
  .map((seconds) => new Date(seconds * 1000));
