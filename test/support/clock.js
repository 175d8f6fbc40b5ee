/**
 * Moves the clock of a process that loads this file first: `CLOCK` is the day on which it starts, as YYYY-MM-DD. Time passes as before, and
 * programs that are started on the way get the same clock.
 */
const day = process.env.CLOCK ?? "";
const start = Date.parse(`${day}T12:00:00Z`);
if (Number.isNaN(start)) throw new Error(`CLOCK must be a day such as 2029-01-31 (found "${day}")`);

const realNow = Date.now;
const shift = start - realNow();
const now = () => realNow() + shift;

Date.now = now;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made),
});

const load = `--import ${import.meta.url}`;
if (!(process.env.NODE_OPTIONS ?? "").includes(load))
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} ${load}`.trim();
