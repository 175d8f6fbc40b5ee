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
