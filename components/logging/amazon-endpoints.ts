import type { SettingsIssue } from "../schema/errors.ts";
import type { Destination } from "./destination-settings.ts";

/** Endpoints of Amazon OpenSearch Service (`es`, and `aos` with IPv6), of its Serverless (`aoss`) and of OpenSearch Ingestion (`osis`). */
const ENDPOINT = /(^|\.)(?<service>es|aoss|osis)\.amazonaws\.com(\.cn)?$/i;
const DUAL_STACK_ENDPOINT = /\.aos\.[a-z0-9-]+\.on\.(aws|amazonwebservices\.com\.cn)$/i;

const SIGNED_ONLY: Readonly<Record<string, string>> = {
  aoss: "Amazon OpenSearch Serverless",
  osis: "Amazon OpenSearch Ingestion",
};

/**
 * Why a destination on AWS cannot work as it is set. No collector signs its requests with SigV4 here, so that a domain of Amazon
 * OpenSearch Service takes them with a user of its internal database alone, and Serverless and Ingestion never. Paths are below `logging`.
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-clients.html
 */
export function amazonIssues(destination: Destination): SettingsIssue[] {
  const address = addressOf(destination);
  const service = address === undefined ? undefined : serviceAt(address.host);
  if (address === undefined || service === undefined) return [];
  const product = SIGNED_ONLY[service];
  if (product !== undefined) {
    const message = `must not be an endpoint of ${product}, which accepts only requests signed with SigV4, and no collector signs them`;
    return [{ path: ["destination", address.key], message, value: address.host }];
  }
  if (destination.kind !== "opensearch" && destination.kind !== "elasticsearch") return [];
  return domainIssues(destination, address.host);
}

/** A domain listens on 443, and on 80 unless it requires HTTPS. */
function domainIssues(
  { port, tls, credentials }: Extract<Destination, { kind: "opensearch" | "elasticsearch" }>,
  host: string,
): SettingsIssue[] {
  const listens = tls === false ? 80 : 443;
  const issues: SettingsIssue[] = [];
  if (port !== listens) {
    const message = `must be ${listens} for a domain of Amazon OpenSearch Service${tls === false ? " without TLS" : ""}`;
    issues.push({ path: ["destination", "port"], message, value: port });
  }
  if (credentials !== undefined) return issues;
  const path = ["destination", "credentials"];
  if (/^vpc-/i.test(host)) {
    const message =
      "are not set: the domain must have an access policy that allows unsigned requests from its VPC, since no collector signs them";
    return [...issues, { path, message, severity: "warning" }];
  }
  const message =
    "must be set for a domain of Amazon OpenSearch Service, as a user of its internal database: it rejects unsigned requests, and no collector signs them with SigV4";
  return [...issues, { path, message }];
}

function serviceAt(host: string): string | undefined {
  if (DUAL_STACK_ENDPOINT.test(host)) return "es";
  return ENDPOINT.exec(host)?.groups?.service?.toLowerCase();
}

function addressOf(destination: Destination): { readonly key: "host" | "url"; readonly host: string } | undefined {
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return destination.host === undefined ? undefined : { key: "host", host: destination.host };
    case "http":
    case "loki":
      return { key: "url", host: new URL(destination.url).hostname };
    default:
      return undefined;
  }
}
