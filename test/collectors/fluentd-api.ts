import { once } from "node:events";
import { createServer } from "node:http";
import { LABELS, LEFT_OUT } from "./cluster-api.ts";

/** What Fluentd asks an API server for: its versions, its resources, and one pod after the other. Every pod that it asks for is there. */
export async function startPodApi(): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer(new URL(request.url ?? "/", "http://localhost").pathname)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(path: string): object {
  const [, namespace, name] = /\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(path) ?? [];
  if (name !== undefined) {
    const annotations = name === LEFT_OUT ? { "fluentbit.io/exclude": "true" } : { "example.com/note": "kept" };
    return {
      kind: "Pod",
      apiVersion: "v1",
      metadata: { name, namespace, uid: "95c1ec06-0000-0000-0000-000000000000", labels: LABELS, annotations },
      spec: { nodeName: "node", containers: [{ name: "curl", image: "image:1" }] },
      status: { phase: "Running", podIP: "10.0.0.1", containerStatuses: [] },
    };
  }
  const resources = [
    { name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get"] },
    { name: "namespaces", singularName: "namespace", namespaced: false, kind: "Namespace", verbs: ["get"] },
  ];
  return path.endsWith("/v1")
    ? { kind: "APIResourceList", groupVersion: "v1", resources }
    : { kind: "APIVersions", versions: ["v1"] };
}
