import { z } from "zod";

/** Text that matches. `words` say what is allowed, of another type of value too. */
export function text(pattern: RegExp, words: string) {
  return z.string(words).regex(pattern, words);
}

/** A whole number in bounds; the message always names both. */
export function whole(least: number, most?: number) {
  const words = `a whole number from ${least}${most === undefined ? "" : ` to ${most}`}`;
  const number = z.int(words).min(least, words);
  return most === undefined ? number : number.max(most, words);
}

/**
 * Cores as Kubernetes writes them. It takes `128Mi` too, for 134 million of them.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export const Cores = text(/^\d+(\.\d+)?m?$/, "a Kubernetes quantity in quotes, such as '500m' or '2'");

/** Bytes as Kubernetes writes them. It takes `512m` too, for half a byte, in which nothing starts. */
export const Bytes = text(
  /^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?$/,
  "a Kubernetes quantity in quotes, such as '128Mi' or '2Gi'",
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
export function isMore(kind: typeof Bytes, quantity: string, most: string): boolean {
  return [quantity, most].every((each) => kind.safeParse(each).success) && amount(quantity) > amount(most);
}

/** An image that stays the same: a pod may start again on another node at any time. */
export const Image = text(
  /^(?!.*:latest$)[a-z0-9.:_/-]+(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[a-f0-9]{64})$/,
  "an image with a fixed tag or digest, such as 'docker.io/curlimages/curl:8.17.0', and not ':latest'",
);
