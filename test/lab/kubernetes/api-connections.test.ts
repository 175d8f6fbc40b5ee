import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { requestApi } from "../../../lab/kubernetes/api-requests.ts";
import { objectStore } from "../../../lab/kubernetes/object-store.ts";
import { listen } from "../../support/listen.ts";

describe("Requests to the API server", () => {
  let server: Server;
  let config: KubeConfig;
  let connections: number;
  let open: number;
  let mostOpen: number;

  beforeEach(async () => {
    [connections, open, mostOpen] = [0, 0, 0];
    server = createServer(async (request, response) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      // A body must be read before the connection can serve another request.
      for await (const _ of request);
      await wait(request.url?.includes("slow") ? 800 : 2);
      open -= 1;
      response.end(JSON.stringify({ metadata: { name: "one" } }));
    }).on("connection", () => {
      connections += 1;
    });
    config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "c", server: `http://127.0.0.1:${await listen(server)}`, skipTLSVerify: true },
      { name: "u" },
    );
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it("share a connection if they follow each other, whatever their method", async () => {
    const store = objectStore((request) => requestApi(config, request));
    const ref = { apiVersion: "v1", plural: "configmaps", namespace: "default", name: "one" };
    for (let count = 0; count < 5; count += 1) {
      const object = await store.read(ref);
      await store.replace(ref, object ?? {});
      await store.remove(ref);
    }
    assert.equal(connections, 1);
  });

  it("are at most 24 at once, and one that waits for its turn does not time out", async () => {
    const paths = Array.from({ length: 60 }, () => "/slow");
    const answers = await Promise.all(paths.map((path) => requestApi(config, { path, seconds: 2 })));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.deepEqual([mostOpen, connections], [24, 24]);
  });

  it("open a new connection if the server has closed the old one", async () => {
    await requestApi(config, { path: "/version", seconds: 5 });
    server.closeIdleConnections();
    await wait(20);
    await requestApi(config, { path: "/version", seconds: 5 });
    assert.equal(connections, 2);
  });
});
