import { ApiException } from "@kubernetes/client-node";
import { ClusterError } from "./cluster.ts";

/** Turns whatever the client library throws into a {@link ClusterError} of one line. `what` names the request, as in `get pods in ts-team`. */
export function asClusterError(error: unknown, what: string): ClusterError {
  if (error instanceof ClusterError) return error;
  if (error instanceof ApiException) return fromStatus(error.code, statusMessage(error.body), what);
  const message = rootMessage(error);
  // The websocket library says no more than this about a refused upgrade.
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
    // The API server's own sentence says the same at three times the length.
    const user = /User "([^"]+)"/.exec(message)?.[1] ?? "the kubeconfig's user";
    return new ClusterError("forbidden", `forbidden: ${user} may not ${what}`);
  }
  if (code === 404) return new ClusterError("not-found", message === "" ? `not found: ${what}` : message);
  return new ClusterError("other", `${what}: the API server answered ${code}${message === "" ? "" : `: ${message}`}`);
}

/** The `message` of a Kubernetes Status object, which comes parsed or as text. */
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

/** The innermost cause: `fetch failed` alone helps nobody. */
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
