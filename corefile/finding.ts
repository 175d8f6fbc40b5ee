/** One problem of a Corefile. */
export interface Finding {
  /** Zones of the server block, as written; none if the problem concerns the whole Corefile. */
  readonly block?: readonly string[] | undefined;
  /**
   * What has the problem: a plugin with as many of its words as distinguish the line, such as `forward .`, or a zone, a port, a line of the
   * text.
   */
  readonly subject: string;
  /** What happens and why, as a clause about the subject: `is never used, since forward . comes first and takes its names`. */
  readonly problem: string;
  /** What to write instead, as an imperative. */
  readonly advice?: string | undefined;
}

/** The wording of every finding: `BLOCK: SUBJECT: PROBLEM; ADVICE`. */
export function sentenceOf({ block = [], subject, problem, advice }: Finding): string {
  const where = block.length === 0 ? "" : `${shortened(block.join(" "))}: `;
  const remedy = advice === undefined ? "" : `; ${shortenedClause(advice)}`;
  return `${where}${shortened(subject)}: ${shortenedClause(problem)}${remedy}`;
}

/** Most characters of a value that a message shows. */
const MAX_SHOWN = 80;
const LONG_WORD = new RegExp(`\\S{${MAX_SHOWN + 1},}`, "g");

/** A value, as every message shows it: the end of a long one is left out. */
export function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}…` : text;
}

/** A clause with values in it, as every message shows it: each word is shortened, and the middle of a long list is left out. */
export function shortenedClause(clause: string, max = 400): string {
  const text = clause.replaceAll(LONG_WORD, shortened);
  return text.length > max ? `${text.slice(0, max / 2)} … ${text.slice(-max / 2)}` : text;
}

/** Why CoreDNS does not start, or a warning, at a line of the text. */
export function atLine(line: number, problem: string, advice?: string): string {
  return sentenceOf({ subject: `line ${line}`, problem, advice });
}
