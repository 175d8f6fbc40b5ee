import { z } from "zod";

/** Whether a value of a parsed YAML or JSON document is an object with keys. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A string that matches a pattern. A value of another type gets the same message.
 * @param what What it must be, such as `a VPC ID, such as vpc-0123456789abcdef0`.
 */
export function string(pattern: RegExp, what: string) {
  const message = `must be ${what}`;
  return z.string(message).regex(pattern, message);
}

/** An integer in bounds; the message always names both. */
export function integer(min: number, max?: number) {
  const message =
    max === undefined ? `must be an integer of at least ${min}` : `must be an integer from ${min} to ${max}`;
  const number = z.int(message).min(min, message);
  return max === undefined ? number : number.max(max, message);
}

/**
 * Cores as Kubernetes writes them. It takes `128Mi` too, for 134 million of them.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export const Cores = string(/^\d+(\.\d+)?m?$/, "a quoted quantity of CPU, such as '500m' or '2'");

/** Bytes as Kubernetes writes them. It takes `512m` too, for half a byte, in which nothing starts. */
export const Bytes = string(
  /^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?$/,
  "a quoted quantity of bytes, such as '128Mi' or '2Gi'",
);

/** Each is a thousand times the one before, or 1,024 times with an `i`. */
const UNITS = ["m", "", "k", "M", "G", "T", "P", "E"];

/** How many {@link Cores} or {@link Bytes} a quantity is. */
export function amount(quantity: string): number {
  const [, number = "", unit = "", binary] = /^([\d.]+)([a-zA-Z]?)(i?)$/.exec(quantity) ?? [];
  const power = UNITS.indexOf(unit === "K" ? "k" : unit) - UNITS.indexOf("");
  return Number(number) * (binary === "i" ? 1024 : 1000) ** power;
}

/** Whether one quantity is more than another; not where one of them is none, which is an issue of its own. */
export function isMore(kind: typeof Bytes, quantity: string, limit: string): boolean {
  return [quantity, limit].every((each) => kind.safeParse(each).success) && amount(quantity) > amount(limit);
}

/** An image that stays the same: a pod may start again on another node at any time. */
export const Image = string(
  /^(?!.*:latest$)[a-z0-9.:_/-]+(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[a-f0-9]{64})$/,
  "an image with a fixed tag or a digest, such as 'docker.io/curlimages/curl:8.17.0', but not ':latest'",
);
