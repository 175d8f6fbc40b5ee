import { readFileSync } from "node:fs";
import { z } from "zod";
import { appOf, type IndexFields, IndexFormat, teamOf } from "../../../components/logging/indexing/index-format.ts";

/** A line's time and pod, and the name of the index that every collector must give it. */
export interface IndexNameVector {
  /** What the vector is about, for a test's title. */
  readonly why: string;
  readonly format: IndexFormat;
  readonly at: Date;
  readonly pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  /** What the model knows of the pod. */
  readonly fields: IndexFields;
  readonly name: string;
}

const Vectors = z.array(
  z.strictObject({
    why: z.string(),
    format: IndexFormat,
    at: z.iso.datetime(),
    pod: z.strictObject({ namespace: z.string(), labels: z.record(z.string(), z.string()) }),
    name: z.string(),
  }),
);

/** The test vectors that the model and each collector's own script must pass; a new rule of index names starts with a line there. */
export const INDEX_NAMES: readonly IndexNameVector[] = Vectors.parse(
  JSON.parse(readFileSync(new URL("./index-names.json", import.meta.url), "utf8")),
).map(({ at, pod, ...vector }) => ({
  ...vector,
  pod,
  at: new Date(at),
  fields: { namespace: pod.namespace, team: teamOf(pod.namespace), app: appOf(pod.labels) },
}));

/** Vectors in UTC, for a collector that knows no other time zone. */
export const INDEX_NAMES_IN_UTC = INDEX_NAMES.filter(({ format }) => format.timeZone === "UTC");
