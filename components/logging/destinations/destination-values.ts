import { isIPv4 } from "node:net";
import { z } from "zod";
import { relation } from "../../schema/errors.ts";
import { string } from "../../schema/values.ts";

/** A size on disk, as a Kubernetes quantity. */
export const Size = string(/^[1-9]\d*(Mi|Gi)$/, "a size in Mi or Gi, such as '512Mi' or '2Gi'");

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
const SecretName = string(
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  "the name of a Kubernetes Secret: up to 253 lower-case letters, digits, '-' and '.'",
);
/** @see https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data */
const SecretKey = string(
  /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/,
  "a key of the Secret: up to 253 letters, digits, '-', '_' and '.', but not starting with '..'",
);

/** Secret with user and password. They are never in the settings, and so never in a ConfigMap. */
export const Credentials = z
  .strictObject({
    secretName: SecretName.describe("Secret that you create in the collector's namespace."),
    usernameKey: SecretKey.default("username").describe("Key of the user. Default username."),
    passwordKey: SecretKey.default("password").describe("Key of the password. Default password."),
  })
  .superRefine(({ usernameKey, passwordKey }, context) => {
    if (usernameKey === passwordKey)
      relation(
        context,
        ["usernameKey", "passwordKey"],
        "usernameKey and passwordKey must differ: the Secret needs a key for the user, and one for the password",
      );
  });
export type Credentials = z.infer<typeof Credentials>;

/** Secret with the token of requests: an API key or a bearer token. */
export const Token = z.strictObject({
  secretName: SecretName.describe("Secret that you create in the collector's namespace."),
  key: SecretKey.default("token").describe("Key of the token. Default token."),
});
export type Token = z.infer<typeof Token>;
/** A token with its scheme in the header Authorization. */
const SchemedToken = Token.extend({
  scheme: z.enum(["Bearer", "ApiKey"]).default("Bearer").describe("Authorization scheme. Default Bearer."),
});

/** User and password, or a token, for a server that takes either. */
export const login = {
  credentials: Credentials.optional().describe("User and password."),
  token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
};

/** Verification of a server's certificate. */
export const verification = {
  verify: z.boolean().default(true).describe("Verify the server's certificate. Default true."),
  caSecretName: SecretName.optional().describe("Secret with key ca.crt. Default: public CAs."),
};

const Tls = z.strictObject(verification);

const TLS_MESSAGE = "must be true, false, or an object whose keys are among verify, caSecretName";
/** Optional TLS; true is the same as the default. */
export const TlsChoice = z
  .union([z.literal(false), z.literal(true).transform(() => Tls.parse({})), Tls], TLS_MESSAGE)
  .optional()
  .describe("TLS, or false. Default: on, with verification.");

const HOST_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?";
/** Pattern of a host name. */
export const HOST_NAME = `${HOST_LABEL}(\\.${HOST_LABEL})*`;

/** Whether programs take a name for that of a host: one that ends in a number they parse as an address. */
export function isHost(name: string): boolean {
  return !/(^|\.)\d+$/.test(name) || isIPv4(name);
}

/** Host name or IPv4 address of a server. */
export const Host = string(
  new RegExp(`^${HOST_NAME}$`),
  "a host name or an IPv4 address, without scheme or port",
).refine(isHost, "must be a host name or an IPv4 address");

/** Reports the value of a setting of a destination. */
export function refuse(context: z.core.$RefinementCtx, path: string, message: string, input: unknown): void {
  context.addIssue({ code: "custom", path: [path], message, input });
}

/** Part of each stand-in. A domain name has at most 28 characters. */
const UNKNOWN = "known-after-deployment";

/** Stand-ins by argument name, until deployment provides the values: valid and unique. */
const STAND_INS: Readonly<Record<string, (placeholder: string) => unknown>> = {
  arn: (placeholder) => `arn:aws:es:us-east-1:000000000000:domain/${placeholder}`,
  brokers: (placeholder) => [`${placeholder}.invalid:9092`],
  bucket: (placeholder) => placeholder,
  host: (placeholder) => `${placeholder}.invalid`,
  kmsKeyArn: (placeholder) => `arn:aws:kms:us-east-1:000000000000:key/${placeholder}`,
  logGroup: (placeholder) => placeholder,
  mskArn: (placeholder) => `arn:aws:kafka:us-east-1:000000000000:cluster/${placeholder}/0`,
  stream: (placeholder) => placeholder,
  topic: (placeholder) => placeholder,
  url: (placeholder) => `https://${placeholder}.invalid`,
};

/**
 * The stand-in for an argument; undefined if it must be a plain value.
 * @param id Unique for each argument.
 */
export function standInFor(argument: string, id: number): unknown {
  return STAND_INS[argument]?.(`${UNKNOWN}-${id}`);
}

/** Whether a text is, or contains, a stand-in for a value that is only known during deployment. */
export function isUnknown(text: string): boolean {
  return text.includes(UNKNOWN);
}
