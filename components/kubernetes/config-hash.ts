import { createHash } from "node:crypto";

/**
 * A variable with the hash of a container's configuration. A pod without a controller is made anew for a variable that changed, but
 * neither for an annotation nor for what is in a ConfigMap.
 */
export function configurationVariable(hash: string): { name: string; value: string } {
  return { name: "CONFIGURATION_HASH", value: hash };
}

/** Sixteen hex digits that change when a file does, and only then: on a pod's template they start new pods. */
export function filesHash(files: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}
