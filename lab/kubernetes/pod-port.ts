import { get } from "node:http";
import { Duplex, PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { type KubeConfig, PortForward } from "@kubernetes/client-node";
import { ClusterError, type PodPort } from "./cluster.ts";

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
