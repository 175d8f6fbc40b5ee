import type { Destination } from "../../destinations/destination-settings.ts";
import { plainHeaders, secretHeaders } from "../../destinations/headers.ts";
import { PASSWORD_VARIABLE, TOKEN_VARIABLE, USER_VARIABLE } from "../../pipeline.ts";
import type { Section } from "./service.ts";

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
