import { existsSync, readdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { listen } from "../support/listen.ts";

/** Name of a pod with the annotation that leaves it out. */
export const LEFT_OUT = "left-out";
/** Labels of every pod. */
export const LABELS = { "app.kubernetes.io/name": "curl", team: "ts" };

/**
 * An API server's pods, lists and watches of them, for collectors that keep all pods of their node in mind. The pods are those that have a
 * log folder in a sandbox, and their containers those that have one there.
 */
export async function startClusterApi(
  labels: Readonly<Record<string, string>> = LABELS,
): Promise<{ readonly url: (sandbox: string) => string; stop(): void }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const sandbox = Buffer.from(url.pathname.split("/")[1] ?? "", "base64url").toString();
    const list = () => (url.pathname.endsWith("/pods") ? podsOf(join(sandbox, "pods"), labels) : []);
    response.setHeader("content-type", "application/json");
    const one = /\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(url.pathname);
    if (one !== null) {
      const pod = podsOf(join(sandbox, "pods"), labels).find(
        ({ metadata }) => metadata.namespace === one[1] && metadata.name === one[2],
      );
      response.statusCode = pod === undefined ? 404 : 200;
      return void response.end(JSON.stringify(pod ?? { kind: "Status", code: 404 }));
    }
    const query = url.searchParams;
    if (["true", "1"].includes(query.get("watch") ?? "")) return watch(response, list, query.has("sendInitialEvents"));
    const kind = url.pathname.endsWith("/pods") ? "PodList" : "List";
    response.end(JSON.stringify({ kind, apiVersion: "v1", metadata: { resourceVersion: "1" }, items: list() }));
  });
  const port = await listen(server);
  return {
    url: (sandbox) => `http://127.0.0.1:${port}/${Buffer.from(sandbox).toString("base64url")}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A kubeconfig for that server, in JSON. */
export function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server } }],
    users: [{ name: "test", user: { token: "token of the sandbox" } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}

/** Tells of what is new or changed five times a second. */
function watch(response: ServerResponse, list: () => readonly object[], initial: boolean): void {
  const known = new Set<string>();
  const tell = () => {
    for (const object of list()) {
      const text = JSON.stringify(object);
      if (known.has(text)) continue;
      known.add(text);
      response.write(`{"type":"ADDED","object":${text}}\n`);
    }
  };
  response.flushHeaders();
  tell();
  // A list by way of a watch ends with this.
  const end = { resourceVersion: "1", annotations: { "k8s.io/initial-events-end": "true" } };
  const bookmark = { type: "BOOKMARK", object: { kind: "Pod", apiVersion: "v1", metadata: end } };
  if (initial) response.write(`${JSON.stringify(bookmark)}\n`);
  const timer = setInterval(tell, 200);
  response.on("close", () => clearInterval(timer));
}

function podsOf(folder: string, labels: Readonly<Record<string, string>>) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((place) => {
    const [namespace = "", name = "", uid = ""] = place.split("_");
    const containers = readdirSync(join(folder, place));
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace,
        uid,
        resourceVersion: "1",
        labels,
        annotations: name === LEFT_OUT ? { "fluentbit.io/exclude": "True" } : { "example.com/note": "kept" },
      },
      spec: { nodeName: "node", containers: containers.map((container) => ({ name: container, image: "image:1" })) },
      status: {
        phase: "Running",
        podIP: "10.0.0.1",
        startTime: "2026-01-01T00:00:00Z",
        conditions: [{ type: "Ready", status: "True" }],
        containerStatuses: containers.map((container) => ({
          name: container,
          containerID: `containerd://${container}`,
          image: "image:1",
          imageID: "",
          ready: true,
          restartCount: 0,
        })),
      },
    };
  });
}
