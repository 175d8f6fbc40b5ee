/** One JSON document of a file that may hold several. */
interface JsonDocument {
  readonly content: unknown;
  /** Line of its first character, from 1. */
  readonly line: number;
}

/** Where text that is not JSON follows a JSON document: YAML, or a truncated file. */
interface JsonBreak {
  readonly brokenAt: number;
}

/** Deeper documents would overflow the stack; API servers reject ten thousand levels. */
const MAX_DEPTH = 1000;

/**
 * Reads concatenated JSON documents, on separate lines or not, as `kubectl get -o json` and `jq -c` write them; undefined if the text is
 * not JSON. Of duplicate keys the last counts, as in kubectl.
 * @see https://kubernetes.io/docs/reference/kubectl/generated/kubectl_apply/
 */
export function jsonDocuments(text: string): JsonDocument[] | JsonBreak | undefined {
  const documents: JsonDocument[] = [];
  let line = 1;
  let last = 0;
  let at = startOf(text, 0);
  while (at < text.length) {
    if (text[at] !== "{" && text[at] !== "[") return undefined;
    line += lineEnds(text, last, at);
    last = at;
    const end = endOf(text, at);
    if (end === undefined) return undefined;
    try {
      documents.push({ content: JSON.parse(text.slice(at, end)), line });
    } catch {
      return documents.length === 0 ? undefined : { brokenAt: line };
    }
    at = startOf(text, end);
  }
  return documents.length === 0 ? undefined : documents;
}

/** Index of the next document, after white space and YAML document separators. */
function startOf(text: string, from: number): number {
  const gap = /(?:\s|---(?=\s))*/y;
  gap.lastIndex = from;
  gap.exec(text);
  return gap.lastIndex;
}

/** Index after the bracket that closes the document at `start`; undefined if it is nested too deeply. */
function endOf(text: string, start: number): number | undefined {
  const mark = /["\\[\]{}]/g;
  mark.lastIndex = start;
  let depth = 0;
  let isQuoted = false;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    if (found[0] === "\\") mark.lastIndex += 1;
    else if (found[0] === '"') isQuoted = !isQuoted;
    else if (!isQuoted) depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
    if (depth > MAX_DEPTH) return undefined;
  }
  return text.length;
}

function lineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
