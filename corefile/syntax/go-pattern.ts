/** A character, class or group of a regular expression, with its quantifier. */
interface Atom {
  readonly text: string;
  /** The alternatives of a group. */
  readonly inner: readonly Branch[] | undefined;
  readonly quantifier: string;
}

/** An alternative between `|`. */
type Branch = readonly Atom[];

const QUANTIFIER = /[*+?]\??|\{\d+(?:,\d*)?\}\??/y;
const GROUP = /\((?:\?(?:P?<\w+>|[a-zA-Z-]*:))?/y;
/** Flags, a quotation, an escape, a class, or a character. */
const PIECE =
  /\(\?[a-zA-Z-]+\)|\\Q[\s\S]*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\[pP]\w|\\[\s\S]|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[\s\S]/y;

/** Splits a Go regular expression into its parts; the result is meaningless for an invalid one. */
class PatternReader {
  private readonly pattern: string;
  private at = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  branches(): readonly Branch[] {
    const found: Atom[][] = [[]];
    while (this.at < this.pattern.length && this.pattern[this.at] !== ")") {
      const isFlags = /^\(\?[a-zA-Z-]+\)/.test(this.pattern.slice(this.at));
      const isGroup = !isFlags && this.take(GROUP) !== "";
      const inner = isGroup ? this.branches() : undefined;
      if (isGroup) this.at += 1;
      const text = isGroup ? "(" : this.take(PIECE);
      if (text === "|") found.push([]);
      else found.at(-1)?.push({ text, inner, quantifier: this.take(QUANTIFIER) });
    }
    return found;
  }

  private take(expected: RegExp): string {
    expected.lastIndex = this.at;
    const text = expected.exec(this.pattern)?.[0] ?? "";
    this.at += text.length;
    return text;
  }
}

function branchesOf(pattern: string): readonly Branch[] {
  return new PatternReader(pattern).branches();
}

function mayBeMissing({ quantifier }: Atom): boolean {
  return /^([*?]|\{0)/.test(quantifier);
}

/** Why a pattern matches no name in CoreDNS's form: lower case, with a trailing dot. Undefined if it may match one. */
export function whyNoName(pattern: string): string | undefined {
  const branches = branchesOf(pattern);
  if (branches.every(endsBeforeDot)) return "since every name ends with a dot; end it with \\.$";
  const ignoresCase = /\(\?[a-z]*i/.test(pattern);
  return !ignoresCase && branches.every(needsCapitals) ? "since CoreDNS compares names in lower case" : undefined;
}

function needsCapitals(branch: Branch): boolean {
  return branch.some(
    (atom) => !mayBeMissing(atom) && (atom.inner?.every(needsCapitals) ?? /^([A-Z]|\[[A-Z-]+\])$/.test(atom.text)),
  );
}

function endsBeforeDot(branch: Branch): boolean {
  return branch.at(-1)?.text === "$" && isWithoutDot(branch.slice(0, -1));
}

/** Characters and classes that cannot match a dot. */
const NO_DOT = /^([\w-]|\\[wd]|\[\^[^\]]*\.[^\]]*\]|\[(?:[\w-]|\\[wd-]|\[:(?:alpha|alnum|digit|lower|word):\])+\])$/;

/** Whether the last character that an alternative matches cannot be a dot. */
function isWithoutDot(branch: Branch): boolean {
  const last = branch.at(-1);
  if (last === undefined || mayBeMissing(last)) return false;
  return last.inner?.every(isWithoutDot) ?? NO_DOT.test(last.text);
}
