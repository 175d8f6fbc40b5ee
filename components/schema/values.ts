import { quantity } from "eks-dns-logging-corefile/quantity";
import ipaddr from "ipaddr.js";
import { z } from "zod";

/** Whether a value of a parsed YAML or JSON document is a mapping. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a JSON text; undefined if it is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the CLI has encrypted a value, as `secure: …`. */
export function isEncrypted(value: object): value is { readonly secure: string } {
  return Object.keys(value).length === 1 && "secure" in value && typeof value.secure === "string";
}

/**
 * Whether the `yaml` package cannot convert a document that it parsed without an error: an alias has no anchor, there are too many aliases,
 * or the merge key `<<` has something else than objects.
 */
export function isYamlError(error: unknown): error is Error {
  return error instanceof ReferenceError || (error instanceof Error && error.message.startsWith("Merge sources "));
}

/** Whether a value contains itself, through an alias inside its own anchor. */
export function isCircular(value: unknown): boolean {
  const open = new Set<object>();
  const closed = new Set<object>();
  const holdsItself = (part: unknown): boolean => {
    if (typeof part !== "object" || part === null || closed.has(part)) return false;
    if (open.has(part)) return true;
    open.add(part);
    const isInCircle = Object.values(part).some(holdsItself);
    open.delete(part);
    closed.add(part);
    return isInCircle;
  };
  return holdsItself(value);
}

/**
 * A string that matches a pattern. Values of other types get the same message.
 * @param what The requirement, such as `a VPC ID, such as vpc-0123456789abcdef0`.
 */
export function string(pattern: RegExp, what: string) {
  const message = `must be ${what}`;
  return z.string(message).regex(pattern, message);
}

/** An integer with bounds; the message always names both. */
export function integer(min: number, max?: number) {
  const message =
    max === undefined ? `must be an integer of at least ${min}` : `must be an integer from ${min} to ${max}`;
  const number = z.int(message).min(min, message);
  return max === undefined ? number : number.max(max, message);
}

/** The number of a port. */
export const PortNumber = integer(1, 65_535);

/**
 * A quantity of CPU. Kubernetes would also accept `128Mi`, meaning 134 million cores.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export const Cores = string(/^\d+(\.\d+)?m?$/, "a quoted quantity of CPU, such as '500m' or '2'");

/** A quantity of bytes. Kubernetes would also accept `512m`, meaning half a byte, in which nothing starts. */
export const Bytes = string(
  /^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?$/,
  "a quoted quantity of bytes, such as '128Mi' or '2Gi'",
);

/** The number of {@link Cores} or {@link Bytes} in a quantity. */
export function amount(text: string): number {
  return quantity(text) ?? 0;
}

/** Whether a quantity exceeds a limit; false if either is invalid, which is reported elsewhere. */
export function isMore(kind: typeof Bytes, value: string, limit: string): boolean {
  const areValid = kind.safeParse(value).success && kind.safeParse(limit).success;
  return areValid && amount(value) > amount(limit);
}

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export const NamespaceName = string(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  "the name of a namespace: up to 63 lower-case letters, digits and '-'",
);

/** An image that stays the same: a pod may start again on another node at any time. */
export const Image = string(
  /^(?!.*(:latest$|:@))[a-z0-9.:_/-]+(:[A-Za-z0-9_][A-Za-z0-9_.-]*(@sha256:[a-f0-9]{64})?|@sha256:[a-f0-9]{64})$/,
  "an image with a fixed tag or a digest, such as 'docker.io/curlimages/curl:8.17.0', but not ':latest'",
);

/**
 * A name of up to 63 characters, optionally prefixed by a domain of up to 253.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
export const LABEL_KEY =
  /^(?=[^/]{1,253}\/|[^/]*$)([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
export const LabelKey = string(LABEL_KEY, "a label key, such as app or app.kubernetes.io/name");
export const LabelValue = string(
  /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
  "a label value: a quoted string of 1 to 63 letters, digits, '-', '_' and '.'",
);

export const LabelValueOrEmpty = string(
  /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/,
  "a quoted string of up to 63 letters, digits, '-', '_' and '.'",
);

/** Kubernetes allows upper-case letters in an annotation's prefix, but not in a label's. */
export const AnnotationKey = string(
  /^(?=[^/]{1,253}\/|[^/]*$)([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
  "an annotation key, such as owner or example.com/owner",
);

export const UNIQUE = "must be unique";

/**
 * Refines an array to have no duplicates; `of` returns the compared value.
 * @example z.array(Group).superRefine(unique((group) => group.name, ["name"]))
 */
export function unique<T>(
  of: (item: T) => unknown = (item) => item,
  path: readonly PropertyKey[] = [],
  message: string = UNIQUE,
): (items: readonly T[], context: z.RefinementCtx) => void {
  return (items, context) => {
    const keys = items.map(of);
    for (const [index, key] of keys.entries()) {
      if (keys.indexOf(key) === index) continue;
      context.addIssue({ code: "custom", path: [index, ...path], message, input: key });
    }
  };
}

/** The IPv4 address of an IPv4-mapped IPv6 address, which Kubernetes rejects since 1.36; undefined for others. */
export function mappedIPv4(text: string): ipaddr.IPv4 | undefined {
  const address = ipaddr.parse(text);
  // The library also treats ::10.0.0.0 as mapped; Kubernetes does not.
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && /ffff:/i.test(text)
    ? address.toIPv4Address()
    : undefined;
}

/** Why a CIDR block is not written with its network address, as `10.0.0.5/24` instead of `10.0.0.0/24`; undefined if it is. */
export function networkIssue(cidr: string): string | undefined {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const family = address instanceof ipaddr.IPv6 ? ipaddr.IPv6 : ipaddr.IPv4;
  const network = family.networkAddressFromCIDR(cidr).toString();
  return address.toString() === network ? undefined : `must start at its network address, ${network}/${prefix}`;
}

/**
 * An address block of a network policy. Since 1.36, Kubernetes rejects host bits and IPv4-mapped addresses.
 * @see https://github.com/kubernetes/enhancements/issues/4858
 */
export const PolicyCidr = z
  .union([z.cidrv4(), z.cidrv6()], "must be a CIDR block, such as 203.0.113.0/24")
  .superRefine((cidr, context) => {
    const [, prefix] = ipaddr.parseCIDR(cidr);
    const refuse = (message: string) => context.addIssue({ code: "custom", message, input: cidr });
    const mapped = mappedIPv4(cidr.replace(/\/.*$/, ""));
    if (mapped !== undefined && prefix >= 96) {
      const block = `${mapped}/${prefix - 96}`;
      const network = ipaddr.IPv4.networkAddressFromCIDR(block);
      refuse(`must be the IPv4 block ${network}/${prefix - 96}, since Kubernetes refuses IPv4-mapped addresses`);
      return;
    }
    const issue = networkIssue(cidr);
    if (issue !== undefined) refuse(issue);
  });
