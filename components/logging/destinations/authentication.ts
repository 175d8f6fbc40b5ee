import { oneOf, type SettingsIssue } from "../../schema/errors.ts";
import type { Sigv4 } from "./amazon.ts";

/** How a collector shows who it is, beside user and password: a signature of AWS. */
export type Authentication = "sigv4";

/** What each of them means that a collector does, in a message. */
const ABILITIES: Readonly<Record<Authentication, string>> = { sigv4: "sign requests with SigV4" };

interface Authenticated {
  readonly kind: string;
  readonly sigv4?: Sigv4 | undefined;
}

interface Authenticating {
  readonly title: string;
  readonly authenticates?: Readonly<Partial<Record<string, readonly Authentication[]>>>;
}

/**
 * What the collector cannot do to authenticate itself there. Paths are below the destination.
 * @param all All collectors, some of which can.
 */
export function authenticationIssues(
  destination: Authenticated,
  collector: Authenticating,
  all: readonly Authenticating[],
): SettingsIssue[] {
  if (destination.sigv4 === undefined) return [];
  const can = ({ authenticates = {} }: Authenticating) => authenticates[destination.kind]?.includes("sigv4");
  if (can(collector)) return [];
  const others = oneOf(all.filter(can).map(({ title }) => title));
  const message = `must not be set with ${collector.title}, which cannot ${ABILITIES.sigv4} here: set collector ${others}`;
  return [{ path: ["sigv4"], message, value: destination.sigv4.arn }];
}
