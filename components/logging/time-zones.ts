import { IANAZone } from "luxon";

/** Areas of the time zone database; names without one are old, and not every program's table has them. */
const AREA =
  "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US";
/** How places of older names are spelt, such as Asia/Kolkata or Australia/ACT. */
const PLACE = "(?:Baja|Comod|De|Easter)?[A-Z][a-z]+|ACT|LHI|NSW|IN|UCT|UTC|GMT[+-]?\\d*";
const OLDER_NAME = new RegExp(`^(${AREA})(/(${PLACE})([_-](${PLACE}))*)+$`);

/** The names that JavaScript lists, by what they are in lower case. Made when one is asked for: it takes milliseconds. */
let spellings: ReadonlyMap<string, string> | undefined;

/**
 * Whether each program knows a zone by that name. JavaScript takes `europe/madrid` and `JST` too, of which Vector sends lines
 * without an index, and Fluentd does not start.
 */
export function isTimeZone(name: string): boolean {
  if (name === "UTC" || name === "GMT") return true;
  spellings ??= new Map(Intl.supportedValuesOf("timeZone").map((zone) => [zone.toLowerCase(), zone]));
  const spelling = spellings.get(name.toLowerCase());
  if (spelling !== undefined) return spelling === name;
  return OLDER_NAME.test(name) && IANAZone.isValidZone(name);
}

/** A zone's offset from UTC in seconds, from a moment on in seconds since 1970. */
export type ZoneOffset = readonly [from: number, seconds: number];

const FIRST = 0;
const LAST = Date.UTC(2100, 0, 1) / 1000;
/** Shorter than the time between any two changes. */
const STEP = 7 * 86_400;
const known = new Map<string, readonly ZoneOffset[]>();

/** The offsets of a time zone from 1970 to 2100, for programs whose own time zone data is old. Empty for UTC. */
export function timeZoneOffsets(name: string): readonly ZoneOffset[] {
  const offsets = known.get(name) ?? find(name);
  known.set(name, offsets);
  return offsets;
}

function find(name: string): ZoneOffset[] {
  // A formatted text is several times as fast as its parts.
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

/** Seconds of a text such as `2026, GMT+05:30`; `GMT` alone is none. */
function offsetIn(text: string): number {
  const [, sign, hours = "0", minutes = "0", seconds = "0"] =
    /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}
