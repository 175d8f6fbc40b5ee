import { createServer, type ServerResponse } from "node:http";
import { listen } from "../../support/listen.ts";

/** An API server that streams its lists, as Kubernetes does from 1.34 on, and has one Service whose endpoints come later. */
export interface KubernetesApi {
  readonly port: number;
  close(): void;
}

interface Resource {
  readonly kind: string;
  readonly apiVersion: string;
}

const VERSION = "5";
const PORTS = [{ name: "http", port: 80, protocol: "TCP" }];
const SERVICE = {
  metadata: { name: "web", namespace: "default", resourceVersion: VERSION },
  spec: { clusterIP: "10.1.1.1", clusterIPs: ["10.1.1.1"], ports: PORTS },
};

const NAMESPACE = { metadata: { name: "default", resourceVersion: VERSION } };
const ITEMS: Readonly<Record<string, readonly object[]>> = { Service: [SERVICE], Namespace: [NAMESPACE] };

export async function kubernetesApi(): Promise<KubernetesApi> {
  const server = createServer(({ url }, response) => {
    const { pathname, searchParams: asked } = new URL(url ?? "", "http://api");
    const resource = resourceOf(pathname);
    const items = ITEMS[resource.kind] ?? [];
    response.setHeader("content-type", "application/json");
    if (!asked.has("watch")) {
      const list = { ...resource, kind: `${resource.kind}List`, metadata: { resourceVersion: VERSION }, items };
      response.end(JSON.stringify(list));
      return;
    }
    response.flushHeaders();
    if (asked.has("sendInitialEvents")) {
      for (const item of items) send(response, "ADDED", { ...resource, ...item });
      const annotations = { "k8s.io/initial-events-end": "true" };
      send(response, "BOOKMARK", { ...resource, metadata: { resourceVersion: VERSION, annotations } });
    }
    if (resource.kind === "EndpointSlice")
      for (const version of [6, 7])
        setTimeout(() => send(response, "ADDED", sliceOf(resource, version)), version * 100);
  });
  const port = await listen(server);
  return {
    port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function resourceOf(path: string): Resource {
  if (path.endsWith("endpointslices")) return { kind: "EndpointSlice", apiVersion: "discovery.k8s.io/v1" };
  return { kind: path.endsWith("services") ? "Service" : "Namespace", apiVersion: "v1" };
}

function send(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function sliceOf(resource: Resource, version: number): object {
  return {
    ...resource,
    metadata: {
      name: "web-1",
      namespace: "default",
      resourceVersion: `${version}`,
      labels: { "kubernetes.io/service-name": "web" },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": new Date().toISOString() },
    },
    addressType: "IPv4",
    ports: PORTS,
    endpoints: [{ addresses: [`10.2.2.${version}`], conditions: { ready: true } }],
  };
}
