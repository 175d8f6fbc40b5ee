import { DateTime, IANAZone } from "luxon";
import { z } from "zod";
import { namespacesOf, type TeamNamespaces } from "../../kubernetes/labels.ts";
import { string } from "../../schema/values.ts";

/**
 * The parts of a date pattern. All are written as in Unicode's notation (TR 35), which Joda, luxon and most libraries share; strftime
 * differs.
 * @see https://www.unicode.org/reports/tr35/tr35-dates.html#Date_Field_Symbol_Table
 */
const DATE_PARTS = [
  { part: "yyyy", means: "calendar year", luxon: "yyyy", strftime: "%Y", joda: "yyyy" },
  { part: "MM", means: "month, 01 to 12", luxon: "MM", strftime: "%m", joda: "MM" },
  { part: "dd", means: "day of the month, 01 to 31", luxon: "dd", strftime: "%d", joda: "dd" },
  { part: "HH", means: "hour, 00 to 23", luxon: "HH", strftime: "%H", joda: "HH" },
  { part: "xxxx", means: "ISO week year, which goes with ww", luxon: "kkkk", strftime: "%G", joda: "xxxx" },
  { part: "ww", means: "ISO week, 01 to 53", luxon: "WW", strftime: "%V", joda: "ww" },
] as const;

type Notation = "luxon" | "strftime" | "joda";

const PART = new RegExp(DATE_PARTS.map(({ part }) => part).join("|"), "g");
/** Parts, with separators that are valid in an index name. A repeated part would be read as one of another length. */
const PATTERN = new RegExp(`^(${DATE_PARTS.map(({ part }) => `${part}(?!${part})`).join("|")}|[._-])+$`);

/** The notation's parts in words, for messages and documentation. */
export const DATE_NOTATION = DATE_PARTS.map(({ part, means }) => `${part} (${means})`).join(", ");

/** OpenSearch and Elasticsearch reject longer names. @see https://docs.opensearch.org/latest/api-reference/index-apis/create-index/ */
export const MAX_INDEX_BYTES = 255;
/**
 * Longest prefix, and longest value of a team, namespace or app: Kubernetes' limit for these. Together they stay below the 128 bytes at
 * which Fluent Bit truncates the part of a name that comes from a record.
 */
const MAX_PART = 63;
/** What remains for the date, which is as long as its pattern. */
const MAX_DATE = MAX_INDEX_BYTES - 2 * (MAX_PART + 1);

/** First characters of index names, which begin with the prefix. */
export const FIRST_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Format of index names: `PREFIX[SEPARATOR SPLIT]SEPARATOR DATE`. */
export const IndexFormat = z
  .strictObject({
    prefix: string(
      /^[a-z0-9][a-z0-9._-]*$/,
      "a string of lower-case letters, digits, '.', '-' and '_' that starts with a letter or digit",
    )
      .max(MAX_PART, `must have at most ${MAX_PART} characters`)
      .default("logs")
      .describe("Default logs."),
    separator: z.enum(["-", ".", "_"]).default("-").describe("Default '-'."),
    datePattern: string(PATTERN, `made of ${DATE_NOTATION}, with '.', '-' or '_' between them`)
      .max(MAX_DATE, `must have at most ${MAX_DATE} characters`)
      .default("yyyy.MM.dd")
      .describe(
        "Made of yyyy, MM, dd, HH, xxxx (ISO week year), ww (ISO week). Default yyyy.MM.dd, one index per day.",
      ),
    timeZone: z
      .string()
      .refine(isTimeZone, "must be UTC or the full name of an IANA time zone, such as Europe/Madrid")
      .default("UTC")
      .describe("IANA time zone. Default UTC."),
    splitBy: z
      .enum(["none", "team", "namespace", "app"])
      .default("none")
      .describe("One index per team, namespace or app (label app.kubernetes.io/name, else app). Default none."),
  })
  .superRefine(
    (format, context) => {
      const parts = new Set<string>(format.datePattern.match(PART) ?? []);
      const hasWeek = parts.has("ww") || parts.has("xxxx");
      const onlyWeek =
        parts.has("ww") && parts.has("xxxx") && !["yyyy", "MM", "dd", "HH"].some((part) => parts.has(part));
      if (!hasWeek || onlyWeek) return;
      const message =
        "must use xxxx and ww together and no other part, since an ISO week may belong to another year than its days";
      context.addIssue({ code: "custom", path: ["datePattern"], message, input: format.datePattern });
    },
    // Also if the prefix is invalid, so that both are reported together.
    {
      when: ({ value }) =>
        typeof value === "object" && value !== null && "datePattern" in value && typeof value.datePattern === "string",
    },
  );
export type IndexFormat = z.infer<typeof IndexFormat>;

/** Date parts, from longest to shortest unit. */
const CALENDAR = ["yyyy", "MM", "dd", "HH"] as const;

/** Why lines of distant times share an index; undefined if they do not. */
export function sharedTimes({ datePattern }: Pick<IndexFormat, "datePattern">): string | undefined {
  const parts = new Set<string>(datePattern.match(PART) ?? []);
  if (parts.size === 0) return "has no date, so one index gets all lines forever";
  const shortest = CALENDAR.findLastIndex((part) => parts.has(part));
  const missing = CALENDAR.slice(0, shortest + 1).filter((part) => !parts.has(part));
  if (missing.length === 0) return undefined;
  return `has ${CALENDAR[shortest]} without ${missing.join(" and ")}, so lines of distant dates share an index`;
}

/** Fields of a line on which its index name depends. */
export interface IndexFields {
  readonly team?: string | undefined;
  readonly namespace?: string | undefined;
  readonly app?: string | undefined;
}

/** Labels that name a pod's app, in order of precedence. */
export const APP_LABELS = ["app.kubernetes.io/name", "app"] as const;

/** A pod's app: the first of {@link APP_LABELS} with a value; undefined if none. */
export function appOf(labels: Readonly<Record<string, string>>): string | undefined {
  return APP_LABELS.map((label) => labels[label]).find((value) => value !== undefined && value !== "");
}

/** A namespace's team: the part before `-team`; undefined if none. */
export function teamOf(namespace: string): string | undefined {
  return /^(.+)-team$/.exec(namespace)?.[1];
}

/** Replaces a missing value: a pod of no team, or without an app label. */
export const NO_VALUE = "none";

/** Index name of a line written at that time. Every collector produces the same. */
export function indexName(format: IndexFormat, time: Date, fields: IndexFields = {}): string {
  const date = DateTime.fromJSDate(time, { zone: format.timeZone })
    .setLocale("en-US")
    .toFormat(notation(format.datePattern, "luxon"));
  return [indexPrefix(format, fields), date].join(format.separator);
}

/** The part before the date: the prefix, and the value that indices are split by. */
export function indexPrefix(format: IndexFormat, fields: IndexFields = {}): string {
  if (format.splitBy === "none") return format.prefix;
  return [format.prefix, safeIndexPart(fields[format.splitBy] ?? NO_VALUE)].join(format.separator);
}

/**
 * Makes a value safe for an index name: lower case, and `-` for all characters except letters, digits, '.', '_' and '-'; truncated to 63
 * characters. Values that only differ in these share an index.
 */
export function safeIndexPart(value: string): string {
  const safe = value
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, "-")
    .slice(0, MAX_PART);
  return safe === "" ? NO_VALUE : safe;
}

/** Pattern for all indices of a format, with any date and split: for templates and searches. */
export function indexPattern(format: IndexFormat): string {
  return `${format.prefix}${format.separator}*`;
}

/** The date pattern in another notation: strftime (Fluent Bit, Fluentd, Vector), Joda (Filebeat) or luxon. */
export function notation(pattern: string, target: Notation): string {
  return pattern.replaceAll(PART, (text) => DATE_PARTS.find(({ part }) => part === text)?.[target] ?? text);
}

/** A regular expression for the dates of a format, in syntax common to Java and JavaScript. */
export function dateExpression({ datePattern }: Pick<IndexFormat, "datePattern">): string {
  return datePattern.replaceAll(/yyyy|xxxx|MM|dd|HH|ww|\./g, (text) =>
    text === "." ? "\\." : `[0-9]{${text.length}}`,
  );
}

/**
 * First parts of names that Elasticsearch reserves: it ships index templates for `logs-*-*` and so on, most of them for data streams.
 * These reject documents with an id, and no index can have such a name.
 * @see https://www.elastic.co/docs/manage-data/data-store/templates#avoid-index-pattern-collisions
 * @see https://www.elastic.co/docs/reference/fleet/data-streams#data-streams-naming-scheme
 */
const RESERVED = ["logs", "metrics", "traces", "synthetics", "agentless", "security_solution"] as const;
/** Reserved with any continuation. */
const RESERVED_WHOLE = "profiling";

const RESERVED_NAME = new RegExp(`^((${RESERVED.join("|")})-.*-|${RESERVED_WHOLE}-)`);

/** The reserved names, as patterns. */
export const RESERVED_PATTERNS = [...RESERVED.map((name) => `${name}-*-*`), `${RESERVED_WHOLE}-*`].join(", ");

/** Whether Elasticsearch may reserve names of this format; the value that they are split by may contain '-'. */
export function isReservedByElasticsearch({ prefix, separator, splitBy, datePattern }: IndexFormat): boolean {
  const split = splitBy === "none" ? [] : ["a-b"];
  return RESERVED_NAME.test([prefix, ...split, datePattern].join(separator));
}

/**
 * Index names of the teams' lines at a time, sorted. The app of curl pods is `curl`; other pods, such as those of kube-system, may have
 * their own indices if the format splits by namespace or app.
 */
export function todaysIndices(format: IndexFormat, teams: readonly TeamNamespaces[], now: Date): string[] {
  const names = teams.flatMap((team) =>
    namespacesOf(team).map((namespace) => indexName(format, now, { team: team.name, namespace, app: "curl" })),
  );
  return [...new Set(names)].sort();
}

/** Areas of the time zone database; names without one are old, and missing in some programs. */
const AREA =
  "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US";
/** Spelling of places in older names, such as Asia/Kolkata or Australia/ACT. */
const PLACE = "(?:Baja|Comod|De|Easter)?[A-Z][a-z]+|ACT|LHI|NSW|IN|UCT|UTC|GMT[+-]?\\d*";
const OLDER_NAME = new RegExp(`^(${AREA})(/(${PLACE})([_-](${PLACE}))*)+$`);
/** Names removed from the database in 2017 and 2020. @see https://data.iana.org/time-zones/tzdb/NEWS */
const REMOVED_NAMES: readonly string[] = ["Canada/East-Saskatchewan", "US/Pacific-New"];

/** Time zones that JavaScript lists, by lower-case name. Filled on first use: it takes milliseconds. */
let spellings: ReadonlyMap<string, string> | undefined;

/**
 * Whether all programs know the time zone. JavaScript also accepts `europe/madrid` and `JST`, with which Vector sends lines without an
 * index, and Fluentd does not start.
 */
export function isTimeZone(name: string): boolean {
  if (name === "UTC" || name === "GMT") return true;
  spellings ??= new Map(Intl.supportedValuesOf("timeZone").map((zone) => [zone.toLowerCase(), zone]));
  const spelling = spellings.get(name.toLowerCase());
  if (spelling !== undefined) return spelling === name;
  if (!OLDER_NAME.test(name) || REMOVED_NAMES.includes(name)) return false;
  const isValid = olderNames.get(name) ?? IANAZone.isValidZone(name);
  olderNames.set(name, isValid);
  return isValid;
}

/** Whether older names are valid, for which JavaScript creates a date format. */
const olderNames = new Map<string, boolean>();

/** A zone's offset from UTC in seconds, starting at a time in seconds since 1970. */
export type ZoneOffset = readonly [from: number, seconds: number];

const FIRST = 0;
const LAST = Date.UTC(2100, 0, 1) / 1000;
/** Shorter than the interval between any two changes. */
const STEP = 7 * 86_400;
const offsetsByZone = new Map<string, readonly ZoneOffset[]>();

/** A time zone's offsets from 1970 to 2100, for programs with outdated time zone data. Empty for UTC. */
export function timeZoneOffsets(name: string): readonly ZoneOffset[] {
  const offsets = offsetsByZone.get(name) ?? findOffsets(name);
  offsetsByZone.set(name, offsets);
  return offsets;
}

/** Searches weeks for changes of the offset, and a week for its second. */
function findOffsets(name: string): ZoneOffset[] {
  // Formatted text is several times as fast as formatToParts.
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset", year: "numeric" });
  const offsetAt = (second: number) => offsetIn(format.format(second * 1000));
  const offsets: ZoneOffset[] = [[FIRST, offsetAt(FIRST)]];
  let after = offsetAt(FIRST);
  for (let second = FIRST; second < LAST; second += STEP) {
    const before = after;
    after = offsetAt(second + STEP);
    if (before === after) continue;
    let [low, high] = [second, second + STEP];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    offsets.push([high, offsetAt(high)]);
  }
  return offsets.length === 1 && offsets[0]?.[1] === 0 ? [] : offsets;
}

/** Offset in seconds from a text such as `2026, GMT+05:30`; `GMT` alone is zero. */
function offsetIn(text: string): number {
  const [, sign, hours = "0", minutes = "0", seconds = "0"] =
    /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}
