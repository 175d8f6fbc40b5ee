import { z } from "zod";
import { CREDENTIAL_IN_QUERY, relation } from "../../schema/errors.ts";
import { string } from "../../schema/values.ts";
import { login, refuse, Token, verification } from "./destination-values.ts";

/** Rejects secrets in a URL, which would be in a ConfigMap. @param where Where the secret belongs. */
function withoutSecret(where: string) {
  return [(url: string) => !/^\w+:\/\/[^/]*@/.test(url), `must be a URL without user and password, ${where}`] as const;
}

const URL_MESSAGE = "must be an http or https URL, such as https://logs.example.com/ingest";
const PlainUrl = z
  .url({ protocol: /^https?$/, error: URL_MESSAGE, abort: true })
  // Collectors compare the scheme for TLS case-sensitively: HTTPS:// would send in clear text. Blanks would be in a configuration.
  .refine((url) => /^https?:\/\/\S+$/.test(url), URL_MESSAGE)
  .refine((url) => URL.parse(url)?.port !== "0", "must be a URL with a port from 1 to 65535");

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

const OTLP_URL =
  "must be a URL without a query and /v1/logs, such as https://otel.example.com:4318 or https://example.com/otlp, since each collector adds its own";

/** A base URL of OTLP over HTTP. @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp */
const OtlpUrl = PlainUrl.refine(...withoutSecret(IN_CREDENTIALS)).refine((url) => {
  const { search, hash } = URL.parse(url) ?? { search: "", hash: "" };
  return search === "" && hash === "" && !/\/v1\/(logs|metrics|traces)$/.test(otlpPath(url));
}, OTLP_URL);

/** Path of an OTLP server's base URL, without a trailing slash; empty if it has none. */
export function otlpPath(url: string): string {
  return (URL.parse(url)?.pathname ?? "").replace(/\/+$/, "");
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const Name = string(
  /^[\w!#$%&'*+.^`|~-]{1,128}$/,
  "the name of a header: up to 128 letters, digits and !#$%&'*+-.^_`|~",
);
/** RFC 9110's field value, restricted to ASCII: no line breaks, no blanks at the ends. */
const VALUE = /^[!-~]([ -~]*[!-~])?$/;
const VALUE_MESSAGE =
  "must be a string of up to 4096 printable ASCII characters, without blanks at the ends, or a Secret, such as { secretName: datadog, key: api-key }";

const Value = z.union([z.string().regex(VALUE, VALUE_MESSAGE).max(4096, VALUE_MESSAGE), Token], VALUE_MESSAGE);

/** Request headers by name: a string, or the Secret with the value. */
const Headers = z
  .record(Name, Value)
  .refine((headers) => Object.keys(headers).length <= 16, "must have at most 16 headers")
  .optional()
  .describe("By name: a string, or { secretName, key } for a secret. Default: none.");

/** Settings of a server that accepts JSON by POST. */
export const HTTP = {
  kind: z.literal("http").describe("JSON sent by POST."),
  url: Url.describe("URL, such as https://logs.example.com/ingest."),
  body: z
    .enum(["lines", "array"])
    .default("lines")
    .describe("One JSON object per line, or an array, as for Datadog. Default lines."),
  ...verification,
  ...login,
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
  ...verification,
  credentials: login.credentials,
  token: Token.optional().describe("Bearer token; excludes credentials."),
  headers: Headers,
};

/** Settings of an OTLP server. */
export const OTLP = {
  kind: z.literal("otlp").describe("An OTLP server."),
  url: OtlpUrl.describe("Without /v1/logs: https://otel.example.com:4318."),
  protocol: z.enum(["http", "grpc"]).default("http").describe("Default http."),
  ...verification,
  ...login,
  headers: Headers,
};

/** Settings of Splunk. */
export const SPLUNK = {
  kind: z.literal("splunk").describe("Splunk's HTTP Event Collector."),
  url: originUrl("https://splunk.example.com:8088", "which Splunk does not accept: set token").describe(
    "Without a path: https://splunk.example.com:8088.",
  ),
  ...verification,
  token: Token.describe("HEC token; its index gets the lines."),
};

/** Forbids a path with gRPC, which has none. */
export function checkOtlp(
  { url, protocol }: { readonly url: string; readonly protocol: "http" | "grpc" },
  context: z.core.$RefinementCtx,
): void {
  if (protocol === "grpc" && otlpPath(url) !== "")
    relation(context, ["protocol", "url"], "url must have no path with protocol grpc");
}

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

/** Names that a collector or its HTTP client sets, or that concern the connection. @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  ...["host", "content-length", "content-type", "content-encoding", "transfer-encoding", "user-agent"],
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect", "accept-encoding"],
]);
/** Header names with which services send keys. */
const SECRET_NAME =
  /^((proxy-)?authorization|cookie|x-honeycomb-team)$|(passw(or)?d|passphrase|secret|token|credentials?|signature|dsn)$|(^|[._-])(x|(api|app|access|auth|account|functions?|ingest(ion)?|insert|license|master|private|shared|subscription|write)[._-]?)key$/i;
/** Values that are keys under any name: credentials after a scheme, JSON Web Tokens, digests, prefixes of services. */
const SECRET_VALUE =
  /^(bearer|basic|apikey|api-token|token|splunk) +\S|^eyJ[\w-]+\.[\w-]+\.|^[\da-f]{32,}$|^(hc[a-z]ik_|xaat-|glc_|dt0c01\.|NRI[IK]-)|NRAL$/i;

/** What decides which headers a destination may have. */
interface WithHeaders {
  readonly kind: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string | Token>> | undefined;
  readonly credentials?: unknown;
  readonly token?: unknown;
  readonly protocol?: "http" | "grpc";
}

/** Checks names and values of headers beyond their form. */
export function checkHeaders(destination: WithHeaders, context: z.core.$RefinementCtx): void {
  const { headers = {} } = destination;
  const names = Object.keys(headers);
  for (const [index, name] of names.entries()) {
    const message = nameIssue(name, destination) ?? secretIssue(name, headers[name]);
    const same = names.slice(0, index).find((other) => other.toLowerCase() === name.toLowerCase());
    const twice = same === undefined ? undefined : `${same} and ${name} are the same header`;
    for (const problem of [message, twice]) if (problem !== undefined) relation(context, [name], problem, ["headers"]);
  }
  if (secretHeaders(destination).length > 0 && destination.url?.startsWith("http:"))
    relation(
      context,
      ["url", "headers"],
      "headers with a Secret require an https URL, since the secret would be sent in clear text",
    );
}

function nameIssue(name: string, { kind, protocol, credentials, token }: WithHeaders): string | undefined {
  const lower = name.toLowerCase();
  if (RESERVED_NAMES.has(lower)) return `${name} must not be set, since the collector sets it`;
  if (kind === "loki" && lower === "x-scope-orgid") return `${name} must not be set, since tenant sets it`;
  if (lower === "authorization" && (credentials ?? token) !== undefined)
    return `${name} must not be set with ${token === undefined ? "credentials" : "token"}, since the collector sets it from there`;
  // @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
  if (protocol === "grpc" && !/^(?!grpc-)[\w.-]+(?<!-bin)$/.test(lower))
    return `${name} must be of letters, digits, '-', '_' and '.' with protocol grpc, without the prefix grpc- and the suffix -bin`;
  return undefined;
}

function secretIssue(name: string, value: string | Token | undefined): string | undefined {
  if (typeof value !== "string" || !(SECRET_NAME.test(name) || SECRET_VALUE.test(value))) return undefined;
  return `${name} must be a Secret, such as { secretName: datadog, key: api-key }, since it would be in a ConfigMap`;
}

/** A header with its value in a Secret, and how the collector gets it. */
interface SecretHeader {
  readonly name: string;
  readonly secretName: string;
  readonly key: string;
  /** Environment variable, for collectors that read variables. */
  readonly variable: string;
  /** File name, for the others. */
  readonly file: string;
}

/** Settings that may have headers. */
interface HeaderSettings {
  readonly headers?: WithHeaders["headers"];
}

/** The headers with values in Secrets. They are numbered, since a header name is not valid for a variable or file. */
export function secretHeaders(destination: HeaderSettings | object): SecretHeader[] {
  const secret = headersOf(destination).flatMap(([name, value]) =>
    typeof value === "string" ? [] : [{ name, ...value }],
  );
  return secret.map((header, index) => ({
    ...header,
    variable: `LOG_HEADER_${index + 1}`,
    file: `header_${index + 1}`,
  }));
}

/** The headers with values in the configuration. */
export function plainHeaders(destination: HeaderSettings | object): [name: string, value: string][] {
  return headersOf(destination).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : [],
  );
}

function headersOf(destination: HeaderSettings | object): [string, string | Token][] {
  return "headers" in destination ? Object.entries(destination.headers ?? {}) : [];
}
