import { z } from "zod";
import { string, unique } from "../../schema/values.ts";
import { CONDITIONS, selectionOf } from "../routing/routes.ts";
import { PatternError, type PatternNode, parsePattern } from "./pattern.ts";
import { canBeEmpty, isEmptyBesideText, refuseRisk } from "./pattern-risk.ts";
import { groupCount, hasRepeatedGroup } from "./pattern-text.ts";
import { REDACTION_KINDS } from "./redaction.ts";

const MAX_PATTERN_LENGTH = 500;

/** Error of a pattern that matches empty text; undefined if it is fine. */
type EmptyCheck = (pattern: PatternNode) => string | undefined;

/** A regular expression in the syntax that all collectors share. */
function patternOf(emptyProblem: EmptyCheck) {
  return z
    .string()
    .min(1, "must not be empty")
    .max(MAX_PATTERN_LENGTH, `must be a regular expression of up to ${MAX_PATTERN_LENGTH} characters`)
    .superRefine((text, context) => {
      const message = text === "" ? undefined : patternProblem(text, emptyProblem);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    });
}

/** Matches the text to replace, or the first line of a record: never empty. */
const Pattern = patternOf((pattern) => (canBeEmpty(pattern) ? "must not match an empty string" : undefined));

/** Selects lines, which may be empty. */
const LinePattern = patternOf((pattern) =>
  isEmptyBesideText(pattern)
    ? "must not match an empty string, unless between ^ and $, since it would match every line"
    : undefined,
);

function parsedOrError(text: string): PatternNode | PatternError {
  try {
    return parsePattern(text);
  } catch (error) {
    if (error instanceof PatternError) return error;
    throw error;
  }
}

function patternProblem(text: string, emptyProblem: EmptyCheck): string | undefined {
  const pattern = parsedOrError(text);
  if (pattern instanceof PatternError)
    return `must be a regular expression that all collectors read alike, without ${pattern.message}`;
  const problem = emptyProblem(pattern);
  if (problem !== undefined) return problem;
  try {
    refuseRisk(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return `must be a regular expression without ${error.message}`;
  }
  return undefined;
}

/** Where a rule applies. */
const places = { namespaces: CONDITIONS.namespaces, teams: CONDITIONS.teams };

/** Conditions of a rule, all of which a line must meet. */
const conditions = {
  pattern: LinePattern.optional().describe("Lines that this regular expression matches."),
  levels: CONDITIONS.levels,
  ...places,
  labels: CONDITIONS.labels,
  streams: CONDITIONS.streams,
};

const Drop = z
  .strictObject(conditions)
  .refine(
    ({ pattern, ...places }) => pattern !== undefined || Object.keys(selectionOf({ to: [], ...places }, [])).length > 0,
    "must have a condition that some lines do not meet, or all lines are dropped",
  );

const Sample = z.strictObject({
  ...conditions,
  ratio: z
    .number()
    .min(0.001, "must be a number from 0.001 to 0.999")
    .max(0.999, "must be a number from 0.001 to 0.999")
    .describe("Share to keep, a multiple of 0.001."),
});

const Limit = z.strictObject({
  ...places,
  linesPerSecond: z
    .int("must be an integer from 1 to 1000000")
    .min(1, "must be an integer from 1 to 1000000")
    .max(1_000_000, "must be an integer from 1 to 1000000")
    .describe("Per pod; the rest are dropped."),
});

const REDACTION = `must be one of ${REDACTION_KINDS.join(", ")}, or an object with a pattern`;
const Redaction = z
  .strictObject({
    pattern: Pattern.describe("Regular expression."),
    replacement: z
      .string()
      .max(200, "must have at most 200 characters")
      .regex(/^[^"\\\p{Cc}]*$/u, "must have no quotation mark, backslash or control character, which could break JSON")
      .default("[REDACTED]")
      .describe("Replacement; $1 is the first group. Default [REDACTED]."),
  })
  .superRefine(({ pattern, replacement }, context) => {
    const node = parsedOrError(pattern);
    if (node instanceof PatternError) return;
    const groups = groupCount(node);
    const missing = (replacement.match(/\$[0-9]?/g) ?? []).find(
      (name) => !/^\$[1-9]$/.test(name) || Number(name.slice(1)) > groups,
    );
    if (missing === undefined && !(/\$/.test(replacement) && hasRepeatedGroup(node))) return;
    const message = `must contain $ only as $1 to $9 for groups of the pattern, which has ${groups}, and no group may then be repeated`;
    context.addIssue({ code: "custom", path: ["replacement"], message });
  });

const FirstLine = z.strictObject({
  ...places,
  pattern: Pattern.describe("Regular expression of the first line."),
});

/** Record fields that already have a meaning. */
const RESERVED_FIELDS: ReadonlySet<string> = new Set([
  "log",
  "stream",
  "time",
  "team",
  "fields",
  "kubernetes",
  "date",
  "message",
  "index_split",
  "line_id",
  "routed",
  "dropped",
  "cluster",
  "region",
  "account",
  "source",
  "index",
  "host",
  "agent",
  "ecs",
  "input",
  "event",
  "container",
  "orchestrator",
]);

/** Changes to lines before they are sent. */
export const ProcessingSettings = z.strictObject({
  redact: z
    .array(z.union([z.enum(REDACTION_KINDS), Redaction], REDACTION))
    .superRefine(unique())
    .default([])
    .describe("Secrets to mask in lines and JSON fields: kinds, or patterns. Default: none."),
  drop: z.array(Drop).default([]).describe("Drop lines that meet all conditions of a rule. Default: none."),
  sample: z.array(Sample).default([]).describe("Keep only a share of lines. Default: none."),
  limit: z.array(Limit).default([]).describe("After drop and sample. Default: none."),
  firstLines: z
    .array(FirstLine)
    .default([])
    .describe("Where multi-line records begin; replaces multiline. Default: none."),
  fields: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, "must be up to 63 letters, digits and '_', with a letter first")
        .refine((name) => !RESERVED_FIELDS.has(name), "must not be a field that records already have"),
      string(/^[\w.:/@-]{1,128}$/, "a quoted string of 1 to 128 letters, digits and . _ : / @ -"),
    )
    .default({})
    .describe("Added to each record. Default: none."),
});
export type ProcessingSettings = z.infer<typeof ProcessingSettings>;

/** Processing steps, by the names of the settings. */
export type ProcessingStep = keyof ProcessingSettings;
export const PROCESSING_STEPS = [
  "redact",
  "drop",
  "sample",
  "limit",
  "firstLines",
  "fields",
] as const satisfies readonly ProcessingStep[];
