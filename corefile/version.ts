/** A version of CoreDNS: major, minor, patch. */
export type Version = readonly [major: number, minor: number, patch: number];

/** Whether one version is older than another. */
export function isBefore(version: Version, other: Version): boolean {
  const index = version.findIndex((part, place) => part !== other[place]);
  return index !== -1 && (version[index] ?? 0) < (other[index] ?? 0);
}
