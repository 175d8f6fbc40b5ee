import type { Destination } from "../../destinations/destination-settings.ts";
import { plainHeaders, secretHeaders } from "../../destinations/headers.ts";
import { PASSWORD_VARIABLE, TOKEN_VARIABLE, USER_VARIABLE } from "../../pipeline.ts";
import type { Section } from "./service.ts";

/** What shows the destination who sends: user and password, or headers, with all that is secret as variables. */
export function authentication(destination: Destination): Section {
  const headers = [...tokenHeader(destination), ...ownHeaders(destination)];
  return {
    ...("credentials" in destination && destination.credentials !== undefined
      ? { http_user: `\${${USER_VARIABLE}}`, http_passwd: `\${${PASSWORD_VARIABLE}}` }
      : {}),
    ...(headers.length === 0 ? {} : { header: headers.length === 1 ? (headers[0] ?? "") : headers }),
  };
}

/** Each as a name, a blank and the value, which Fluent Bit takes as it is. */
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
