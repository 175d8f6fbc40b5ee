import { z } from "zod";
import type { PolicyStatement } from "../../../aws/policy-statements.ts";
import { relation, type SettingsIssue } from "../../../schema/errors.ts";
import { PortNumber, string } from "../../../schema/values.ts";
import { Host, login, refuse, TlsChoice } from "../destination-values.ts";

/** Signing of requests with the collector's IAM role. */
export const Sigv4 = z.strictObject({
  arn: string(
    /^arn:aws[a-z-]*:(es:[a-z0-9-]+:\d{12}:domain\/[a-z][a-z0-9-]{2,27}|aoss:[a-z0-9-]+:\d{12}:collection\/[a-z0-9]{3,40})$/,
    "the ARN of a domain or collection, such as arn:aws:es:eu-central-1:111122223333:domain/logs",
  ).describe("ARN of the domain or Serverless collection."),
});
export type Sigv4 = z.infer<typeof Sigv4>;

const DEFAULT_PORT = 9200;

/** Settings that OpenSearch and Elasticsearch share. */
const searchEngine = {
  port: PortNumber.default(DEFAULT_PORT).describe("Default 9200."),
  tls: TlsChoice,
  ...login,
};

/** Settings of OpenSearch, an external one or that of this stack. */
export const OPENSEARCH = {
  kind: z.literal("opensearch"),
  host: Host.optional().describe("Host name or IPv4 address; excludes inCluster."),
  inCluster: z.boolean().default(false).describe("Deploy OpenSearch with Dashboards, for evaluation. Default false."),
  storage: string(/^[1-9]\d*(Mi|Gi)$/, "a size in Mi or Gi, such as '10Gi'")
    .optional()
    .describe("Volume size. Default: none; logs are lost with the pod."),
  storageClass: string(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "the name of a StorageClass")
    .optional()
    .describe("Required on a new EKS cluster. Default: the cluster's."),
  ...searchEngine,
  sigv4: Sigv4.optional().describe("Sign with an IAM role, for Amazon OpenSearch; excludes credentials."),
};
type OpenSearch = z.infer<z.ZodObject<typeof OPENSEARCH>>;

/** Settings of Elasticsearch. */
export const ELASTICSEARCH = {
  kind: z.literal("elasticsearch"),
  host: Host.describe("Host name or IPv4 address."),
  ...searchEngine,
};
type SearchEngine = OpenSearch | z.infer<z.ZodObject<typeof ELASTICSEARCH>>;

/** Reports options of a search engine that exclude or require each other. */
export function checkSearch(destination: SearchEngine, context: z.core.$RefinementCtx): void {
  if (destination.kind === "opensearch") checkOpenSearch(destination, context);
  checkPlainSearch(destination, context);
}

/** Location of an OpenSearch, and options only without inCluster. */
function checkOpenSearch(destination: OpenSearch, context: z.core.$RefinementCtx): void {
  const { host, inCluster, port, storage, storageClass, tls, credentials, token } = destination;
  checkSigv4(destination, context);
  if (host === undefined && !inCluster)
    relation(context, ["host", "inCluster"], "one of host and inCluster is required");
  if (host !== undefined && inCluster)
    relation(context, ["host", "inCluster"], "host and inCluster are mutually exclusive");
  if (storage !== undefined && !inCluster) relation(context, ["storage", "inCluster"], "storage requires inCluster");
  if (storageClass !== undefined && storage === undefined)
    relation(context, ["storageClass", "storage"], "storageClass requires storage");
  if (!inCluster) return;
  const message = "must not be set with inCluster, whose OpenSearch has no TLS and no users";
  if (port !== DEFAULT_PORT) refuse(context, "port", `must be ${DEFAULT_PORT} with inCluster`, port);
  if (tls !== undefined && tls !== false) refuse(context, "tls", message, tls);
  if (credentials !== undefined) relation(context, ["credentials", "inCluster"], `credentials ${message}`);
  if (token !== undefined) relation(context, ["token", "inCluster"], `token ${message}`);
}

/** Forbids secrets for a search engine without TLS. */
function checkPlainSearch({ tls, token, credentials }: SearchEngine, context: z.core.$RefinementCtx): void {
  if (tls !== false || (credentials ?? token) === undefined) return;
  const [key, secret] = token === undefined ? ["credentials", "the password"] : ["token", "the token"];
  const message = `${key} ${key === "token" ? "requires" : "require"} TLS, since ${secret} would be sent in clear text`;
  relation(context, ["tls", key], message);
}

/** Settings that exclude signed requests. */
function checkSigv4(destination: OpenSearch, context: z.core.$RefinementCtx): void {
  const { sigv4, credentials, token, tls, inCluster } = destination;
  if (sigv4 === undefined) return;
  if (credentials !== undefined)
    relation(context, ["sigv4", "credentials"], "sigv4 and credentials are mutually exclusive");
  if (token !== undefined) relation(context, ["sigv4", "token"], "sigv4 and token are mutually exclusive");
  if (inCluster) relation(context, ["sigv4", "inCluster"], "sigv4 and inCluster are mutually exclusive");
  if (tls === false) relation(context, ["sigv4", "tls"], "sigv4 requires TLS, since lines would be sent in clear text");
}

const ARN =
  /^arn:(?<partition>aws[a-z-]*):(?:(?<es>es)|aoss):(?<region>[a-z0-9-]+):\d{12}:(?:domain|collection)\/(?<name>[a-z0-9-]+)$/;

/** Signing parameters of a domain of Amazon OpenSearch Service (`es`) or a Serverless collection (`aoss`). */
export interface Signing {
  readonly service: "es" | "aoss";
  readonly region: string;
  /** Domain name, or collection id. */
  readonly name: string;
  readonly partition: string;
}

/** The parts of a validated ARN. */
export function signingOf({ arn }: Sigv4): Signing {
  const { partition = "", es, region = "", name = "" } = ARN.exec(arn)?.groups ?? {};
  return { service: es === undefined ? "aoss" : "es", region, name, partition };
}

/** Whether documents may have ids set by the collector; time series collections reject documents with ids. */
export function takesIds({ sigv4 }: { readonly kind: string; readonly sigv4?: Sigv4 | undefined }): boolean {
  return sigv4 === undefined || signingOf(sigv4).service === "es";
}

/**
 * The collector role's permission to send bulk requests to a domain. A collection has one permission for all requests; its data access
 * policy decides which indices the role may write.
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
 */
export function searchStatement(sigv4: Sigv4): PolicyStatement {
  return signingOf(sigv4).service === "es"
    ? { Action: ["es:ESHttpPost"], Effect: "Allow", Resource: [`${sigv4.arn}/_bulk`], Sid: "WriteDocuments" }
    : { Action: ["aoss:APIAccessAll"], Effect: "Allow", Resource: [sigv4.arn], Sid: "WriteDocuments" };
}

/** What decides whether an address on AWS is valid. */
interface Addressed {
  readonly kind: string;
  readonly host?: string | undefined;
  readonly url?: string;
  readonly port?: number;
  readonly tls?: false | object | undefined;
  readonly credentials?: object | undefined;
  readonly token?: object | undefined;
  readonly sigv4?: Sigv4 | undefined;
}

/** Endpoints of Amazon OpenSearch Service (`es`, and `aos` with IPv6), Serverless (`aoss`) and OpenSearch Ingestion (`osis`). */
const ENDPOINT = /(?:^|\.)(?<region>[a-z0-9-]+)\.(?<service>es|aoss|osis)\.amazonaws\.com(?<china>\.cn)?$/i;
const DUAL_STACK_ENDPOINT = /\.(?<service>aos|aoss)\.(?<region>[a-z0-9-]+)\.on\.(aws|amazonwebservices\.com\.cn)$/i;
/** `search-NAME-ID` and `vpc-NAME-ID`: a domain name, with an id of 26 characters. */
const DOMAIN = /^(?:search|vpc)-(?<name>[a-z][a-z0-9-]*)-[a-z0-9]{26}$/i;

const SERVERLESS = "Amazon OpenSearch Serverless";
const SERVICE = "Amazon OpenSearch Service";

interface Endpoint {
  readonly service: string;
  readonly region: string;
  /** Domain or collection, if the host contains it. */
  readonly name: string | undefined;
}

/**
 * Settings with which a destination on AWS can never work. Serverless accepts only signed requests; a domain accepts these or a user of its
 * internal database. Paths are below the destination.
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
 * @see https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-clients.html
 */
export function amazonIssues(destination: Addressed): SettingsIssue[] {
  const { kind, url, sigv4 } = destination;
  const host = url === undefined ? destination.host : new URL(url).hostname;
  if (host === undefined) return [];
  const endpoint = endpointOf(host);
  const path: SettingsIssue["path"] = [url === undefined ? "host" : "url"];
  if (endpoint === undefined) return [];
  if (endpoint.service === "osis") {
    const message =
      "must not be an endpoint of Amazon OpenSearch Ingestion, which accepts only signed requests of its own kind";
    return [{ path, message, value: host }];
  }
  if (endpoint.service === "aoss" && kind !== "opensearch") {
    const message = `must not be an endpoint of ${SERVERLESS}, which only kind opensearch with sigv4 can write to`;
    return [{ path, message, value: host }];
  }
  if (kind !== "opensearch" && kind !== "elasticsearch") return [];
  return [
    ...portIssues(destination, endpoint),
    ...(sigv4 === undefined ? authenticationIssues(destination, endpoint, host) : mismatches(sigv4, endpoint, host)),
  ];
}

/** A domain listens on 443, and on 80 unless it requires HTTPS; Serverless only on 443. */
function portIssues({ port, tls }: Addressed, { service }: Endpoint): SettingsIssue[] {
  const isPlain = tls === false && service === "es";
  const expected = isPlain ? 80 : 443;
  if (tls === false && service === "aoss")
    return [{ path: ["tls"], message: `must not be false for a collection of ${SERVERLESS}`, value: false }];
  if (port === expected) return [];
  const server =
    service === "es" ? `a domain of ${SERVICE}${isPlain ? " without TLS" : ""}` : `a collection of ${SERVERLESS}`;
  return [{ path: ["port"], message: `must be ${expected} for ${server}`, value: port }];
}

function authenticationIssues(
  { kind, credentials, token }: Addressed,
  { service }: Endpoint,
  host: string,
): SettingsIssue[] {
  if (service === "aoss") {
    const message = `must be set for a collection of ${SERVERLESS}, which accepts only signed requests`;
    return [{ path: ["sigv4"], message }];
  }
  if (credentials !== undefined || token !== undefined) return [];
  if (/^vpc-/i.test(host)) {
    const message =
      "are not set: the domain must have an access policy that allows unsigned requests from its VPC; sigv4 needs none";
    return [{ path: ["credentials"], message, severity: "warning" }];
  }
  if (kind === "elasticsearch") {
    const message = `must be set for a domain of ${SERVICE}, as a user of its internal database; or set kind opensearch and sigv4`;
    return [{ path: ["credentials"], message }];
  }
  const message = `must be set for a domain of ${SERVICE}, which rejects unsigned requests; or set credentials of its internal database`;
  return [{ path: ["sigv4"], message }];
}

/** Host and ARN that contradict each other. */
function mismatches(sigv4: Sigv4, endpoint: Endpoint, host: string): SettingsIssue[] {
  const { service, region, name } = signingOf(sigv4);
  const kind = endpoint.service === "es" ? "domain" : "collection";
  const issue = (requirement: string): SettingsIssue[] => [
    { path: ["sigv4", "arn"], message: `must be ${requirement} host (${host})`, value: sigv4.arn },
  ];
  if (service !== endpoint.service) return issue(`the ARN of the ${kind} in`);
  if (region !== endpoint.region) return issue("in the region of");
  if (endpoint.name !== undefined && name !== endpoint.name) return issue(`the ARN of the ${kind} in`);
  return [];
}

function endpointOf(host: string): Endpoint | undefined {
  const groups = (ENDPOINT.exec(host) ?? DUAL_STACK_ENDPOINT.exec(host))?.groups;
  if (groups === undefined) return undefined;
  const [first = ""] = host.toLowerCase().split(".");
  const service = groups.service?.toLowerCase() ?? "";
  return {
    service: service === "aos" ? "es" : service,
    region: groups.region?.toLowerCase() ?? "",
    name: service === "aoss" ? first : DOMAIN.exec(first)?.groups?.name,
  };
}
