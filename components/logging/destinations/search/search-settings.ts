import { z } from "zod";
import { relation } from "../../../schema/errors.ts";
import { string } from "../../../schema/values.ts";
import { Credentials, Host, Port, refuse, SchemedToken, TlsChoice } from "../destination-values.ts";
import { checkSigv4, Sigv4 } from "./amazon-opensearch.ts";

const DEFAULT_PORT = 9200;

/** Settings that OpenSearch and Elasticsearch share. */
const searchEngine = {
  port: Port.default(DEFAULT_PORT).describe("Default 9200."),
  tls: TlsChoice,
  credentials: Credentials.optional().describe("User and password."),
  token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
};

/** Settings of OpenSearch, an external one or that of this stack. */
export const OPENSEARCH = {
  kind: z.literal("opensearch"),
  host: Host.optional().describe("Excludes inCluster."),
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
export const ELASTICSEARCH = { kind: z.literal("elasticsearch"), host: Host.describe("Host."), ...searchEngine };
type SearchEngine = OpenSearch | z.infer<z.ZodObject<typeof ELASTICSEARCH>>;

/** Conflicting options of a search engine. */
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
  const own = "must not be set with inCluster, whose OpenSearch has no TLS and no users";
  if (port !== DEFAULT_PORT) refuse(context, "port", `must be ${DEFAULT_PORT} with inCluster`, port);
  if (tls !== undefined && tls !== false) refuse(context, "tls", own, tls);
  if (credentials !== undefined) relation(context, ["credentials", "inCluster"], `credentials ${own}`);
  if (token !== undefined) relation(context, ["token", "inCluster"], `token ${own}`);
}

/** Forbids secrets for a search engine without TLS. */
function checkPlainSearch({ tls, token, credentials }: SearchEngine, context: z.core.$RefinementCtx): void {
  if (tls !== false || (credentials ?? token) === undefined) return;
  const [key, secret] = token === undefined ? ["credentials", "the password"] : ["token", "the token"];
  const message = `${key} ${key === "token" ? "requires" : "require"} TLS, since ${secret} would be sent in clear text`;
  relation(context, ["tls", key], message);
}
