import { oneOf, type SettingsIssue } from "../../schema/errors.ts";
import type { Sigv4 } from "./amazon.ts";

/** Authentication besides user and password: an AWS signature, a token in the Authorization header, or other headers. */
const AUTHENTICATIONS = ["sigv4", "token", "headers"] as const;
export type Authentication = (typeof AUTHENTICATIONS)[number];

/** What a collector does for each, for messages. */
const ABILITIES: Readonly<Record<Authentication, string>> = {
  sigv4: "sign requests with SigV4",
  token: "send a token",
  headers: "send headers",
};

interface Authenticated {
  readonly kind: string;
  readonly sigv4?: Sigv4 | undefined;
  readonly token?: { readonly secretName: string } | undefined;
  readonly headers?: object | undefined;
}

interface Authenticating {
  readonly title: string;
  readonly authenticates?: Readonly<Partial<Record<string, readonly Authentication[]>>>;
}

/**
 * Authentication that the collector does not support for a destination. Paths are below the destination.
 * @param others Collectors to suggest instead, if they support it.
 */
export function authenticationIssues(
  destination: Authenticated,
  collector: Authenticating,
  others: readonly Authenticating[],
): SettingsIssue[] {
  const { kind } = destination;
  return AUTHENTICATIONS.flatMap((key): SettingsIssue[] => {
    const can = ({ authenticates = {} }: Authenticating) => authenticates[kind]?.includes(key);
    if (destination[key] === undefined || can(collector)) return [];
    const able = others.filter(can).map(({ title }) => title);
    const advice = able.length === 0 ? "" : `: set collector ${oneOf(able)}`;
    const message = `must not be set with ${collector.title}, which cannot ${ABILITIES[key]} to ${kind} here${advice}`;
    return [{ path: [key], message }];
  });
}
