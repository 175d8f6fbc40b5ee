/** What a placeholder of Fluent Bit stands for is not known here, and the longest date is ten letters. */
const PLACEHOLDER = /\$\{[^}]*\}|\$[\w.]+(\[[^\]]*\])*|%[a-zA-Z]/g;
/**
 * Parts of a date that have letters or signs which no name takes, each with one of them.
 * @see https://man7.org/linux/man-pages/man3/strftime.3.html
 */
const ILLEGAL_DATES: Readonly<Record<string, string>> = {
  a: "Mon",
  A: "Monday",
  b: "Jan",
  B: "January",
  c: "Mon Jan",
  D: "01/31",
  h: "Jan",
  p: "AM",
  r: "AM",
  R: "12:00",
  T: "12:00",
  x: "01/31",
  X: "12:00",
  Z: "UTC",
};

/**
 * Why OpenSearch and Elasticsearch would refuse an index name or the beginning of one; undefined where they take it.
 * @see https://docs.opensearch.org/latest/api-reference/index-apis/create-index/
 */
export function indexIssue(name: string): string | undefined {
  const fixed = name.replace(PLACEHOLDER, "");
  if (/[A-Z]/.test(fixed)) return "which has upper-case letters";
  if (/^[-_+]/.test(fixed) && !/^[$%]/.test(name)) return `which begins with ${fixed[0]}`;
  const forbidden = /[\\/*?"<>| ,#:]/.exec(fixed)?.[0];
  if (forbidden !== undefined) return `which has ${JSON.stringify(forbidden)} in it`;
  if (name === "." || name === "..") return "which means a folder";
  if (Buffer.byteLength(fixed) > 255) return "which is longer than 255 bytes";
  const [, date] = /%([a-zA-Z])/.exec(name.replace(/%(?![aAbBcDhprRTxXZ])[a-zA-Z]/g, "")) ?? [];
  return date === undefined ? undefined : `which makes names with ${ILLEGAL_DATES[date]} in them`;
}

/** The same of what stands inside a name, such as its date: that may begin with any of its letters. */
export function indexPartIssue(part: string): string | undefined {
  return indexIssue(`a${part}`);
}
