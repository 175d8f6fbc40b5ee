import { createHash } from "node:crypto";

/** Sixteen hex digits that change when a file does, and only then: on a pod's template they start new pods. */
export function filesHash(files: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}
