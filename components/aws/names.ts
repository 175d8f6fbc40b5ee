import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { posix } from "node:path";

/** Pulumi names a resource in AWS after itself, plus '-' and seven characters. */
const PULUMI_SUFFIX = 8;
/** Characters that the AWS provider adds to a name prefix. */
const PROVIDER_SUFFIX = 26;

/** Whether the name that Pulumi generates for a resource exceeds AWS's limit. @param name Name of the resource. */
export function isTooLong(name: string, limit: number): boolean {
  return name.length + PULUMI_SUFFIX > limit;
}

/**
 * A name prefix for a resource whose generated name would exceed AWS's limit; undefined for all others, which keep their names.
 * @param name Name of the resource.
 */
export function shortPrefix(name: string, limit: number): string | undefined {
  return isTooLong(name, limit) ? `${name.slice(0, limit - PROVIDER_SUFFIX - 1)}-` : undefined;
}

/** A name within AWS's limit: a longer one is truncated, with a hash for uniqueness. */
export function shortened(name: string, limit: number): string {
  if (name.length <= limit) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, limit - hash.length - 1)}-${hash}`;
}

const RESERVED_BUCKET = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/**
 * Whether a general purpose bucket can have the name. A new one should have no dots, with which its host name matches no certificate.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function isBucketName(name: string): boolean {
  const isHost = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..") && isIP(name) === 0;
  return isHost && !RESERVED_BUCKET.test(name);
}

/** Ends every name of a bucket in an account's regional namespace, and none of another new bucket. */
const ACCOUNT_REGIONAL = /-an$/;
/** A bucket's own name, the account and the region, such as `logs-111122223333-eu-central-1-an`. */
const OWN_NAMESPACE = /^.+-\d{12}-(?<region>[a-z]+(?:-[a-z]+)+-\d+)-an$/;

/**
 * Whether a new bucket is created in its account's regional namespace, where no other account can take its name.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
 */
export function isAccountRegional(name: string): boolean {
  return ACCOUNT_REGIONAL.test(name);
}

/** What S3 requires of a new bucket in its account's regional namespace; undefined if the name is right, or that of another bucket. */
export function namespaceIssue(name: string, region: string): string | undefined {
  if (!isAccountRegional(name) || OWN_NAMESPACE.exec(name)?.groups?.region === region) return undefined;
  return `must be NAME-ACCOUNT-${region}-an, such as logs-111122223333-${region}-an, or not end in -an, which S3 reserves for buckets in an account's regional namespace`;
}

/** Normalizes a prefix as in keys: `/logs//pods/` becomes `logs/pods`, since no console shows a folder without a name. */
export function withoutEmptyParts(prefix: string): string {
  return prefix
    .split("/")
    .filter((part) => part !== "")
    .join("/");
}

/**
 * Whether S3 accepts keys below a prefix: from left to right never more `..` than other parts.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export function isKeyPrefix(prefix: string): boolean {
  return !posix.normalize(`${prefix}/x`).startsWith("../");
}

/** Whether no part of a prefix is `.` or `..`, which clients that treat keys as paths remove. */
export function isCleanPrefix(prefix: string): boolean {
  return posix.normalize(`${prefix}/x`) === `${prefix}/x`;
}

/** A prefix with a trailing slash, to which the rest of a key is appended; empty if the prefix is. */
export function folderOf(prefix: string): string {
  return prefix === "" ? "" : `${prefix}/`;
}
