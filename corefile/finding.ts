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
  const where = block.length === 0 ? "" : `${block.join(" ")}: `;
  return `${where}${subject}: ${problem}${advice === undefined ? "" : `; ${advice}`}`;
}

/** Why CoreDNS does not start, or a warning, at a line of the text. */
export function atLine(line: number, problem: string, advice?: string): string {
  return sentenceOf({ subject: `line ${line}`, problem, advice });
}
