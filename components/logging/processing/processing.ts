import type { TeamNamespaces } from "../../kubernetes/labels.ts";
import { LEVELS, type Route, type Selection, selectionOf } from "../routing/routes.ts";
import { type PatternNode, parsePattern } from "./pattern.ts";
import { type Dialect, patternText, withoutGroups } from "./pattern-text.ts";
import { type RedactionRule, type Replacement, redactionRules } from "./redaction.ts";
import type { ProcessingSettings } from "./settings.ts";

/** Conditions of a rule, all of which a line must meet. */
export interface Match extends Selection {
  /** Matches anywhere in the line, after redaction. */
  readonly pattern?: PatternNode | undefined;
}

/** Lines of which only a share is kept. */
export interface Thinning extends Match {
  /** Thousandths to keep, 0 to 999. */
  readonly kept: number;
}

/** First line of records in some namespaces; undefined means all. */
export interface FirstLine {
  readonly namespaces: readonly string[] | undefined;
  readonly pattern: PatternNode;
}

/** Changes to lines before they are sent, in the order of execution. */
export interface Processing {
  readonly firstLines: readonly FirstLine[];
  readonly redact: readonly RedactionRule[];
  /** Drop rules, then samples. */
  readonly thin: readonly Thinning[];
  readonly limit: readonly { readonly namespaces: readonly string[] | undefined; readonly linesPerSecond: number }[];
  readonly fields: Readonly<Record<string, string>>;
}

/** A pipeline's processing. @param teams Teams that rules may name. */
export function processingOf(
  { redact, drop, sample, limit, firstLines, fields }: ProcessingSettings,
  teams: readonly TeamNamespaces[] = [],
): Processing {
  const match = ({ pattern, ...conditions }: Omit<Route, "to"> & { pattern?: string | undefined }): Match => ({
    ...selectionOf({ to: [], ...conditions }, teams),
    ...(pattern === undefined ? {} : { pattern: withoutGroups(parsePattern(pattern)) }),
  });
  const namespaces = (rule: Pick<Route, "namespaces" | "teams">) => selectionOf({ to: [], ...rule }, teams).namespaces;
  return {
    firstLines: firstLines.map(({ pattern, ...places }) => ({
      namespaces: namespaces(places),
      pattern: withoutGroups(parsePattern(pattern)),
    })),
    redact: redactionRules(redact),
    thin: [
      ...drop.map((rule) => ({ ...match(rule), kept: 0 })),
      ...sample.map(({ ratio, ...rule }) => ({ ...match(rule), kept: Math.round(ratio * 1000) })),
    ],
    limit: limit.map(({ linesPerSecond, ...places }) => ({ namespaces: namespaces(places), linesPerSecond })),
    fields,
  };
}

/** Processing as data for a script, with patterns in its engine's dialect. Empty steps are omitted. */
export interface ScriptRules {
  readonly redact?: readonly {
    readonly pattern: string;
    readonly replacement: Replacement;
    readonly luhn: boolean;
    readonly bare?: true;
  }[];
  readonly thin?: readonly (Omit<Selection, "levels"> & {
    readonly kept: number;
    readonly pattern?: string;
    /** Words for the levels, in lower case. */
    readonly words?: readonly string[];
  })[];
  readonly limit?: readonly { readonly namespaces?: readonly string[]; readonly linesPerSecond: number }[];
  readonly firstLines?: readonly { readonly namespaces?: readonly string[]; readonly pattern: string }[];
  readonly fields?: Readonly<Record<string, string>>;
}

/** A processing's rules for a script; undefined if there are none. */
export function scriptRules(
  { redact, thin, limit, firstLines, fields }: Processing,
  dialect: Dialect,
): ScriptRules | undefined {
  const rules = {
    redact: redact.map(({ pattern, replacement, luhn, bare }) => ({
      pattern: patternText(pattern, dialect),
      replacement,
      luhn,
      bare: bare && true,
    })),
    thin: thin.map(({ pattern, levels, ...rule }) => ({
      ...rule,
      pattern: pattern && patternText(pattern, dialect),
      words: levels?.flatMap((level) => LEVELS[level]),
    })),
    limit,
    firstLines: firstLines.map(({ namespaces, pattern }) => ({ namespaces, pattern: patternText(pattern, dialect) })),
    fields,
  };
  const steps = Object.entries(rules).filter(([, rule]) => Object.keys(rule).length > 0);
  return steps.length === 0 ? undefined : Object.fromEntries(steps);
}

/**
 * Matches times whose three digits of microseconds are at least this number, for collectors with conditions on texts only: the same lines
 * are dropped when they are read again. In the syntax that all engines share.
 */
export function droppedTimes(from: number): string {
  const digits = [...String(from).padStart(3, "0")].map(Number);
  // By the first digit that exceeds the number's.
  const greater = digits.flatMap((digit, index) =>
    digit === 9
      ? []
      : [`${digits.slice(0, index).join("")}[${digit + 1}-9]${"[0-9]".repeat(digits.length - index - 1)}`],
  );
  return `\\.[0-9]{3}(${[...greater, digits.join("")].join("|")})`;
}
