import fc from "fast-check";
import { IndexFormat } from "../../../components/logging/indexing/index-format.ts";

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

const label = /^([a-z0-9]([-a-z0-9]{0,4}[a-z0-9])?(\.[a-z0-9]{1,4})?\/)?[A-Za-z0-9]([-\w.]{0,9}[A-Za-z0-9])?$/;
const value = /^[A-Za-z0-9]([-\w.]{0,9}[A-Za-z0-9])?$/;
const namespaces = fc.array(fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?$/), { maxLength: 3 });

/** Settings below `logging` that the schema takes, but for collector and destination; a collector may refuse some of them. */
export const anyLogging = fc.record(
  {
    index: anyFormat,
    namespaces: fc.record({ include: namespaces, exclude: namespaces }),
    labels: fc.dictionary(fc.stringMatching(label), fc.stringMatching(value), { maxKeys: 3 }),
    multiline: fc.uniqueArray(fc.constantFrom("java", "python", "go", "node")),
    parseJson: fc.boolean(),
    metadata: fc.record({ labels: fc.boolean(), annotations: fc.boolean() }),
    buffer: fc.record(
      { size: fc.constantFrom("64Mi", "300Mi", "4Gi"), whenFull: fc.constantFrom("drop-oldest", "block") },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
