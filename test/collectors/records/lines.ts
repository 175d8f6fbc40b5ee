/** A record as it should come; what is not said is that of an ordinary line. */
export interface Wanted {
  readonly log: string;
  /** Default: stdout. */
  readonly stream?: string;
  /** When the container wrote it, in UTC. */
  readonly at: string;
  /** Its fields, as JSON. Default: it has none. */
  readonly fields?: string | undefined;
}

/** Lines of one container, and what should come of them. */
export interface RecordCase {
  /** Also the name of its pod. */
  readonly name: string;
  /** Default: ts-team. */
  readonly namespace?: string;
  readonly pod?: string;
  readonly container?: string;
  readonly lines: readonly (string | Buffer)[];
  /** Lines of the file that takes the place of the first one, which is rotated away. */
  readonly afterRotation?: readonly string[];
  readonly wanted: readonly Wanted[];
  /** Stands in the record to the letter, where JavaScript would round a number. */
  readonly literally?: string;
  /** Whether other records may come too. */
  readonly more?: true;
}

/** A line's text, and what differs from a whole one of stdout. */
export type Line = string | readonly [{ readonly stream?: string; readonly tag?: string }, string];

export const STDERR = { stream: "stderr" };
export const PART = { tag: "P" };
export const PART_OF_STDERR = { stream: "stderr", tag: "P" };

/** Time of the line of that number. */
export const time = (number: number): string => `2026-02-01T10:00:00.${123_456_701 + number}Z`;

/** Lines as a runtime writes them, a nanosecond after each other. */
export function cri(...lines: readonly Line[]): string[] {
  return lines.map((line, number) => {
    const [{ stream = "stdout", tag = "F" }, text] = typeof line === "string" ? [{}, line] : line;
    return `${time(number)} ${stream} ${tag} ${text}`;
  });
}

/** Lines that come as they are. */
export function asIs(name: string, ...texts: readonly string[]): RecordCase {
  return { name, lines: cri(...texts), wanted: texts.map((log, number) => ({ log, at: time(number) })) };
}
