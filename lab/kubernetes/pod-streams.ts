import { get } from "node:http";
import { Duplex, PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { Exec, type KubeConfig, PortForward, type V1Status } from "@kubernetes/client-node";
import { asClusterError } from "./api-request.ts";
import { ClusterError, type ExecResult, type PodFacts, type PodPort } from "./cluster.ts";

/** Timeout of a pod's answer. */
const TIMEOUT_SECONDS = 10;

/**
 * GET from an HTTP port of a pod over a port-forward, like `kubectl port-forward`: the connection starts inside the pod, where no
 * NetworkPolicy applies. On EKS, requests through the API server's proxy come from outside the cluster.
 * @see https://github.com/aws/aws-network-policy-agent/issues/281
 */
export async function getForwarded(
  config: KubeConfig,
  { namespace, pod, port }: PodPort,
  path: string,
  seconds = TIMEOUT_SECONDS,
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
    get({ host: "localhost", port, path, createConnection }, (response) => {
      const { statusCode = 0 } = response;
      if (statusCode >= 400) reject(new ClusterError("other", `${place} answered ${statusCode}`));
      else text(response).then(resolve, fail);
    }).on("error", fail);
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
