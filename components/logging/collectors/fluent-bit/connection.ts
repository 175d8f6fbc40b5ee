import { PASSWORD_VARIABLE, TOKEN_VARIABLE, tlsOf, USER_VARIABLE } from "../../destinations/destination-secrets.ts";
import type { Destination } from "../../destinations/destination-settings.ts";
import { plainHeaders, secretHeaders } from "../../destinations/http-settings.ts";
import type { LogPipeline } from "../../pipeline.ts";
import type { Section } from "./service.ts";

/**
 * An answer may take a minute, as long as a search engine waits for its shards. By default there is no timeout: what was sent to a
 * server that then became silent waits until Fluent Bit restarts, and a buffer that blocks stays full.
 * @see https://docs.fluentbit.io/manual/administration/networking
 */
export function networkOptions({ destination: { kind } }: LogPipeline): Section {
  if (kind === "stdout" || kind === "file" || kind === "kafka") return {};
  // S3's output would repeat a late request on the same connection, and take each answer for the one to the previous request.
  return { "net.io_timeout": "90s", ...(kind === "s3" ? { "net.keepalive": "off" } : {}) };
}

/** TLS of a connection; Kafka's output has its own options. */
export function tlsOptions({ destination, name }: LogPipeline): Section {
  if (destination.kind === "kafka") return {};
  const tls = tlsOf(destination, name);
  if (tls === undefined) return {};
  return {
    tls: "on",
    "tls.verify": tls.verify ? "on" : "off",
    "tls.verify_hostname": tls.verify ? "on" : "off",
    ...(tls.caFile === undefined ? {} : { "tls.ca_file": tls.caFile }),
  };
}

/** Credentials for the destination: user and password, or headers; secrets are variables. */
export function authentication(destination: Destination): Section {
  const headers = [...tokenHeader(destination), ...ownHeaders(destination)];
  return {
    ...("credentials" in destination && destination.credentials !== undefined
      ? { http_user: `\${${USER_VARIABLE}}`, http_passwd: `\${${PASSWORD_VARIABLE}}` }
      : {}),
    ...(headers.length === 0 ? {} : { header: headers.length === 1 ? (headers[0] ?? "") : headers }),
  };
}

/** Name, blank and value, which Fluent Bit sends unchanged. */
function ownHeaders(destination: Destination): string[] {
  return [
    ...plainHeaders(destination).map(([name, value]) => `${name} ${value}`),
    ...secretHeaders(destination).map(({ name, variable }) => `${name} \${${variable}}`),
  ];
}

function tokenHeader(destination: Destination): string[] {
  if (!("token" in destination) || destination.token === undefined) return [];
  const scheme = "scheme" in destination.token ? destination.token.scheme : "Bearer";
  return [`Authorization ${scheme} \${${TOKEN_VARIABLE}}`];
}
