import type { RequestOptions } from "node:https";
import type { z } from "zod";
import type { Destination } from "../../../components/logging/destinations/destination-settings.ts";
import type { Credentials } from "../../../components/logging/destinations/destination-values.ts";
import { plainHeaders, secretHeaders } from "../../../components/logging/destinations/http-settings.ts";
import { LOGGING_NAMESPACE } from "../../../components/logging/pipeline.ts";
import { parsedJson } from "../../../components/schema/values.ts";
import { send } from "../../kubernetes/api-requests.ts";
import { ClusterError } from "../../kubernetes/cluster.ts";
import { type Lab, UnmetPrecondition } from "../lab.ts";

/** An HTTP destination from the settings. */
export interface Endpoint {
  /** Including scheme, host and port. */
  readonly url: URL;
  /** Whether to reject invalid certificates. */
  readonly verify: boolean;
  /** Secret with the CA certificate to trust, under `ca.crt`. */
  readonly caSecretName?: string | undefined;
  readonly credentials?: Credentials | undefined;
  /** Where the token for the Authorization header is, and its scheme. */
  readonly token?: { readonly secretName: string; readonly key: string; readonly scheme?: string } | undefined;
  /** Headers of each request: plain values, and references to secret ones. */
  readonly headers?: Extract<Destination, { kind: "loki" }>["headers"];
}

/** Service of the OpenSearch that `inCluster` installs, a trial setup without TLS and password. */
const OWN_HOST = `opensearch.${LOGGING_NAMESPACE}.svc`;

/** How to query a search engine. */
export function searchEndpoint(destination: Extract<Destination, { kind: "opensearch" | "elasticsearch" }>): Endpoint {
  const inCluster = destination.kind === "opensearch" && destination.inCluster;
  const plain = destination.tls === false || (inCluster && destination.tls === undefined);
  const tls = destination.tls === false ? undefined : destination.tls;
  const host = destination.host ?? OWN_HOST;
  return {
    url: new URL(`${plain ? "http" : "https"}://${host}:${destination.port}`),
    verify: tls?.verify ?? true,
    caSecretName: tls?.caSecretName,
    credentials: destination.credentials,
    token: destination.token,
  };
}

/** The API of a destination `loki`. */
export function lokiEndpoint(destination: Extract<Destination, { kind: "loki" }>): Endpoint {
  const { url, verify, caSecretName, credentials, token, tenant } = destination;
  const headers = { ...destination.headers, ...(tenant === undefined ? {} : { "X-Scope-OrgID": tenant }) };
  return { url: new URL(url), verify, caSecretName, credentials, token, headers };
}

const TIMEOUT_SECONDS = 10;
/** `NAME.NAMESPACE.svc` and `NAME.NAMESPACE.svc.cluster.local`, or with another cluster domain; only pods can resolve them. */
const SERVICE_HOST = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.[a-z0-9.-]+)?\.?$/;

/** Why an endpoint cannot be queried from this machine; undefined if it can. */
export function whyOutOfReach({ url, credentials, token, ...sent }: Endpoint): string | undefined {
  const needed = [
    ...(credentials === undefined ? [] : ["password"]),
    ...(token === undefined ? [] : ["token"]),
    ...secretHeaders(sent).map(() => "secret header"),
  ];
  const [what] = needed;
  if (what === undefined || !SERVICE_HOST.test(url.hostname)) return undefined;
  return `${url.hostname} is a Service that requires a ${what}, which the API server's proxy does not pass on: search for the marker by hand`;
}

/** Errors of the API server's proxy if a Service has no ready pod, or the chosen one is gone. */
const NO_BACKEND = /no endpoints available|error trying to reach service/;

/**
 * GET from a destination: through the API server if it is inside the cluster, else directly, with the password from its Secret.
 * @throws {ClusterError} in one line.
 */
export async function ask(lab: Lab, endpoint: Endpoint, path: string): Promise<string> {
  const { url } = endpoint;
  const [, name, namespace] = SERVICE_HOST.exec(url.hostname) ?? [];
  if (name !== undefined && namespace !== undefined) {
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    const target = `${url.protocol === "https:" ? "https:" : ""}${name}:${port}`;
    return lab.cluster
      .proxyGet({ kind: "services", namespace, name: target }, path, Object.fromEntries(plainHeaders(endpoint)))
      .catch((error: Error) => {
        throw NO_BACKEND.test(error.message) ? noBackend(name, namespace) : error;
      });
  }
  const answer = await send(new URL(path, url), await options(lab, endpoint)).catch((error: Error) => {
    throw new ClusterError("other", `${url.host} does not answer: ${error.message || error.name}`);
  });
  if (answer.status < 400) return answer.body;
  const line = answer.body.replaceAll(/\s+/g, " ").slice(0, 200);
  throw new ClusterError("other", `${url.host} answered ${answer.status}: ${line}`);
}

function noBackend(name: string, namespace: string): UnmetPrecondition {
  return new UnmetPrecondition(
    `no pod behind the Service ${name} in ${namespace} answers`,
    `the destination is starting or not running: \`kubectl -n ${namespace} get pods\` shows which pod is not ready`,
  );
}

async function options(
  lab: Lab,
  { verify, caSecretName, credentials, token, ...sent }: Endpoint,
): Promise<RequestOptions> {
  const secretOf = (name: string) => lab.cluster.secret(LOGGING_NAMESPACE, name);
  const ca = caSecretName === undefined ? undefined : (await secretOf(caSecretName))["ca.crt"];
  const secret = credentials === undefined ? undefined : await secretOf(credentials.secretName);
  const auth =
    credentials === undefined ? undefined : `${secret?.[credentials.usernameKey]}:${secret?.[credentials.passwordKey]}`;
  const authorization =
    token === undefined
      ? undefined
      : `${token.scheme ?? "Bearer"} ${(await secretOf(token.secretName))[token.key]?.trim()}`;
  const secrets = secretHeaders(sent).map(async ({ name, secretName, key }) => {
    return [name, (await secretOf(secretName))[key]?.trim() ?? ""] as const;
  });
  const headers = Object.fromEntries([
    ...plainHeaders(sent),
    ...(await Promise.all(secrets)),
    ...(authorization === undefined ? [] : [["authorization", authorization]]),
  ]);
  return {
    signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
    rejectUnauthorized: verify,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(ca === undefined ? {} : { ca }),
    ...(auth === undefined ? {} : { auth }),
  };
}

/**
 * Parses a destination's answer.
 * @param who Name of the destination, for the message.
 * @throws {ClusterError} in one line if the answer is not JSON of this shape, such as that of a proxy or another program at its address.
 */
export function readAnswer<T extends z.ZodType>(shape: T, text: string, who: string): z.infer<T> {
  const parsed = shape.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  const line = text.replaceAll(/\s+/g, " ").slice(0, 120);
  throw new ClusterError("other", `${who} returned an unexpected answer: ${line || "nothing"}`);
}
