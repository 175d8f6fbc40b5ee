import { existsSync, readdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listen } from "../../support/listen.ts";
import { LABELS, LEFT_OUT } from "../cluster-api.ts";

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
}
type Made = { readonly metadata: Metadata };

/**
 * What Vector asks an API server for, as far as it asks: lists and watches of pods and nodes. The pods are those that have a log
 * folder in a sandbox, which the first part of the path names.
 * @param labels Those of all pods.
 */
export async function startApi(
  given: Readonly<Record<string, string>> = LABELS,
): Promise<{ readonly url: (sandbox: string) => string; stop(): void }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, sandbox = "", , , kind] = url.pathname.split("/");
    const list = kind === "pods" ? () => podsOf(sandbox, url.searchParams, given) : () => [node()];
    response.setHeader("content-type", "application/json");
    if (url.searchParams.get("watch") === "true") return watch(response, list);
    const items = list();
    const List = kind === "pods" ? "PodList" : "NodeList";
    response.end(JSON.stringify({ kind: List, apiVersion: "v1", metadata: { resourceVersion: "1" }, items }));
  });
  const port = await listen(server);
  return {
    url: (sandbox) => `http://127.0.0.1:${port}/${sandbox}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Tells of what is new five times a second. */
function watch(response: ServerResponse, list: () => readonly Made[]): void {
  const known = new Set<string>();
  const tell = () => {
    for (const object of list()) {
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      if (known.has(key)) continue;
      known.add(key);
      response.write(`${JSON.stringify({ type: "ADDED", object })}\n`);
    }
  };
  response.flushHeaders();
  const timer = setInterval(tell, 200);
  response.on("close", () => clearInterval(timer));
}

function podsOf(sandbox: string, query: URLSearchParams, given: Readonly<Record<string, string>>): Made[] {
  const folder = join(tmpdir(), sandbox, "pods");
  const fields = (query.get("fieldSelector") ?? "").split(",");
  const labels = (query.get("labelSelector") ?? "").split(",").filter((term) => /^[^!=]+=[^=]/.test(term));
  const having: readonly string[] = Object.entries(given).map(([key, value]) => `${key}=${value}`);
  if (!existsSync(folder) || labels.some((term) => !having.includes(term))) return [];
  return readdirSync(folder)
    .map((name) => name.split("_"))
    .filter(([namespace]) => !fields.includes(`metadata.namespace!=${namespace}`))
    .map(([namespace = "", name = "", uid = ""]) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace,
        uid,
        resourceVersion: "1",
        labels: given,
        annotations: name === LEFT_OUT ? { "fluentbit.io/exclude": "True" } : { "example.com/note": "kept" },
      },
      spec: { nodeName: "node", containers: [] },
      status: { phase: "Running", podIP: "10.0.0.1", containerStatuses: [] },
    }));
}

function node(): Made {
  const made = { apiVersion: "v1", kind: "Node", metadata: { name: "node", resourceVersion: "1", labels: {} } };
  return made;
}
