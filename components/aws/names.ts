import { createHash } from "node:crypto";

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
