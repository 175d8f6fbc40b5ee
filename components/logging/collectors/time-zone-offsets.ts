import { IANAZone } from "luxon";

/** From a moment on, in seconds since 1970, a zone is that many seconds ahead of UTC. */
export type ZoneOffset = readonly [from: number, seconds: number];

const FIRST = 0;
const LAST = Date.UTC(2100, 0, 1) / 1000;
/** Less than any time between two changes. */
const STEP = 7 * 86_400;
const known = new Map<string, readonly ZoneOffset[]>();

/** The offsets of a time zone from 1970 to 2100, for programs whose own table of zones is old. Empty for UTC. */
export function timeZoneOffsets(name: string): readonly ZoneOffset[] {
  const offsets = known.get(name) ?? find(IANAZone.create(name));
  known.set(name, offsets);
  return offsets;
}

function find(zone: IANAZone): ZoneOffset[] {
  const offsetAt = (second: number) => Math.round(zone.offset(second * 1000) * 60);
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
