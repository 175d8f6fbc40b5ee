import type { RequestOptions } from "node:https";
import type { z } from "zod";
import type { Destination } from "../../../components/logging/destinations/destination-settings.ts";
import type { Credentials } from "../../../components/logging/destinations/destination-values.ts";
import { plainHeaders, secretHeaders } from "../../../components/logging/destinations/http-settings.ts";
import type { OwnSource } from "../../../components/logging/sources/source.ts";
import { parsedJson } from "../../../components/schema/values.ts";
import { send } from "../../kubernetes/api-requests.ts";
import { ClusterError, ifExists, type PodFacts } from "../../kubernetes/cluster.ts";
import { type Lab, UnmetPrecondition, whyNotRunning } from "../lab.ts";

/** A marker to search for. */
export interface Wanted {
  readonly marker: string;
  /** The pod that wrote the marker. */
  readonly pod: PodFacts;
  /** How far to look back. */
  readonly seconds: number;
}

/** Where a marker was found, such as an index or a log stream. */
export interface Found {
  readonly where: string;
  /** Set if it was found in the wrong place, such as an index with another name: what was expected. */
  readonly unexpected?: string;
}

/** Searches for a line where a collector sends logs. One implementation per kind of destination. */
export interface MarkerFinder {
  /** The destination, for the table. */
  readonly place: string;
  /** Whether the marker is written to an application's file, which a sidecar reads, instead of stdout. Default false. */
  readonly inFile?: boolean;
  /** Name of the destination, if there are several. */
  readonly name?: string;
  /** Whether a line that the pod writes to stdout is routed there. Default: all are. */
  takes?(pod: PodFacts): boolean;
  /** Why the destination cannot be read from this machine, if so. */
  readonly whyUnreadable?: string;
  /**
   * Checks the preconditions of waiting for a marker.
   * @throws {UnmetPrecondition} if one is not met.
   */
  prepare?(lab: Lab, pod: PodFacts): Promise<void>;
  /** Undefined until the marker is there. */
  find(lab: Lab, wanted: Wanted): Promise<Found | undefined>;
  /** One line on why the marker did not arrive. */
  whyMissing(lab: Lab, pod: PodFacts): Promise<string>;
}

/**
 * The collector's pod on a node.
 * @throws {UnmetPrecondition} if there is none, or it does not run.
 */
export async function collectorPod(lab: Lab, collector: string, node: string): Promise<PodFacts> {
  const pods = await lab.loggingPods(collector);
  const pod = pods.find((candidate) => candidate.node === node);
  if (pod === undefined) {
    const cause =
      pods.length === 0
        ? `the DaemonSet ${collector} does not exist, or its pods are not admitted: \`${lab.up}\`, then \`kubectl -n ${lab.loggingNamespace} get events\``
        : `its tolerations or node selector exclude ${node}`;
    throw new UnmetPrecondition(`no ${collector} pod on node ${node}`, cause);
  }
  await mustBeReady(lab, pod);
  return pod;
}

/** The precondition of a finder whose lines a collector's pod sends, on the node that they were written on. */
export function throughNode(collector: string): Pick<MarkerFinder, "prepare"> {
  return { prepare: async (lab, pod) => void (await collectorPod(lab, collector, pod.node)) };
}

/**
 * The pod of a StatefulSet in the logging namespace.
 * @throws {UnmetPrecondition} if there is none, or it does not run.
 */
export async function statefulPod(lab: Lab, name: string): Promise<PodFacts> {
  const [pod] = await lab.loggingPods(name);
  if (pod === undefined) {
    const cause = `the StatefulSet ${name} does not exist, or its pod is not admitted: \`${lab.up}\`, then \`kubectl -n ${lab.loggingNamespace} get events\``;
    throw new UnmetPrecondition(`no ${name} pod`, cause);
  }
  await mustBeReady(lab, pod);
  return pod;
}

/** @throws {UnmetPrecondition} unless a pod is running and ready. */
async function mustBeReady(lab: Lab, pod: PodFacts): Promise<void> {
  const unmet = whyNotRunning(pod, lab.up);
  if (unmet !== undefined) throw new UnmetPrecondition(unmet.message, await logHint(pod));
  if (!pod.ready)
    throw new UnmetPrecondition(`${pod.name} is not ready${pod.reason && ` (${pod.reason})`}`, await logHint(pod));
}

async function logHint(pod: PodFacts): Promise<string> {
  const image = /ImagePull|ErrImage/.test(pod.reason) ? "the node cannot pull its image; " : "";
  return `${image}\`kubectl -n ${pod.namespace} describe pod ${pod.name}\` and \`kubectl -n ${pod.namespace} logs ${pod.name}\` show the reason`;
}

/** The folder of its node that the kubelet serves. */
export const SERVED = "/var/log/";

/** Files of a folder, parsed from the kubelet's page of links. A folder that does not exist yet is empty. */
export async function filesBelow(lab: Lab, node: string, folder: string, depth: number): Promise<string[]> {
  const page = (await ifExists(lab.cluster.proxyGet({ kind: "nodes", name: node }, folder))) ?? "";
  const links = [...page.matchAll(/<a href="([^"?/]+\/?)">/g)].flatMap((match) => match[1] ?? []);
  const files = links.filter((link) => !link.endsWith("/")).map((link) => folder + link);
  if (depth === 0) return files;
  const folders = links.filter((link) => link.endsWith("/"));
  const deeper = await Promise.all(folders.map((link) => filesBelow(lab, node, folder + link, depth - 1)));
  return [...files, ...deeper.flat()];
}

/** A source's record at a destination. */
interface Newest {
  /** Such as an index or a log stream. */
  readonly where: string;
  /** When it was written; undefined if the destination does not record it. */
  readonly at?: Date | undefined;
  /** Set if it was found in the wrong place: what was expected. */
  readonly unexpected?: string;
}

/** Searches one destination for the newest record of a source other than pods. */
export interface SourceFinder {
  readonly source: OwnSource;
  /** The destination, for the table. */
  readonly place: string;
  /** Name of the destination, if there are several. */
  readonly name?: string | undefined;
  /** Why the destination cannot be read from this machine, if so. */
  readonly whyUnreadable?: string | undefined;
  /** How far back it searches, in seconds. Default: all lines. */
  readonly searchedSeconds?: number;
  /** Why a regular source may have no record. */
  readonly whyMissing?: string;
  /** The newest record; undefined if there is none yet. @param word Limits the search to records with this word. Default: all records. */
  newest(lab: Lab, word?: string): Promise<Newest | undefined>;
}

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
const ownHost = (namespace: string) => `opensearch.${namespace}.svc`;

/** How to query a search engine. @param namespace Namespace of the collectors. */
export function searchEndpoint(
  destination: Extract<Destination, { kind: "opensearch" | "elasticsearch" }>,
  namespace: string,
): Endpoint {
  const inCluster = destination.kind === "opensearch" && destination.inCluster;
  const plain = destination.tls === false || (inCluster && destination.tls === undefined);
  const tls = destination.tls === false ? undefined : destination.tls;
  const host = destination.host ?? ownHost(namespace);
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
  const secretOf = (name: string) => lab.cluster.secret(lab.loggingNamespace, name);
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
