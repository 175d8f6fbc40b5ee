/** What a placeholder of Fluent Bit stands for is not known here, and the longest date is ten letters. */
const PLACEHOLDER = /\$\{[^}]*\}|\$[\w.]+(\[[^\]]*\])*|%[a-zA-Z]/g;

/**
 * Why OpenSearch and Elasticsearch would refuse an index name or the beginning of one; undefined where they take it.
 * @see https://docs.opensearch.org/latest/api-reference/index-apis/create-index/
 */
export function indexMistake(name: string): string | undefined {
  const fixed = name.replace(PLACEHOLDER, "");
  if (/[A-Z]/.test(fixed)) return "which has upper-case letters";
  if (/^[-_+]/.test(fixed) && !/^[$%]/.test(name)) return `which begins with ${fixed[0]}`;
  const forbidden = /[\\/*?"<>| ,#:]/.exec(fixed)?.[0];
  if (forbidden !== undefined) return `which has ${JSON.stringify(forbidden)} in it`;
  if (name === "." || name === "..") return "which means a folder";
  if (Buffer.byteLength(fixed) > 255) return "which is longer than 255 bytes";
  return undefined;
}
