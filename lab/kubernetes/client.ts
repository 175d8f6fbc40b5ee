import * as http from "node:http";
import type { RequestOptions } from "node:https";
import * as https from "node:https";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  Exec,
  type KubeConfig,
  NetworkingV1Api,
  type V1Status,
  VersionApi,
} from "@kubernetes/client-node";
import { type Cluster, ClusterError, type ExecResult, type PodFacts, type ProxyTarget } from "./cluster.ts";
import { dnsServiceFacts, nodeFacts, podFacts } from "./object-facts.ts";
import { getForwarded } from "./pod-port.ts";

/** Timeout of a request to the API server. */
const REQUEST_SECONDS = 10;
/** Enough for a minute of a busy collector's log, and small enough for memory. */
const LOG_BYTES = 8 * 1024 * 1024;

/** The cluster of a kubeconfig's current context. */
export function kubeCluster(config: KubeConfig): Cluster {
  const core = config.makeApiClient(CoreV1Api);
  const server = config.getCurrentCluster()?.server ?? "";
  return {
    server,
    context: config.getCurrentContext(),
    async version() {
      return (await asked("read the version", config.makeApiClient(VersionApi).getCode())).gitVersion;
    },
    async kinds(group, version) {
      const request = config.makeApiClient(CustomObjectsApi).getAPIResources({ group, version });
      const { resources } = await asked(`list the kinds of ${group}/${version}`, request);
      return resources.filter(({ name }) => !name.includes("/")).map(({ kind }) => kind);
    },
    async nodes() {
      return (await asked("list nodes", core.listNode())).items.map(nodeFacts);
    },
    async pod(namespace, name) {
      return podFacts(await asked(`get pods in ${namespace}`, core.readNamespacedPod({ namespace, name })));
    },
    async pods(namespace, labelSelector) {
      const list = await asked(`list pods in ${namespace}`, core.listNamespacedPod({ namespace, labelSelector }));
      return list.items.map(podFacts);
    },
    async namespaceLabels(name) {
      return (await asked(`get namespace ${name}`, core.readNamespace({ name }))).metadata?.labels ?? {};
    },
    ...serviceReads(config, core),
    async configMap(namespace, name) {
      const request = core.readNamespacedConfigMap({ namespace, name });
      return (await asked(`get configmaps in ${namespace}`, request)).data ?? {};
    },
    async secret(namespace, name) {
      const secret = await asked(`get secrets in ${namespace}`, core.readNamespacedSecret({ namespace, name }));
      const entries = Object.entries(secret.data ?? {});
      return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
    },
    exec: (pod, container, command, seconds = 20) => execInPod(config, pod, container, command, seconds),
    async logs({ namespace, name }, { container, seconds }) {
      const limits = { sinceSeconds: Math.max(1, Math.ceil(seconds)), limitBytes: LOG_BYTES };
      const request = core.readNamespacedPodLog({ namespace, name, container, ...limits });
      return (await asked(`get pods/log in ${namespace}`, request)) ?? "";
    },
    async createEvent({ namespace, name }, message) {
      const now = new Date();
      const body = {
        metadata: { generateName: "lab-verify-" },
        involvedObject: { apiVersion: "v1", kind: "Pod", name, namespace },
        source: { component: "lab-verify" },
        ...{ type: "Normal", reason: "Verified", message, count: 1, firstTimestamp: now, lastTimestamp: now },
      };
      await asked(`create events in ${namespace}`, core.createNamespacedEvent({ namespace, body }));
    },
    proxyGet: (target, path, headers) => proxyGet(config, target, path, headers),
    podGet: (port, path) =>
      getForwarded(config, port, path).catch((error: unknown) => {
        throw asClusterError(error, `create pods/portforward in ${port.namespace}`);
      }),
  };
}

/** Reads Services and network policies. */
function serviceReads(
  config: KubeConfig,
  core: CoreV1Api,
): Pick<Cluster, "networkPolicies" | "service" | "dnsServices" | "endpoints"> {
  const discovery = config.makeApiClient(DiscoveryV1Api);
  return {
    async networkPolicies(namespace) {
      const request = config.makeApiClient(NetworkingV1Api).listNamespacedNetworkPolicy({ namespace });
      const { items } = await asked(`list networkpolicies in ${namespace}`, request);
      return items.flatMap(({ metadata }) => metadata?.name ?? []);
    },
    async service(namespace, name) {
      const { spec } = await asked(`get services in ${namespace}`, core.readNamespacedService({ namespace, name }));
      return { clusterIP: spec?.clusterIP ?? "", ports: (spec?.ports ?? []).map((port) => port.port) };
    },
    async dnsServices(namespace) {
      const list = await asked(`list services in ${namespace}`, core.listNamespacedService({ namespace }));
      return list.items.flatMap(dnsServiceFacts);
    },
    async endpoints(namespace, service) {
      const labelSelector = `kubernetes.io/service-name=${service}`;
      const request = discovery.listNamespacedEndpointSlice({ namespace, labelSelector });
      const slices = await asked(`list endpointslices in ${namespace}`, request);
      return slices.items
        .flatMap((slice) => slice.endpoints ?? [])
        .filter((endpoint) => endpoint.conditions?.ready !== false)
        .flatMap((endpoint) => endpoint.addresses);
    },
  };
}

async function asked<T>(what: string, request: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new ClusterError("unreachable", `the API server does not answer within ${REQUEST_SECONDS} s`)),
    REQUEST_SECONDS * 1000,
  );
  try {
    return await Promise.race([request, late]);
  } catch (error) {
    throw asClusterError(error, what);
  } finally {
    clearTimeout(timer);
  }
}

const TIMEOUT_SECONDS = 10;

/**
 * GET through the API server's proxy to a Service or a node's kubelet. The generated client escapes the path and takes no query, so this
 * sends its own request.
 * @see https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
async function proxyGet(
  config: KubeConfig,
  target: ProxyTarget,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const server = config.getCurrentCluster()?.server.replace(/\/$/, "") ?? "";
  const namespace = target.kind === "nodes" ? "" : `namespaces/${target.namespace}/`;
  const url = new URL(`${server}/api/v1/${namespace}${target.kind}/${target.name}/proxy${path}`);
  try {
    const options: RequestOptions = { signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000) };
    await config.applyToHTTPSOptions(options);
    const { status, body } = await get(url, { ...options, headers: { ...options.headers, ...headers } });
    if (status >= 400) throw new ApiException(status, "", body, {});
    return body;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError")
      throw new ClusterError("timeout", `${target.name} did not answer within ${TIMEOUT_SECONDS} s`);
    throw asClusterError(error, `get ${target.kind}/proxy${namespace === "" ? "" : ` in ${namespace.split("/")[1]}`}`);
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** GET with Node's own client, which accepts the certificates and agents of the Kubernetes client library. */
export function get(url: URL, options: https.RequestOptions): Promise<Answer> {
  return send(url, options);
}

/** Sends a request, with an optional body. @param options May have a method; default: GET. */
export function send(url: URL, options: https.RequestOptions, sent?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const client = url.protocol === "http:" ? http : https;
  // Node sets no Content-Length for the body of a DELETE, so the server would not read it.
  const length = sent === undefined ? {} : { "Content-Length": Buffer.byteLength(sent) };
  client
    .request(url, { ...options, headers: { ...options.headers, ...length } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
    .on("error", reject)
    .end(sent);
  return promise;
}

/**
 * Runs a program in a container over a WebSocket, like `kubectl exec`.
 * @throws {ClusterError} if it cannot be started or times out.
 */
async function execInPod(
  config: KubeConfig,
  pod: PodFacts,
  container: string,
  command: readonly string[],
  seconds: number,
): Promise<ExecResult> {
  const what = `create pods/exec in ${pod.namespace}`;
  const stdout = collector();
  const stderr = collector();
  const { promise: ended, resolve, reject } = Promise.withResolvers<V1Status>();
  // The promise may reject before it is awaited.
  ended.catch(() => {});
  const timer = setTimeout(
    () => reject(new ClusterError("timeout", `'${command.join(" ")}' did not end within ${seconds} s in ${pod.name}`)),
    seconds * 1000,
  );
  let close = () => {};
  try {
    const start = new Exec(config).exec(
      pod.namespace,
      pod.name,
      container,
      [...command],
      stdout.stream,
      stderr.stream,
      null,
      false,
      resolve,
    );
    const socket = await Promise.race([start, ended.then(() => start)]);
    close = () => socket.close();
    socket.onclose = () => reject(new ClusterError("other", `${what}: the connection closed before the program ended`));
    const status = await ended;
    return { exitCode: exitCode(status, what), stdout: stdout.text(), stderr: stderr.text() };
  } catch (error) {
    throw asClusterError(error, what);
  } finally {
    clearTimeout(timer);
    close();
  }
}

/** A program's exit code is in the Status object at the end of the stream; other failures come from the container runtime. */
function exitCode(status: V1Status, what: string): number {
  if (status.status === "Success") return 0;
  const told = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  if (told !== undefined) return Number(told);
  const kind = status.code === 404 || status.reason === "NotFound" ? "not-found" : "other";
  throw new ClusterError(kind, `${what}: ${status.message ?? "it failed without a message"}`);
}

function collector() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

/** Converts any error of the client library into a one-line {@link ClusterError}. `what` names the request, as in `get pods in ts-team`. */
export function asClusterError(error: unknown, what: string): ClusterError {
  if (error instanceof ClusterError) return error;
  if (error instanceof ApiException) return fromStatus(error.code, statusMessage(error.body), what);
  const message = rootMessage(error);
  // The WebSocket library reports no more than this about a rejected upgrade.
  const refused = /Unexpected server response: (\d{3})/.exec(message);
  if (refused?.[1] !== undefined) return fromStatus(Number(refused[1]), "", what);
  if (
    /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ECONNRESET|EAI_AGAIN|CONNECT_TIMEOUT|timed out/i.test(
      message,
    )
  )
    return new ClusterError("unreachable", `the API server does not answer (${message})`);
  if (/certificate|self.signed|SSL|TLS/i.test(message))
    return new ClusterError("unreachable", `the API server's certificate does not match the kubeconfig (${message})`);
  return new ClusterError("other", `${what}: ${message}`);
}

function fromStatus(code: number, message: string, what: string): ClusterError {
  if (code === 401)
    return new ClusterError("unauthorized", "the API server does not accept the kubeconfig's credentials");
  if (code === 403) {
    // The API server's own message says the same in three times the length.
    const user = /User "([^"]+)"/.exec(message)?.[1] ?? "the kubeconfig's user";
    return new ClusterError("forbidden", `forbidden: ${user} may not ${what}`);
  }
  if (code === 404) return new ClusterError("not-found", message === "" ? `not found: ${what}` : message);
  return new ClusterError("other", `${what}: the API server answered ${code}${message === "" ? "" : `: ${message}`}`);
}

/** The `message` of a Kubernetes Status object, parsed or as text. */
function statusMessage(body: unknown): string {
  if (typeof body === "string") {
    try {
      return statusMessage(JSON.parse(body));
    } catch {
      return oneLine(body);
    }
  }
  if (typeof body === "object" && body !== null && "message" in body && typeof body.message === "string")
    return oneLine(body.message);
  return "";
}

/** The innermost cause, because `fetch failed` alone does not help. */
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) {
    if (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string")
      return oneLine(error.message);
    return oneLine(String(error));
  }
  if (error instanceof AggregateError && error.errors.length > 0) return rootMessage(error.errors[0]);
  if (error.cause !== undefined) return rootMessage(error.cause);
  const code =
    "code" in error && typeof error.code === "string" && !error.message.includes(error.code) ? `${error.code} ` : "";
  return oneLine(`${code}${error.message}`);
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
