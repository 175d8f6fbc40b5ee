import { Writable } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "@kubernetes/client-node";
import { ClusterError, type ExecResult, type PodFacts } from "./cluster.ts";
import { asClusterError } from "./cluster-error.ts";

/**
 * Runs a program in a container over a websocket, as `kubectl exec` does.
 * @throws {ClusterError} where it could not be started, or did not end in time.
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
  // The promise may be rejected before it is awaited.
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

/** A program's exit code is in the Status object that ends the stream; other failures are the runtime's. */
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
