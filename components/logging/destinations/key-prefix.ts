import { posix } from "node:path";
import type { SettingsIssue } from "../../schema/errors.ts";

/** Whether no part of a prefix is `.` or `..`, which clients that treat keys as paths remove. */
export function isCleanPrefix(prefix: string): boolean {
  return posix.normalize(`${prefix}/x`) === `${prefix}/x`;
}

/**
 * Whether S3 accepts keys below a prefix: from left to right never more `..` than other parts.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export function isKeyPrefix(prefix: string): boolean {
  return !posix.normalize(`${prefix}/x`).startsWith("../");
}

/** The part of a destination that concerns its keys, and its path in the settings. */
interface Keyed {
  readonly destination: { readonly kind: string; readonly prefix?: string };
  readonly path: readonly string[];
}

/** Warnings about keys that only some clients find. Paths are below `logging`. */
export function keyPrefixWarnings(targets: readonly Keyed[]): SettingsIssue[] {
  return targets.flatMap(({ destination, path }): SettingsIssue[] => {
    const { kind, prefix = "" } = destination;
    if (kind !== "s3" || isCleanPrefix(prefix)) return [];
    const message =
      "has '.' or '..' between slashes, which S3 keeps in keys, so that its console and clients that treat keys as paths do not find them";
    return [{ path: [...path, "prefix"], message, value: prefix, severity: "warning" }];
  });
}
