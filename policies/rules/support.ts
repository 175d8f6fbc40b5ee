/**
 * Last day of standard support of each Kubernetes version on EKS; empty for those long past. Looked up in 2026-11.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
 */
const ENDS: Readonly<Record<string, string>> = {
  "1.30": "2025-07-23",
  "1.31": "2025-11-26",
  "1.32": "2026-03-23",
  "1.33": "2026-07-29",
  "1.34": "2026-12-02",
  "1.35": "2027-03-27",
};
const FIRST = 30;
const NEVER = "9999-12-31";

/**
 * The last day of a version's standard support: a far one where it is newer than the table, empty where it is older.
 * Undefined where the text is no version.
 */
export function standardSupportEnd(version: string): string | undefined {
  const minor = /^1\.(\d+)$/.exec(version)?.[1];
  if (minor === undefined) return undefined;
  return ENDS[version] ?? (Number(minor) < FIRST ? "" : NEVER);
}
