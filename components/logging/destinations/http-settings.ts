import { z } from "zod";
import { CREDENTIAL_IN_QUERY } from "../../schema/errors.ts";
import { string } from "../../schema/values.ts";
import { Credentials, caSecretName, refuse, SchemedToken, Token } from "./destination-values.ts";
import { Headers } from "./headers.ts";

/** Rejects secrets in a URL, which would be in a ConfigMap. @param where Where the secret belongs. */
function withoutSecret(where: string) {
  return [(url: string) => !/^\w+:\/\/[^/]*@/.test(url), `must be a URL without user and password, ${where}`] as const;
}

const URL_WORDS = "must be an http or https URL, such as https://logs.example.com/ingest";
const PlainUrl = z
  .url({ protocol: /^https?$/, error: URL_WORDS, abort: true })
  // Collectors compare the scheme for TLS case-sensitively: HTTPS:// would send in clear text. Blanks would be in a configuration.
  .refine((url) => /^https?:\/\/\S+$/.test(url), URL_WORDS);

const IN_CREDENTIALS = "which belong in credentials";
const Url = PlainUrl.refine(...withoutSecret(IN_CREDENTIALS)).refine(
  (url) => url.search(CREDENTIAL_IN_QUERY) === -1,
  "must be a URL without a password, key or token in its query, which belongs in headers, token or credentials",
);

/**
 * A URL without a path.
 * @param example For the message about a URL with a path.
 * @param where For the message about a URL with a user: where the secret belongs.
 */
function originUrl(example: string, where = IN_CREDENTIALS): z.ZodType<string> {
  return PlainUrl.refine(...withoutSecret(where)).refine((url) => {
    const { pathname, search, hash } = URL.parse(url) ?? { pathname: "/", search: "", hash: "" };
    return pathname === "/" && search === "" && hash === "";
  }, `must be a URL without a path, such as ${example}, since each collector adds its own`);
}

/** TLS settings of a server with a URL. */
const server = {
  verify: z.boolean().default(true).describe("Verify the server's certificate. Default true."),
  caSecretName,
};

/** Settings of a server that accepts JSON by POST. */
export const HTTP = {
  kind: z.literal("http").describe("JSON sent by POST."),
  url: Url.describe("URL."),
  body: z
    .enum(["lines", "array"])
    .default("lines")
    .describe("One JSON object per line, or an array, as for Datadog. Default lines."),
  ...server,
  credentials: Credentials.optional().describe("User and password."),
  token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
  headers: Headers,
};

/** Settings of Grafana Loki. */
export const LOKI = {
  kind: z.literal("loki").describe("Grafana Loki."),
  url: originUrl("http://loki.monitoring.svc:3100").describe("Without a path: http://loki.monitoring.svc:3100."),
  // @see https://github.com/grafana/dskit/blob/main/tenant/tenant.go
  tenant: string(
    /^(?!\.{1,2}$)[\w!.*'()-]{1,150}$/,
    "a quoted string of up to 150 letters, digits and ! - _ . * ' ( ), such as 'team-a', and neither '.' nor '..'",
  )
    .optional()
    .describe("Sent as X-Scope-OrgID."),
  ...server,
  credentials: Credentials.optional().describe("User and password."),
  token: Token.optional().describe("Bearer token; excludes credentials."),
  headers: Headers,
};

/** Settings of an OTLP server. */
export const OTLP = {
  kind: z.literal("otlp").describe("An OTLP server."),
  url: originUrl("https://otel.example.com:4318").describe("Without a path: https://otel.example.com:4318."),
  protocol: z.enum(["http", "grpc"]).default("http").describe("Default http."),
  ...server,
  credentials: Credentials.optional().describe("User and password."),
  token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
  headers: Headers,
};

/** Settings of Splunk. */
export const SPLUNK = {
  kind: z.literal("splunk").describe("Splunk's HTTP Event Collector."),
  url: originUrl("https://splunk.example.com:8088", "which Splunk does not accept: set token").describe(
    "Without a path: https://splunk.example.com:8088.",
  ),
  ...server,
  token: Token.describe("HEC token; its index gets the lines."),
};

/** What a URL in clear text excludes. */
interface UrlSettings {
  readonly url: string;
  readonly token?: unknown;
  readonly credentials?: unknown;
  readonly caSecretName?: string | undefined;
}

/** Forbids secrets and CA certificates for http URLs. */
export function checkUrl(destination: UrlSettings, context: z.core.$RefinementCtx): void {
  if (!destination.url.startsWith("http:")) return;
  if (destination.token !== undefined) {
    const message = "must be an https URL with a token, since it would be sent in clear text";
    refuse(context, "url", message, destination.url);
  } else if (destination.credentials !== undefined) {
    const message = "must be an https URL with credentials, since the password would be sent in clear text";
    refuse(context, "url", message, destination.url);
  }
  if (destination.caSecretName !== undefined) {
    const message = "must not be set with an http URL, which has no certificate";
    refuse(context, "caSecretName", message, destination.caSecretName);
  }
}
