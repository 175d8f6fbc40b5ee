/** One kind of text, which a pattern recognizes. */
export interface TextKind {
  /** What such a text is, for a reader of the table. */
  readonly what: string;
  readonly form: RegExp;
  /** Texts that the pattern matches; a test holds it to them. */
  readonly examples: readonly string[];
  /** Similar texts that it does not match. Default: none. */
  readonly others?: readonly string[];
}

/** A pattern that matches what one of the kinds matches. All have the same flags. */
export function anyOf(kinds: readonly TextKind[]): RegExp {
  return new RegExp(kinds.map(({ form }) => `(?:${form.source})`).join("|"), kinds[0]?.form.flags);
}

/** A kind of names that end with one of these words, in any case. */
export function ending(what: string, words: string, ...examples: readonly string[]): TextKind {
  return { what, form: new RegExp(`(?:${words.replaceAll(" ", "|")})$`, "i"), examples };
}

/** A kind of texts that are one of these words, in any case. */
export function equal(what: string, words: string): TextKind {
  return { what, form: new RegExp(`^(?:${words.replaceAll(" ", "|")})$`, "i"), examples: words.split(" ") };
}
