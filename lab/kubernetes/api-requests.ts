import * as http from "node:http";
import * as https from "node:https";
import { Duplex, PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { ApiException, Exec, type KubeConfig, PortForward, type V1Status } from "@kubernetes/client-node";
import pLimit from "p-limit";
import { ClusterError, type ExecResult, type PodFacts, type PodPort, type ProxyTarget } from "./cluster.ts";

/** An HTTP response. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A request that the generated client cannot send. */
export interface ApiRequest {
  /** Default: GET. */
  readonly method?: string;
  /** With its query; starts with a slash. */
  readonly path: string;
  /** Besides those of the credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Timeout. */
  readonly seconds: number;
}

/** Most requests at once, and most connections, since the API server and load balancers before it limit both. */
const MAX_REQUESTS = 24;
/** How long an unused connection stays open, in milliseconds: less than API servers and load balancers leave it. */
const IDLE_TIMEOUT = 15_000;
const KEEP_ALIVE = { keepAlive: true, maxSockets: MAX_REQUESTS, timeout: IDLE_TIMEOUT };

/** The client library's own agents open a connection, with its handshakes, for each request. */
const AGENTS = { "http:": new http.Agent(KEEP_ALIVE), "https:": new https.Agent(KEEP_ALIVE) };
const limit = pLimit(MAX_REQUESTS);

/** Sends a request to the API server of a kubeconfig's current context, with its credentials. The timeout starts when the request does. */
export function requestApi(config: KubeConfig, request: ApiRequest): Promise<Answer> {
  return limit(async () => {
    const { method = "GET", path, headers, body, seconds } = request;
    const cluster = config.getCurrentCluster();
    const url = new URL((cluster?.server.replace(/\/$/, "") ?? "") + path);
    const options: https.RequestOptions = { method, signal: AbortSignal.timeout(seconds * 1000) };
    await config.applyToHTTPSOptions(options);
    // Only the library's agent goes through a proxy.
    const agent = cluster?.proxyUrl ? options.agent : AGENTS[url.protocol === "http:" ? "http:" : "https:"];
    return send(url, { ...options, agent, headers: { ...options.headers, ...headers } }, body);
  });
}

/** The path of a kind's list: in a namespace, or of all. */
export function listPath({ apiVersion, plural, namespace }: ListedKind): string {
  const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  return `${root}/${namespace === undefined ? "" : `namespaces/${namespace}/`}${plural}`;
}

interface ListedKind {
  /** Such as `v1` or `networking.k8s.io/v1`. */
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string | undefined;
}

/** Timeout of a request to a Service, a pod or a kubelet. */
const ANSWER_SECONDS = 10;

/**
 * GET through the API server's proxy to a Service or a node's kubelet. The generated client escapes the path and takes no query, so this
 * sends its own request.
 * @see https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
export async function proxyGet(
  config: KubeConfig,
  target: ProxyTarget,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const namespace = target.kind === "nodes" ? "" : `namespaces/${target.namespace}/`;
  const full = `/api/v1/${namespace}${target.kind}/${target.name}/proxy${path}`;
  try {
    const { status, body } = await requestApi(config, { path: full, headers, seconds: ANSWER_SECONDS });
    if (status >= 400) throw new ApiException(status, "", body, {});
    return body;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError")
      throw new ClusterError("timeout", `${target.name} did not answer within ${ANSWER_SECONDS} s`);
    throw asClusterError(error, `get ${target.kind}/proxy${namespace === "" ? "" : ` in ${namespace.split("/")[1]}`}`);
  }
}

/**
 * Sends a request with Node's own client, which accepts the certificates and agents of the Kubernetes client library.
 * @param options May have a method; default: GET.
 */
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
 * GET from an HTTP port of a pod over a port-forward, like `kubectl port-forward`: the connection starts inside the pod, where no
 * NetworkPolicy applies. On EKS, requests through the API server's proxy come from outside the cluster.
 * @see https://github.com/aws/aws-network-policy-agent/issues/281
 */
export async function getForwarded(
  config: KubeConfig,
  { namespace, pod, port }: PodPort,
  path: string,
  seconds = ANSWER_SECONDS,
): Promise<string> {
  const place = `${pod}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // It may reject before it is awaited.
  promise.catch(() => {});
  const [sent, received] = [new PassThrough(), new PassThrough()];
  const refusal = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // The first message only repeats the port number.
      if (chunk.length > 0) reject(new ClusterError("other", `${place}: ${chunk.toString("utf8").trim()}`));
      done();
    },
  });
  const fail = ({ message }: Error) => reject(new ClusterError("other", `${place}: ${message}`));
  const timer = setTimeout(
    () => reject(new ClusterError("timeout", `${place} did not answer within ${seconds} s`)),
    seconds * 1000,
  );
  const connection = new PortForward(config)
    .portForward(namespace, pod, [port], received, refusal, sent)
    .then((started) => (typeof started === "function" ? started() : started));
  try {
    const socket = await Promise.race([connection, promise.then(() => connection)]);
    // Without Content-Length, the answer ends with the connection; with it, no second answer follows.
    socket?.addEventListener("close", () => received.end());
    const createConnection = () => Duplex.from({ writable: sent, readable: received });
    http
      .get({ host: "localhost", port, path, createConnection }, (response) => {
        const { statusCode = 0 } = response;
        if (statusCode >= 400) reject(new ClusterError("other", `${place} answered ${statusCode}`));
        else text(response).then(resolve, fail);
      })
      .on("error", fail);
    return await promise;
  } finally {
    clearTimeout(timer);
    // The WebSocket may open only now.
    connection.then(
      (socket) => socket?.close(),
      () => {},
    );
  }
}

/**
 * Runs a program in a container over a WebSocket, like `kubectl exec`.
 * @throws {ClusterError} if it cannot be started or times out.
 */
export async function execInPod(
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
  const code = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  if (code !== undefined) return Number(code);
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
