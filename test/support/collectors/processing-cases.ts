import { readFileSync } from "node:fs";
import { z } from "zod";

const Cases = z.strictObject({
  processing: z.record(z.string(), z.unknown()),
  cases: z.array(
    z.strictObject({
      why: z.string(),
      namespace: z.string(),
      stream: z.enum(["stdout", "stderr"]).default("stdout"),
      lines: z.array(z.string()),
      wanted: z.array(z.string()),
    }),
  ),
});

/** Lines of a namespace, and those that must come of them with the settings below. */
export type ProcessingCase = z.infer<typeof Cases>["cases"][number];

/** Settings, and what each collector and each script of this project must make of lines with them: a new behavior starts with a case there. */
export const { processing: PROCESSING, cases: PROCESSING_CASES } = Cases.parse(
  JSON.parse(readFileSync(new URL("./processing.json", import.meta.url), "utf8")),
);

/** Labels of the pods that write them. */
export const POD_LABELS: Readonly<Record<string, string>> = { "app.kubernetes.io/name": "curl", team: "ts" };

/** Without the cases of what reads and joins lines, which are tried by the real programs only. */
export const CASES_OF_LINES = PROCESSING_CASES.filter(({ namespace }) => !["joined", "returns"].includes(namespace));
